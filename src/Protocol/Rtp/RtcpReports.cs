using System.Buffers.Binary;

namespace Voice.Protocol.Rtp;

/// <summary>The sender's part of an SR (RFC 3550 section 6.4.1).</summary>
/// <param name="NtpTimestamp">Wall clock, 32.32 fixed point seconds since 1900.</param>
/// <param name="RtpTimestamp">The same instant on the stream's clock.</param>
public readonly record struct SenderReport(uint Ssrc, ulong NtpTimestamp, uint RtpTimestamp, uint PacketCount, uint OctetCount)
{
    /// <summary>Bytes on the wire, sender's SSRC included.</summary>
    public const int Length = 24;

    /// <summary>The middle 32 bits, as a report block repeats them in <see cref="ReportBlock.LastSenderReport"/>.</summary>
    public uint CompactNtp => (uint)(NtpTimestamp >> 16);

    public static bool TryParse(ReadOnlySpan<byte> source, out SenderReport report)
    {
        report = default;
        if (source.Length < Length) return false;
        report = new SenderReport(
            BinaryPrimitives.ReadUInt32BigEndian(source),
            BinaryPrimitives.ReadUInt64BigEndian(source[4..]),
            BinaryPrimitives.ReadUInt32BigEndian(source[12..]),
            BinaryPrimitives.ReadUInt32BigEndian(source[16..]),
            BinaryPrimitives.ReadUInt32BigEndian(source[20..]));
        return true;
    }

    internal void Write(Span<byte> destination)
    {
        BinaryPrimitives.WriteUInt32BigEndian(destination, Ssrc);
        BinaryPrimitives.WriteUInt64BigEndian(destination[4..], NtpTimestamp);
        BinaryPrimitives.WriteUInt32BigEndian(destination[12..], RtpTimestamp);
        BinaryPrimitives.WriteUInt32BigEndian(destination[16..], PacketCount);
        BinaryPrimitives.WriteUInt32BigEndian(destination[20..], OctetCount);
    }
}

/// <summary>What a receiver says about one stream (RFC 3550 section 6.4.1).</summary>
/// <param name="Ssrc">The stream reported on.</param>
/// <param name="FractionLost">Since the last report, in 1/256.</param>
/// <param name="CumulativeLost">Since the beginning; negative with duplicates; clamped to 24 bits when written.</param>
/// <param name="HighestSequence">Extended: cycles in the upper 16 bits.</param>
/// <param name="Jitter">In timestamp units.</param>
/// <param name="LastSenderReport"><see cref="SenderReport.CompactNtp"/> of the last SR received, 0 if none.</param>
/// <param name="DelaySinceLastSenderReport">In 1/65536 seconds.</param>
public readonly record struct ReportBlock(
    uint Ssrc, byte FractionLost, int CumulativeLost, uint HighestSequence, uint Jitter, uint LastSenderReport, uint DelaySinceLastSenderReport)
{
    /// <summary>Bytes on the wire.</summary>
    public const int Length = 24;

    public static bool TryParse(ReadOnlySpan<byte> source, out ReportBlock block)
    {
        block = default;
        if (source.Length < Length) return false;
        var loss = BinaryPrimitives.ReadUInt32BigEndian(source[4..]);
        block = new ReportBlock(
            BinaryPrimitives.ReadUInt32BigEndian(source),
            (byte)(loss >> 24),
            (int)(loss << 8) >> 8,
            BinaryPrimitives.ReadUInt32BigEndian(source[8..]),
            BinaryPrimitives.ReadUInt32BigEndian(source[12..]),
            BinaryPrimitives.ReadUInt32BigEndian(source[16..]),
            BinaryPrimitives.ReadUInt32BigEndian(source[20..]));
        return true;
    }

    internal void Write(Span<byte> destination)
    {
        var lost = Math.Clamp(CumulativeLost, -0x80_0000, 0x7F_FFFF);
        BinaryPrimitives.WriteUInt32BigEndian(destination, Ssrc);
        BinaryPrimitives.WriteUInt32BigEndian(destination[4..], (uint)FractionLost << 24 | (uint)lost & 0xFF_FFFF);
        BinaryPrimitives.WriteUInt32BigEndian(destination[8..], HighestSequence);
        BinaryPrimitives.WriteUInt32BigEndian(destination[12..], Jitter);
        BinaryPrimitives.WriteUInt32BigEndian(destination[16..], LastSenderReport);
        BinaryPrimitives.WriteUInt32BigEndian(destination[20..], DelaySinceLastSenderReport);
    }
}
