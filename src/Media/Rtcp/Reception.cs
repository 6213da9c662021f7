using Voice.Protocol.Rtp;

namespace Voice.Media.Rtcp;

/// <summary>What we tell a sender about its stream (RFC 3550 section 6.4.1 and appendix A.3, A.8). Works on the 48-bit index
/// that authentication established, so it needs no guess of its own about wraps.</summary>
internal sealed class Reception(uint clockRate)
{
    private ulong first;
    private ulong highest;
    private ulong received;
    private ulong expectedBefore;
    private ulong receivedBefore;
    private uint transit;
    private uint jitterTimes16;
    private SenderReport? report;
    private TimeSpan reportArrival;

    public bool Any => received > 0;

    public void Packet(ulong index, uint timestamp, TimeSpan now)
    {
        // Appendix A.8, in the integer form of the RFC.
        var transitNow = NtpTime.ToRtp(now, clockRate) - timestamp;
        if (received > 0)
        {
            var change = Math.Abs((long)(int)(transitNow - transit));
            jitterTimes16 = (uint)(jitterTimes16 + change - ((jitterTimes16 + 8) >> 4));
        }
        else
        {
            first = highest = index;
        }
        transit = transitNow;
        received++;
        // A packet from before the first one moves the beginning.
        first = Math.Min(first, index);
        highest = Math.Max(highest, index);
    }

    public void Report(in SenderReport sent, TimeSpan now) => (report, reportArrival) = (sent, now);

    /// <summary>The block for the sender; fraction lost is since the last call.</summary>
    public ReportBlock TakeBlock(uint ssrc, TimeSpan now)
    {
        var expected = highest - first + 1;
        var expectedNow = expected - expectedBefore;
        var lostNow = (long)expectedNow - (long)(received - receivedBefore);
        (expectedBefore, receivedBefore) = (expected, received);
        var fraction = expectedNow == 0 || lostNow <= 0 ? 0 : lostNow * 256 / (long)expectedNow;

        return new(
            ssrc,
            (byte)Math.Min(fraction, 255),
            (int)Math.Clamp((long)expected - (long)received, int.MinValue, int.MaxValue),
            (uint)highest,
            jitterTimes16 >> 4,
            report?.CompactNtp ?? 0,
            report is null ? 0 : NtpTime.Compact(now - reportArrival));
    }
}
