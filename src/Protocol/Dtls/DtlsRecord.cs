using System.Buffers.Binary;

namespace Voice.Protocol.Dtls;

/// <summary>A record of a DTLS 1.2 datagram (RFC 6347 section 4.1).</summary>
public readonly ref struct DtlsRecord
{
    public const byte Alert = 21;
    public const byte Handshake = 22;

    internal const int HeaderLength = 13;

    private readonly ReadOnlySpan<byte> bytes;

    private DtlsRecord(ReadOnlySpan<byte> bytes) => this.bytes = bytes;

    public byte ContentType => bytes[0];

    public ushort Epoch => BinaryPrimitives.ReadUInt16BigEndian(bytes[3..]);

    /// <summary>Epoch and sequence number in one, of which no two records have the same.</summary>
    internal ulong Number => BinaryPrimitives.ReadUInt64BigEndian(bytes[3..]);

    internal ReadOnlySpan<byte> TypeAndVersion => bytes[..3];

    internal ReadOnlySpan<byte> Fragment => bytes[HeaderLength..];

    /// <summary>Takes the next record off a datagram; false if there is no whole one.</summary>
    public static bool TryTake(ref ReadOnlySpan<byte> datagram, out DtlsRecord record)
    {
        record = default;
        if (datagram.Length < HeaderLength) return false;
        var length = HeaderLength + BinaryPrimitives.ReadUInt16BigEndian(datagram[11..]);
        if (datagram.Length < length) return false;
        record = new(datagram[..length]);
        datagram = datagram[length..];
        return true;
    }
}
