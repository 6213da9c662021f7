using System.Buffers.Binary;

namespace Voice.Protocol.Rtp;

/// <summary>Writes a compound RTCP packet: a report first, then SDES with the CNAME, then BYE (RFC 3550 section 6.1).
/// The destination must be large enough; every method throws <see cref="ArgumentOutOfRangeException"/> if it is not.</summary>
public ref struct RtcpWriter(Span<byte> destination)
{
    /// <summary>The header's count field has five bits.</summary>
    public const int MaxReportBlocks = 31;

    private readonly Span<byte> destination = destination;

    /// <summary>Bytes written so far.</summary>
    public int Length { get; private set; }

    public void SenderReport(scoped in SenderReport report, scoped ReadOnlySpan<ReportBlock> blocks)
    {
        var body = Begin(RtcpType.SenderReport, blocks.Length, Rtp.SenderReport.Length + blocks.Length * ReportBlock.Length);
        report.Write(body);
        WriteBlocks(body[Rtp.SenderReport.Length..], blocks);
    }

    public void ReceiverReport(uint sender, scoped ReadOnlySpan<ReportBlock> blocks)
    {
        var body = Begin(RtcpType.ReceiverReport, blocks.Length, 4 + blocks.Length * ReportBlock.Length);
        BinaryPrimitives.WriteUInt32BigEndian(body, sender);
        WriteBlocks(body[4..], blocks);
    }

    /// <summary>One SDES chunk with the mandatory CNAME item (RFC 3550 section 6.5.1).</summary>
    /// <param name="cname">At most 255 bytes of UTF-8.</param>
    public void Cname(uint source, scoped ReadOnlySpan<byte> cname)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(cname.Length, 255);
        // SSRC, item, then one to four zeros: the end of the list and the padding to a word.
        var body = Begin(RtcpType.SourceDescription, 1, 4 + (2 + cname.Length + 4) / 4 * 4);
        body.Clear();
        BinaryPrimitives.WriteUInt32BigEndian(body, source);
        body[4] = 1; // CNAME
        body[5] = (byte)cname.Length;
        cname.CopyTo(body[6..]);
    }

    public void Bye(uint source)
    {
        BinaryPrimitives.WriteUInt32BigEndian(Begin(RtcpType.Bye, 1, 4), source);
    }

    private Span<byte> Begin(RtcpType type, int count, int bodyLength)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(count, MaxReportBlocks);
        var packet = destination.Slice(Length, RtcpPacket.HeaderLength + bodyLength);
        packet[0] = (byte)(0x80 | count);
        packet[1] = (byte)type;
        BinaryPrimitives.WriteUInt16BigEndian(packet[2..], (ushort)(bodyLength / 4));
        Length += packet.Length;
        return packet[RtcpPacket.HeaderLength..];
    }

    private static void WriteBlocks(Span<byte> body, scoped ReadOnlySpan<ReportBlock> blocks)
    {
        for (var i = 0; i < blocks.Length; i++) blocks[i].Write(body[(i * ReportBlock.Length)..]);
    }
}
