using System.Buffers.Text;
using Voice.Protocol.Rtp;

namespace Voice.Media.Rtcp;

/// <summary>Writes a transport's regular RTCP (RFC 3550 section 6): receiver reports on what the client sends, and for each
/// stream that it hears a sender report and its CNAME. Keeps the buffers; one for each worker.</summary>
internal sealed class Reporter
{
    /// <summary>RFC 3550 section 6.2: intervals are randomised, lest everybody's reports meet; RFC 4585 section 3.4 allows short ones.</summary>
    public static readonly TimeSpan ShortestInterval = TimeSpan.FromSeconds(0.75);

    public static readonly TimeSpan LongestInterval = TimeSpan.FromSeconds(1.25);

    /// <summary>Fits every path, like our other datagrams.</summary>
    private const int MaxCompound = 1200;

    private const int SenderReportLength = RtcpPacket.HeaderLength + SenderReport.Length;

    /// <summary>Header, SSRC, CNAME of at most 10 digits, end.</summary>
    private const int CnameLength = RtcpPacket.HeaderLength + 4 + 16;

    private readonly byte[] compound = new byte[MaxCompound];
    private readonly byte[] scratch = new byte[MaxCompound + Transport.MaxOverhead];
    private readonly List<Subscription> batch = new(MaxCompound / (SenderReportLength + CnameLength));

    public void Report(Transport transport, TimeSpan now)
    {
        ReportReception(transport, now);
        foreach (var subscription in transport.Subscriptions)
        {
            if (!subscription.Stream.CanReport(now) || !subscription.Fanout.Clock.Any) continue;
            batch.Add(subscription);
            if (batch.Count == batch.Capacity) ReportBatch(transport, now);
        }
        if (batch.Count > 0) ReportBatch(transport, now);
    }

    private void ReportReception(Transport transport, TimeSpan now)
    {
        Span<ReportBlock> blocks = stackalloc ReportBlock[RtcpWriter.MaxReportBlocks];
        var count = 0;
        for (var i = 0; i < transport.Tracks.Count && count < blocks.Length; i++)
        {
            var track = transport.Tracks[i]; // by index: an enumerator of the interface would be allocated
            if (track.Reception.Any) blocks[count++] = track.Reception.TakeBlock(track.SenderSsrc, now);
        }
        if (count == 0) return;
        var writer = new RtcpWriter(compound);
        writer.ReceiverReport(transport.ReporterSsrc, blocks[..count]);
        WriteCname(ref writer, transport.ReporterSsrc);
        transport.SendRtcp(compound.AsSpan(0, writer.Length), scratch);
    }

    /// <summary>Several sources in one compound packet, as a mixer or translator sends them (RFC 3550 section 6.1).</summary>
    private void ReportBatch(Transport transport, TimeSpan now)
    {
        var writer = new RtcpWriter(compound);
        foreach (var subscription in batch)
        {
            writer.SenderReport(subscription.Stream.Report(subscription.Fanout.Clock.At(now), now), []);
        }
        foreach (var subscription in batch) WriteCname(ref writer, subscription.Stream.Ssrc);
        batch.Clear();
        transport.SendRtcp(compound.AsSpan(0, writer.Length), scratch);
    }

    /// <summary>Each stream is a source of its own, named by its SSRC: a talker's own CNAME would follow them from call to
    /// call.</summary>
    private static void WriteCname(ref RtcpWriter writer, uint ssrc)
    {
        Span<byte> cname = stackalloc byte[10];
        Utf8Formatter.TryFormat(ssrc, cname, out var length);
        writer.Cname(ssrc, cname[..length]);
    }
}
