using System.Buffers.Binary;

namespace Voice.Protocol.Stun;

/// <summary>Writes one STUN message, attribute by attribute; the header's length is right after each. MESSAGE-INTEGRITY comes
/// after the attributes it protects, FINGERPRINT last. The destination must be large enough, or
/// <see cref="ArgumentOutOfRangeException"/> is thrown.</summary>
public ref struct StunWriter
{
    private readonly Span<byte> destination;

    /// <param name="transactionId">12 bytes; a response repeats the request's.</param>
    public StunWriter(Span<byte> destination, StunClass @class, StunMethod method, scoped ReadOnlySpan<byte> transactionId)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(transactionId.Length, StunMessage.TransactionIdLength, nameof(transactionId));
        this.destination = destination;
        Length = StunMessage.HeaderLength;
        // RFC 8489 section 5, figure 3
        var type = (int)method << 2 & 0x3E00 | (int)method << 1 & 0xE0 | (int)method & 0x0F | ((int)@class & 2) << 7 | ((int)@class & 1) << 4;
        BinaryPrimitives.WriteUInt16BigEndian(destination, (ushort)type);
        BinaryPrimitives.WriteUInt16BigEndian(destination[2..], 0);
        BinaryPrimitives.WriteUInt32BigEndian(destination[4..], StunMessage.MagicCookie);
        transactionId.CopyTo(destination[8..]);
    }

    /// <summary>Bytes written so far: always a whole message.</summary>
    public int Length { get; private set; }

    public void Add(StunAttribute type, scoped ReadOnlySpan<byte> value)
    {
        value.CopyTo(Begin(type, value.Length));
    }

    public void AddUsername(scoped ReadOnlySpan<byte> username) => Add(StunAttribute.Username, username);

    public void AddPriority(uint priority) => BinaryPrimitives.WriteUInt32BigEndian(Begin(StunAttribute.Priority, 4), priority);

    public void AddUseCandidate() => Begin(StunAttribute.UseCandidate, 0);

    public void AddIceControlling(ulong tieBreaker) => BinaryPrimitives.WriteUInt64BigEndian(Begin(StunAttribute.IceControlling, 8), tieBreaker);

    public void AddIceControlled(ulong tieBreaker) => BinaryPrimitives.WriteUInt64BigEndian(Begin(StunAttribute.IceControlled, 8), tieBreaker);

    /// <summary>Where a request came from (RFC 8489 section 14.2).</summary>
    /// <param name="address">4 bytes (IPv4) or 16 (IPv6; one that maps an IPv4 address is written as IPv4).</param>
    public void AddXorMappedAddress(scoped ReadOnlySpan<byte> address, ushort port)
    {
        if (address.Length == 16 && address.StartsWith(MappedPrefix)) address = address[12..];
        ArgumentOutOfRangeException.ThrowIfNotEqual(address.Length is 4 or 16, true, nameof(address));

        var value = Begin(StunAttribute.XorMappedAddress, 4 + address.Length);
        value[0] = 0;
        value[1] = (byte)(address.Length == 4 ? 1 : 2);
        BinaryPrimitives.WriteUInt16BigEndian(value[2..], (ushort)(port ^ StunMessage.MagicCookie >> 16));
        // The mask is the cookie, then the transaction id: as they stand in the header.
        for (var i = 0; i < address.Length; i++) value[4 + i] = (byte)(address[i] ^ destination[4 + i]);
    }

    /// <summary>RFC 8489 section 14.8, with an empty reason phrase: nobody reads it.</summary>
    public void AddErrorCode(StunError error)
    {
        BinaryPrimitives.WriteUInt32BigEndian(Begin(StunAttribute.ErrorCode, 4), (uint)error / 100 << 8 | (uint)error % 100);
    }

    /// <summary>RFC 8489 section 14.9: what made us answer <see cref="StunError.UnknownAttribute"/>.</summary>
    public void AddUnknownAttributes(scoped ReadOnlySpan<ushort> types)
    {
        var value = Begin(StunAttribute.UnknownAttributes, types.Length * 2);
        for (var i = 0; i < types.Length; i++) BinaryPrimitives.WriteUInt16BigEndian(value[(i * 2)..], types[i]);
    }

    /// <summary>Protects all before it (RFC 8489 section 14.5).</summary>
    /// <param name="key">The short-term password.</param>
    public void AddMessageIntegrity(scoped ReadOnlySpan<byte> key)
    {
        var prefix = destination[..Length];
        var value = Begin(StunAttribute.MessageIntegrity, StunMessage.IntegrityLength);
        StunMessage.ComputeIntegrity(prefix, key, value);
    }

    /// <summary>RFC 8489 section 14.7.</summary>
    public void AddFingerprint()
    {
        var prefix = destination[..Length];
        var value = Begin(StunAttribute.Fingerprint, 4); // first, for its CRC covers the final length
        BinaryPrimitives.WriteUInt32BigEndian(value, Crc32.Compute(prefix) ^ StunMessage.FingerprintMask);
    }

    private static ReadOnlySpan<byte> MappedPrefix => [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF];

    private Span<byte> Begin(StunAttribute type, int length)
    {
        var padded = (length + 3) & ~3;
        var attribute = destination.Slice(Length, 4 + padded);
        BinaryPrimitives.WriteUInt16BigEndian(attribute, (ushort)type);
        BinaryPrimitives.WriteUInt16BigEndian(attribute[2..], (ushort)length);
        attribute[(4 + length)..].Clear();
        Length += attribute.Length;
        BinaryPrimitives.WriteUInt16BigEndian(destination[2..], (ushort)(Length - StunMessage.HeaderLength));
        return attribute.Slice(4, length);
    }
}
