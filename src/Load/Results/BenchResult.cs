using System.Text.Json.Serialization;

namespace Voice.Load.Results;

/// <summary>One scenario's result. These fields and their units are stable; <see cref="Details"/> is not.</summary>
/// <param name="CpuUsPerForward">Of every thread of the media process, receiving included.</param>
/// <param name="FloorUsPerSend">Null: not measured.</param>
/// <param name="LossRatio">Of what listeners should have got.</param>
/// <param name="AddedDelayUs">From the kernel's receive timestamp to the return of the send; of saturate, at half of the rate. Null where the media process
/// does not tell.</param>
/// <param name="BytesPerParticipant">Growth of the media process's resident memory from before they joined.</param>
/// <param name="AllocatedBytesPerPacket">By the threads that packets pass through; per packet received.</param>
/// <param name="JoinsPerSecond">To first audio; null where joining was not measured.</param>
/// <param name="Threads">Of the media process.</param>
public sealed record BenchResult(
    string Scenario,
    int Participants,
    double ForwardedPerSecond,
    double CpuUsPerForward,
    double? FloorUsPerSend,
    double? RatioToFloor,
    double LossRatio,
    Percentiles? AddedDelayUs,
    long RssBytes,
    double BytesPerParticipant,
    double AllocatedBytesPerPacket,
    [property: JsonPropertyName("gc")] Collections Collections,
    double? JoinsPerSecond,
    int Threads,
    Machine Machine,
    IReadOnlyList<PeerResult> Peers,
    Details Details);

public sealed record Percentiles(double P50, double P99, double P999, double Max);

/// <param name="PauseMsMax">No collection paused the process longer, in milliseconds.</param>
public sealed record Collections(int Gen0, int Gen1, int Gen2, double PauseMsMax);

public sealed record Machine(string Cpu, int Cores, string Kernel, string Runtime);

/// <summary>Another server under the same load in the same call.</summary>
/// <param name="Ratio">Its processor time for a packet to ours.</param>
public sealed record PeerResult(string Name, double ForwardedPerSecond, double CpuUsPerForward, double LossRatio, double Ratio, long RssBytes, double BytesPerParticipant);

/// <summary>How a result came about. Fields come and go.</summary>
/// <param name="Notes">What a reader must know, in sentences.</param>
/// <param name="Steps">Of saturate: every load tried.</param>
/// <param name="Samples">Of soak: over time.</param>
/// <param name="Runs">What the medians are of.</param>
/// <param name="Loudest">Of loudest, which counts what is lost of what was chosen.</param>
public sealed record Details(
    string Transport,
    int PayloadBytes,
    string? FloorMethod,
    Loss Loss,
    Percentiles? EndToEndUs,
    Percentiles? AddedDelayAtSaturationUs,
    double? JoinsPerCpuSecond,
    IReadOnlyList<string> Notes,
    IReadOnlyList<LoadStep> Steps,
    IReadOnlyList<SoakSample> Samples,
    IReadOnlyList<RunResult> Runs,
    LoudestResult? Loudest = null);

/// <summary>A room of which only the loudest are heard.</summary>
/// <param name="Loudest">How many are.</param>
/// <param name="Starts">Times that somebody who had been silent spoke loud enough to be heard.</param>
/// <param name="ClippedMs">Speech that a listener did not get before the first packet of it that came, for each start and listener.</param>
/// <param name="StreamsMax">The most that any listener got at one time.</param>
/// <param name="Expected">Packets, by the numbers that listeners saw.</param>
public sealed record LoudestResult(int Loudest, int Starts, Percentiles? ClippedMs, int StreamsMax, long Expected, long Received);

/// <summary>Where packets were lost, in packets that a listener did not get; what the kernel or the server dropped before forwarding counts
/// once for each listener.</summary>
/// <param name="Sender">The generator could not send them.</param>
/// <param name="ServerKernel">Found the media process's buffer full.</param>
/// <param name="Server">By the media process's own reason.</param>
/// <param name="ReceiverKernel">Found a listener's buffer full: the generator could not read them.</param>
/// <param name="Receiver">Read, and not what was sent.</param>
/// <param name="Missing">None of these: mostly still on their way when the wait for them ended.</param>
/// <param name="Sent">By talkers.</param>
/// <param name="Expected">By listeners.</param>
/// <param name="Received">By listeners.</param>
public sealed record Loss(
    long Sent, long Expected, long Received, long Sender, double ServerKernel, IReadOnlyDictionary<string, long> Server, long ReceiverKernel, long Receiver,
    long Missing, long Duplicates);

/// <param name="Load">Rooms that talk.</param>
public sealed record LoadStep(
    int Run, int Load, double ForwardedPerSecond, double CpuUsPerForward, double CpuShare, double LossRatio, Percentiles? AddedDelayUs, double BatchMean, bool IsGood,
    string? Fault);

/// <param name="Seconds">Since the first.</param>
public sealed record SoakSample(
    double Seconds, double ForwardedPerSecond, double CpuUsPerForward, long RssBytes, double AllocatedBytesPerSecond, int Gen0, int Gen1, int Gen2, double LossRatio, Percentiles? AddedDelayUs);

public sealed record RunResult(double ForwardedPerSecond, double CpuUsPerForward, double? FloorUsPerSend, double? RatioToFloor, double LossRatio);
