using Voice.Load.Linux;
using Voice.Protocol.Links;

namespace Voice.Load.Server;

/// <summary>What is known of the media process at one moment: its own report, and what the kernel accounts to it.</summary>
/// <param name="At">Nanoseconds.</param>
/// <param name="CpuNanoseconds">Of every thread.</param>
/// <param name="KernelDrops">Datagrams to its ports that found a full buffer.</param>
/// <param name="Others">What every other process has used so far.</param>
/// <param name="StolenSeconds">From its cores, by the machine's host.</param>
internal sealed record ServerSample(
    long At, MediaReport Report, long CpuNanoseconds, long ResidentBytes, int Threads, long KernelDrops, Dictionary<int, long> Others, double StolenSeconds)
{
    public static ServerSample Take(MediaReport report, int process, IReadOnlyCollection<int> ports, int[] cores) => new(
        Generator.LoadGenerator.Now,
        report,
        ProcessStat.CpuNanoseconds(process),
        ProcessStat.ResidentBytes(process),
        ProcessStat.Threads(process),
        UdpDrops.OfPorts(ports),
        OtherProcesses.Times(process),
        CoreAbsence.StolenSeconds(cores));
}

/// <summary>What the media process did between two samples.</summary>
internal sealed record ServerWindow(ServerSample From, ServerSample To)
{
    public double Seconds => (To.At - From.At) / 1e9;

    public double CpuMicroseconds => (To.CpuNanoseconds - From.CpuNanoseconds) / 1e3;

    /// <summary>What processes other than the server and this one used, on whichever cores; 1 is all of one core.</summary>
    public double OthersShare => OtherProcesses.Used(From.Others, To.Others) / Seconds;

    /// <summary>Share of the time that the machine's host took from the server's cores, together.</summary>
    public double StolenShare => (To.StolenSeconds - From.StolenSeconds) / Seconds;

    public long Received => To.Report.PacketsReceived - From.Report.PacketsReceived;

    public long Forwarded => To.Report.PacketsForwarded - From.Report.PacketsForwarded;

    public long KernelDrops => To.KernelDrops - From.KernelDrops;

    /// <summary>By the workers' threads.</summary>
    public long AllocatedBytes => To.Report.Workers.Sum(worker => worker.AllocatedBytes) - From.Report.Workers.Sum(worker => worker.AllocatedBytes);

    public long ProcessAllocatedBytes => To.Report.Memory.AllocatedBytes - From.Report.Memory.AllocatedBytes;

    public double PausedMillis => To.Report.Memory.PausedMillis - From.Report.Memory.PausedMillis;

    public int Gen0 => To.Report.Memory.Gen0 - From.Report.Memory.Gen0;

    public int Gen1 => To.Report.Memory.Gen1 - From.Report.Memory.Gen1;

    public int Gen2 => To.Report.Memory.Gen2 - From.Report.Memory.Gen2;

    /// <summary>By reason, those that happened.</summary>
    public Dictionary<string, long> Drops => To.Report.Drops
        .Select(drop => (drop.Key, Count: drop.Value - From.Report.Drops.GetValueOrDefault(drop.Key)))
        .Where(drop => drop.Count > 0)
        .ToDictionary(drop => drop.Key, drop => drop.Count);

    /// <summary>Of all workers, in buckets of <see cref="LogLinear"/>.</summary>
    public long[] AddedDelay => Difference(worker => worker.AddedDelay);

    public long[] Batches => Difference(worker => worker.Batches);

    private long[] Difference(Func<WorkerReport, long[]> histogram)
    {
        var sum = new long[LogLinear.Buckets];
        foreach (var (before, after) in From.Report.Workers.Zip(To.Report.Workers))
        {
            var (old, now) = (histogram(before), histogram(after));
            for (var i = 0; i < now.Length; i++) sum[i] += now[i] - (i < old.Length ? old[i] : 0);
        }

        return sum;
    }
}
