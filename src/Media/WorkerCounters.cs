using Voice.Protocol.Links;

namespace Voice.Media;

/// <summary>What a worker counts, since it started. Written by its thread, read by any (64-bit values do not tear, and a report may be a packet
/// old in one counter and not in another).</summary>
public sealed class WorkerCounters
{
    private static readonly string[] Names = Enum.GetNames<DropReason>();

    private readonly long[] drops = new long[Names.Length];
    private long packetsReceived;
    private long bytesReceived;
    private long packetsForwarded;
    private long bytesForwarded;
    private long discoveriesAnswered;
    private readonly long[] addedDelay = new long[LogLinear.Buckets];
    private readonly long[] batches = new long[LogLinear.Buckets];
    private long busyTicks;
    private long allocatedBytes;

    public long PacketsReceived => Volatile.Read(ref packetsReceived);

    public long BytesReceived => Volatile.Read(ref bytesReceived);

    public long PacketsForwarded => Volatile.Read(ref packetsForwarded);

    public long BytesForwarded => Volatile.Read(ref bytesForwarded);

    /// <summary>IP discoveries of Discord's UDP protocol, anybody's.</summary>
    public long DiscoveriesAnswered => Volatile.Read(ref discoveriesAnswered);

    public long this[DropReason reason] => Volatile.Read(ref drops[(int)reason]);

    public long TotalDrops => drops.Sum();

    internal void Drop(DropReason reason) => drops[(int)reason]++;

    internal void Drop(DropReason reason, long packets) => drops[(int)reason] += packets;

    internal void Discovered() => discoveriesAnswered++;

    /// <summary>Packets that were forwarded this long after the kernel received what they came from.</summary>
    internal void Delayed(long microseconds, int packets) => addedDelay[LogLinear.Bucket(microseconds)] += packets;

    /// <summary>Packets found waiting at one wake-up.</summary>
    internal void Batch(int packets) => batches[LogLinear.Bucket(packets)]++;

    /// <summary>Processor time of the worker's thread since it started.</summary>
    internal void Busy(TimeSpan total) => Volatile.Write(ref busyTicks, total.Ticks);

    /// <summary>Memory that the worker's thread allocated since it started.</summary>
    internal void Allocated(long total) => Volatile.Write(ref allocatedBytes, total);

    internal void Received(int bytes)
    {
        packetsReceived++;
        bytesReceived += bytes;
    }

    internal void Forwarded(int bytes)
    {
        packetsForwarded++;
        bytesForwarded += bytes;
    }

    public WorkerReport Report() => new(
        PacketsReceived,
        PacketsForwarded,
        BytesReceived,
        BytesForwarded,
        TimeSpan.FromTicks(Volatile.Read(ref busyTicks)).TotalSeconds,
        [.. addedDelay],
        [.. batches],
        Volatile.Read(ref allocatedBytes));

    /// <summary>Adds this worker's drops that happened at all to <paramref name="sum"/>, by name.</summary>
    public void AddDropsTo(Dictionary<string, long> sum)
    {
        for (var i = 0; i < drops.Length; i++)
        {
            var count = Volatile.Read(ref drops[i]);
            if (count > 0) sum[Names[i]] = sum.GetValueOrDefault(Names[i]) + count;
        }
    }
}
