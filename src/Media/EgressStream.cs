using Voice.Media.Rtcp;
using Voice.Protocol.Rtp;

namespace Voice.Media;

/// <summary>One SSRC as one listener receives it, for a subscription's life, and once it was sent for that of the listener's transport.</summary>
public sealed class EgressStream(uint ssrc, uint clockRate, ulong start)
{
    /// <summary>What was sent this long ago or less is still to be heard, or waits in a jitter buffer.</summary>
    private static readonly TimeSpan Audible = TimeSpan.FromMilliseconds(200);

    private readonly uint frame = clockRate / 50; // 20 ms
    private uint timestampOffset;
    private uint lastTimestamp;
    private TimeSpan lastSent;
    private bool rebased;
    private bool appended;

    public uint Ssrc { get; } = ssrc;

    internal EgressIndex Index = new(start);

    public uint Packets { get; private set; }

    public uint Octets { get; private set; }

    /// <summary>Whether there is something to report: packets sent since the report before the last (RFC 3550 section 6.4), and of
    /// the source that is heard now.</summary>
    internal bool CanReport(TimeSpan now) => Packets > 0 && !rebased && now - lastSent < 2 * Reporter.LongestInterval;

    /// <summary>The talker is being heard: a packet of the talker's own was the last one, a moment ago.</summary>
    internal bool IsAudible(TimeSpan now) => Packets > 0 && !appended && now - lastSent < Audible;

    /// <summary>As the listener's last report block had it; null until then.</summary>
    public TimeSpan? RoundTrip { get; private set; }

    /// <summary>Of what we sent the listener, in 1/256, by its last report.</summary>
    public byte FractionLost { get; private set; }

    /// <summary>The next packet is of another source, or comes after another subscription: index and timestamp go on from the last one sent.</summary>
    internal void Rebase()
    {
        Index.Rebase();
        rebased = Packets > 0;
    }

    /// <summary>The talker's timestamp in this stream's count.</summary>
    internal uint Translate(uint timestamp, TimeSpan now)
    {
        if (rebased)
        {
            var elapsed = Math.Max(1, NtpTime.ToRtp(now - lastSent, clockRate));
            timestampOffset = lastTimestamp + elapsed - timestamp;
            rebased = false;
        }
        else if (appended && (int)(timestamp + timestampOffset - lastTimestamp) < frame)
        {
            timestampOffset = lastTimestamp + frame - timestamp; // the talker is back before our own frames have been played
        }
        appended = false;
        return timestamp + timestampOffset;
    }

    /// <summary>The numbers of a 20 ms frame of our own, after the last packet sent.</summary>
    internal DropReason? TryAppend(out ulong index, out uint timestamp)
    {
        timestamp = lastTimestamp + frame;
        appended = true;
        return Index.TryAppend(out index);
    }

    internal void Sent(uint timestamp, int payloadLength, TimeSpan now)
    {
        Packets++;
        Octets += (uint)payloadLength;
        if ((int)(timestamp - lastTimestamp) < 0 && Packets > 1) return; // late
        (lastTimestamp, lastSent) = (timestamp, now);
    }

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
}
