using System.Text.Json;
using System.Text.Json.Serialization;
using Voice.Load.Results;

namespace Voice.Load.Drills;

/// <summary>What a drill found, from the clients' own logs. These fields and their units are stable; <see cref="Details"/> is not.</summary>
/// <param name="DetectMs">From the break until the first client was told of a new server; null: none was.</param>
/// <param name="SessionsLost">Clients that had to identify anew with a voice server where the drill says that they need not, and those that were not heard or heard nothing at the end.</param>
/// <param name="VoiceStatesLost">People whom the guild no longer has in its channel, or was seen to drop.</param>
/// <param name="DoubleServedGuilds">Guilds of which somebody got media of an old assignment more than 5 s after it was told of the new one.</param>
/// <param name="FalseEvictions">Guilds that were given another server, or none, though theirs was not broken.</param>
/// <param name="NoncesReused">Packets that authenticated under a nonce which another packet had under the same key.</param>
public sealed record DrillResult(
    string Drill,
    int Clients,
    int Guilds,
    double? DetectMs,
    Gap GapMs,
    int SessionsLost,
    int VoiceStatesLost,
    int DoubleServedGuilds,
    int FalseEvictions,
    long NoncesReused,
    DrillDetails Details);

/// <summary>Silence at listeners while their talkers talk, in milliseconds: of each listener of the guilds that the break concerns, the longest time between two
/// packets, from the break to the end, beyond the 20 ms that packets are apart. What is below 40 ms counts as none: every receiver's
/// buffer hides it. Time in which the generator itself was held up, and nobody talked, is taken off.</summary>
public sealed record Gap(double P50, double P99, double Max);

/// <summary>How a result came about. Fields come and go.</summary>
/// <param name="Stubborn">People beyond the clients who stay with the server that they joined first, and talk and listen there.</param>
/// <param name="Concerned">Guilds that the break concerns.</param>
/// <param name="MovedMs">Until the last client was told of its new server.</param>
/// <param name="ClearMs">From the break until every listener heard its talker again.</param>
/// <param name="JitterMs">The gap without its 40 ms, of everybody whom the break does not concern.</param>
/// <param name="QuietMs">The same of everybody, in the seconds before the break.</param>
/// <param name="MissingPackets">Said while the drill went on, and not heard, in packets of a listener.</param>
/// <param name="StateChanges">Of clients, after the break.</param>
/// <param name="NewSessions">Sessions with a voice server that began after the break.</param>
/// <param name="GatewayBackMs">From the break until a client that lost its main gateway had a session again.</param>
/// <param name="WitnessedPackets">That authenticated, and whose nonces were looked at.</param>
/// <param name="Sent">By talkers.</param>
/// <param name="LateShare">Of those, sent more than 10 ms after their time: above 1 % the machine was too small or not quiet.</param>
/// <param name="StalledMs">The longest that the generator itself was held up.</param>
/// <param name="GeneratorCores">Processor time of this very process in a second of the drill.</param>
/// <param name="Notes">What a reader must know, in sentences.</param>
public sealed record DrillDetails(
    int Nodes,
    int Gateways,
    int WebRtcClients,
    int Stubborn,
    double Seconds,
    int Concerned,
    double? MovedMs,
    double? ClearMs,
    Gap? JitterMs,
    Gap QuietMs,
    long MissingPackets,
    int StateChanges,
    int NewSessions,
    Gap? GatewayBackMs,
    long WitnessedPackets,
    long Sent,
    double LateShare,
    double StalledMs,
    double GeneratorCores,
    IReadOnlyList<string> Notes,
    IReadOnlyList<DrillMark> Events,
    IReadOnlyList<DrillSecond> Timeline,
    Machine Machine);

/// <param name="Second">Since the break.</param>
public sealed record DrillMark(double Second, string What);

/// <param name="Second">Since the break; the first are before it.</param>
/// <param name="Heard">Packets.</param>
/// <param name="Silent">Listeners with a gap that reaches into this second.</param>
public sealed record DrillSecond(int Second, int Heard, int Silent);

/// <summary>Results as JSON: an object, or an array of all drills'.</summary>
public static class DrillFile
{
    public static void Write(string path, IReadOnlyList<DrillResult> results) => File.WriteAllBytes(
        path,
        results is [var one]
            ? JsonSerializer.SerializeToUtf8Bytes(one, DrillJson.Default.DrillResult)
            : JsonSerializer.SerializeToUtf8Bytes(results, DrillJson.Default.IReadOnlyListDrillResult));
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, WriteIndented = true)]
[JsonSerializable(typeof(DrillResult))]
[JsonSerializable(typeof(IReadOnlyList<DrillResult>))]
internal sealed partial class DrillJson : JsonSerializerContext;
