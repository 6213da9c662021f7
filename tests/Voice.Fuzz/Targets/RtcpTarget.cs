using Voice.Protocol.Rtp;
using static Voice.Fuzz.BrokenPromiseException;

namespace Voice.Fuzz;

internal sealed class RtcpTarget : IFuzzTarget
{
    public void Run(ReadOnlySpan<byte> input)
    {
        var reader = new RtcpReader(input);
        var total = 0;
        while (reader.MoveNext())
        {
            var packet = reader.Current;
            total += RtcpPacket.HeaderLength + packet.Body.Length;
            packet.TryGetSender(out _);
            packet.TryGetSenderReport(out _);
            var blocks = 0;
            while (packet.TryGetReportBlock(blocks, out _)) blocks++;
            Unless(blocks <= packet.Count && blocks * ReportBlock.Length <= packet.Body.Length, "no more blocks than promised, and than fit");
            var leavers = 0;
            while (packet.TryGetLeaver(leavers, out _)) leavers++;
            Unless(leavers <= packet.Count && leavers * 4 <= packet.Body.Length, "no more leavers than promised, and than fit");
        }
        Unless(total <= input.Length, "packets do not overlap");
        Unless(!reader.MoveNext(), "an ended walk stays ended");
    }
}
