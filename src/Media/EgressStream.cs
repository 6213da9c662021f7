using Voice.Media.Checkpoints;
using Voice.Media.Rtcp;
using Voice.Protocol.Rtp;

namespace Voice.Media;

/// <summary>One SSRC as one listener receives it, for a subscription's life, and once it was sent for that of the listener's transport. Its
/// checkpoint lets another process go on with it.</summary>
public sealed class EgressStream
{
    // What the checkpoint holds. The last is written last: timestamps count only with the talker that they are of.
    private const int Reserved = 0; // 0: nothing was ever sent
    private const int Timestamps = 1;
    private const int LastSent = 2;
    private const int Counts = 3;
    private const int Talking = 4;

    /// <summary>What was sent this long ago or less is still to be heard, or waits in a jitter buffer.</summary>
    private static readonly TimeSpan Audible = TimeSpan.FromMilliseconds(200);

    private readonly Checkpoint checkpoint;
    private uint clockRate;
    private uint talker;
    private ulong reserved;
    private uint timestampOffset;
    private uint lastTimestamp;
    private TimeSpan lastSent;
    private bool rebased;
    private bool appended;
    private bool outdated;

    internal EgressStream(uint ssrc, ulong start, Checkpoint checkpoint)
    {
        (Ssrc, this.checkpoint) = (ssrc, checkpoint);
        Index = new(start);
        reserved = start;
    }

    public uint Ssrc { get; }

    internal EgressIndex Index;

    public uint Packets { get; private set; }

    public uint Octets { get; private set; }

    /// <summary>20 ms.</summary>
    private uint Frame => clockRate / 50;

    /// <summary>Whether there is something to report: packets sent since the report before the last (RFC 3550 section 6.4), and of
    /// the source that is heard now.</summary>
    internal bool CanReport(TimeSpan now) => Packets > 0 && !rebased && now - lastSent < 2 * Reporter.LongestInterval;

    /// <summary>The talker is being heard: a packet of the talker's own was the last one, a moment ago.</summary>
    internal bool IsAudible(TimeSpan now) => Packets > 0 && !appended && now - lastSent < Audible;

    /// <summary>As the listener's last report block had it; null until then.</summary>
    public TimeSpan? RoundTrip { get; private set; }

    /// <summary>Of what we sent the listener, in 1/256, by its last report.</summary>
    public byte FractionLost { get; private set; }

    /// <summary>Where an earlier process stopped: past every index that it may have used, and on the same clock. Null if it sent nothing.</summary>
    internal static EgressStream? Resume(Checkpoint left)
    {
        if (left[Reserved] == 0) return null;
        var (timestamps, counts) = (left[Timestamps], left[Counts]);
        return new(left.Ssrc, left[Reserved], left)
        {
            talker = (uint)left[Talking],
            timestampOffset = Checkpoint.High(timestamps),
            lastTimestamp = Checkpoint.Low(timestamps),
            lastSent = TimeSpan.FromTicks((long)left[LastSent]),
            Packets = Math.Max(1, Checkpoint.High(counts)),
            Octets = Checkpoint.Low(counts),
        };
    }

    /// <summary>The next packet is of another subscription than the last one: index and timestamp go on from there.</summary>
    /// <param name="from">The talker's transport.</param>
    /// <param name="continues">It is the same subscription, of another process: the talker's clock goes on, unless the talker is another.</param>
    internal void Follow(uint from, uint rate, bool continues)
    {
        Index.Rebase();
        rebased = Packets > 0 && !(continues && from == talker);
        (talker, clockRate) = (from, rate);
    }

    /// <summary>The index to send the talker's packet under; null if it may be sent, else why not.</summary>
    internal DropReason? TryMap(ulong number, out ulong index)
    {
        if (Index.TryMap(number, out index) is { } refusal) return refusal;
        if (Index.Reserved != reserved) Reserve();
        return null;
    }

    /// <summary>The talker's timestamp in this stream's count.</summary>
    internal uint Translate(uint timestamp, TimeSpan now)
    {
        if (rebased)
        {
            var elapsed = Math.Max(1, NtpTime.ToRtp(now - lastSent, clockRate));
            timestampOffset = lastTimestamp + elapsed - timestamp;
            (rebased, outdated) = (false, true);
        }
        else if (appended && (int)(timestamp + timestampOffset - lastTimestamp) < Frame)
        {
            timestampOffset = lastTimestamp + Frame - timestamp; // the talker is back before our own frames have been played
            outdated = true;
        }
        appended = false;
        return timestamp + timestampOffset;
    }

    /// <summary>The numbers of a 20 ms frame of our own, after the last packet sent.</summary>
    internal DropReason? TryAppend(out ulong index, out uint timestamp)
    {
        timestamp = lastTimestamp + Frame;
        appended = true;
        if (Index.TryAppend(out index) is { } refusal) return refusal;
        if (Index.Reserved != reserved) Reserve();
        return null;
    }

    internal void Sent(uint timestamp, int payloadLength, TimeSpan now)
    {
        Packets++;
        Octets += (uint)payloadLength;
        if ((int)(timestamp - lastTimestamp) < 0 && Packets > 1) return; // late
        (lastTimestamp, lastSent) = (timestamp, now);
        if (outdated) Save();
    }

    /// <summary>Nothing more is sent by this process: the next one goes on without a gap.</summary>
    internal void Retire()
    {
        if (Packets == 0) return;
        Index.Release();
        Reserve();
        Save();
    }

    /// <summary>No longer sent, ever.</summary>
    internal void Forget(WorkerCheckpoints checkpoints) => checkpoints.Remove(checkpoint);

    /// <summary>RFC 3550 section 6.4.1: the instant on our clock, and the same instant on the talker's, in this stream's count.</summary>
    internal SenderReport Report(uint sourceTimestamp, TimeSpan now) =>
        new(Ssrc, NtpTime.At(now), sourceTimestamp + timestampOffset, Packets, Octets);

    /// <summary>What the listener says of this stream.</summary>
    internal void Heard(in ReportBlock block, TimeSpan now)
    {
        FractionLost = block.FractionLost;
        if (block.LastSenderReport == 0) return;
        var units = NtpTime.Compact(now) - block.LastSenderReport - block.DelaySinceLastSenderReport;
        if ((int)units >= 0) RoundTrip = NtpTime.FromCompact(units);
    }

    /// <summary>Before the packet leaves. What else a successor wants to know is written as often.</summary>
    private void Reserve()
    {
        checkpoint.Set(Reserved, reserved = Index.Reserved);
        outdated = true;
    }

    private void Save()
    {
        checkpoint.Set(Timestamps, Checkpoint.Pair(timestampOffset, lastTimestamp));
        checkpoint.Set(LastSent, (ulong)lastSent.Ticks);
        checkpoint.Set(Counts, Checkpoint.Pair(Packets, Octets));
        checkpoint.Set(Talking, talker);
        outdated = false;
    }
}
