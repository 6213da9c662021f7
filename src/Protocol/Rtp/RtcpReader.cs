using System.Buffers.Binary;

namespace Voice.Protocol.Rtp;

/// <summary>RTCP packet types (RFC 3550 section 12.1, RFC 4585 section 6.1, RFC 3611).</summary>
public enum RtcpType : byte
{
    SenderReport = 200,
    ReceiverReport = 201,
    SourceDescription = 202,
    Bye = 203,
    App = 204,
    TransportFeedback = 205,
    PayloadFeedback = 206,
    ExtendedReport = 207,
}

/// <summary>Walks the packets of a plain compound RTCP packet (RFC 3550 section 6.1; reduced size too, RFC 5506).
/// After the walk <see cref="Malformed"/> says whether it ended before the datagram did.</summary>
/// <example><c>foreach (var packet in new RtcpReader(plain))</c>, or <c>while (reader.MoveNext())</c> to see Malformed.</example>
public ref struct RtcpReader(ReadOnlySpan<byte> compound)
{
    private ReadOnlySpan<byte> rest = compound;

    public RtcpPacket Current { get; private set; }

    public bool Malformed { get; private set; }

    public readonly RtcpReader GetEnumerator() => this;

    public bool MoveNext()
    {
        if (rest.IsEmpty || Malformed) return false;
        Malformed = !TryTake();
        return !Malformed;
    }

    private bool TryTake()
    {
        if (rest.Length < RtcpPacket.HeaderLength || rest[0] >> 6 != 2) return false;
        var length = (BinaryPrimitives.ReadUInt16BigEndian(rest[2..]) + 1) * 4;
        if (rest.Length < length) return false;

        var body = rest[RtcpPacket.HeaderLength..length];
        if ((rest[0] & 0x20) != 0)
        {
            // RFC 3550 section 6.4.1: only the last packet is padded; the count includes itself, in whole words.
            if (rest.Length != length || body.IsEmpty || body[^1] == 0 || body[^1] % 4 != 0 || body[^1] > body.Length) return false;
            body = body[..^body[^1]];
        }
        Current = new RtcpPacket((RtcpType)rest[1], rest[0] & 0x1F, body);
        rest = rest[length..];
        return true;
    }
}

/// <summary>One packet of a compound.</summary>
/// <param name="count">The header's five-bit field: reports, chunks, sources or feedback format, by type.</param>
/// <param name="body">What follows the four-byte header, without padding.</param>
public readonly ref struct RtcpPacket(RtcpType type, int count, ReadOnlySpan<byte> body)
{
    public const int HeaderLength = 4;

    public RtcpType Type { get; } = type;
    public int Count { get; } = count;
    public ReadOnlySpan<byte> Body { get; } = body;

    /// <summary>Who sent this packet: the first word of every type but an empty BYE.</summary>
    public bool TryGetSender(out uint ssrc) => BinaryPrimitives.TryReadUInt32BigEndian(Body, out ssrc);

    /// <summary>The sender's part of a sender report.</summary>
    public bool TryGetSenderReport(out SenderReport report)
    {
        report = default;
        return Type == RtcpType.SenderReport && SenderReport.TryParse(Body, out report);
    }

    /// <summary>The <paramref name="i"/>th report block of a sender or receiver report; false past the last, or if it does not fit.</summary>
    public bool TryGetReportBlock(int i, out ReportBlock block)
    {
        block = default;
        var offset = Type switch
        {
            RtcpType.SenderReport => SenderReport.Length,
            RtcpType.ReceiverReport => 4,
            _ => -1,
        };
        if (offset < 0 || (uint)i >= (uint)Count) return false;
        offset += i * ReportBlock.Length;
        return offset <= Body.Length && ReportBlock.TryParse(Body[offset..], out block);
    }

    /// <summary>The <paramref name="i"/>th source that a BYE ends.</summary>
    public bool TryGetLeaver(int i, out uint ssrc)
    {
        ssrc = 0;
        return Type == RtcpType.Bye && (uint)i < (uint)Count && i * 4 < Body.Length
            && BinaryPrimitives.TryReadUInt32BigEndian(Body[(i * 4)..], out ssrc);
    }
}
