using System.Buffers.Binary;
using System.Security.Cryptography;

namespace Voice.Protocol.Stun;

/// <summary>A view of one STUN message (RFC 8489). Parsing checks the whole layout; authenticity is the caller's to ask for.</summary>
public readonly ref struct StunMessage
{
    public const int HeaderLength = 20;
    public const uint MagicCookie = 0x2112A442;
    public const int TransactionIdLength = 12;

    /// <summary>Longer messages are refused: an ICE check fits the smallest path (RFC 8489 section 6.1).</summary>
    public const int MaxLength = 1500;

    internal const int IntegrityLength = 20;
    internal const uint FingerprintMask = 0x5354554E;

    private readonly ReadOnlySpan<byte> datagram;

    private StunMessage(ReadOnlySpan<byte> datagram) => this.datagram = datagram;

    /// <summary>False if the header is not STUN's, the length is not the datagram's, or an attribute does not fit.</summary>
    public static bool TryParse(ReadOnlySpan<byte> datagram, out StunMessage message)
    {
        message = default;
        // RFC 8489 section 5: two zero bits, a length in words, the cookie.
        if (datagram.Length is < HeaderLength or > MaxLength || datagram[0] > 0x3F) return false;
        if (BinaryPrimitives.ReadUInt16BigEndian(datagram[2..]) != datagram.Length - HeaderLength || datagram.Length % 4 != 0) return false;
        if (BinaryPrimitives.ReadUInt32BigEndian(datagram[4..]) != MagicCookie) return false;

        var attributes = new StunAttributes(datagram);
        while (attributes.MoveNext()) { }
        if (attributes.Malformed) return false;

        message = new StunMessage(datagram);
        return true;
    }

    // Section 5, figure 3: the class's two bits stand among the method's.
    public StunClass Class => (StunClass)(datagram[0] << 1 & 0b10 | datagram[1] >> 4 & 0b01);

    public StunMethod Method => (StunMethod)((datagram[0] & 0x3E) << 6 | (datagram[1] & 0xE0) >> 1 | datagram[1] & 0x0F);

    /// <summary>12 bytes.</summary>
    public ReadOnlySpan<byte> TransactionId => datagram.Slice(8, TransactionIdLength);

    /// <summary>Every attribute in wire order, those that no integrity covers included.</summary>
    public StunAttributes Attributes => new(datagram);

    /// <summary>The first attribute of a type. One that follows MESSAGE-INTEGRITY is unprotected and does not count,
    /// but for FINGERPRINT (RFC 8489 section 14.5).</summary>
    public bool TryGet(StunAttribute type, out ReadOnlySpan<byte> value)
    {
        foreach (var attribute in Attributes)
        {
            if (attribute.Type == type)
            {
                value = attribute.Value;
                return true;
            }
            if (attribute.Type == StunAttribute.MessageIntegrity && type != StunAttribute.Fingerprint) break;
        }
        value = default;
        return false;
    }

    /// <summary>UTF-8, as sent.</summary>
    public bool TryGetUsername(out ReadOnlySpan<byte> username) => TryGet(StunAttribute.Username, out username);

    /// <summary>RFC 8445 section 7.1.1.</summary>
    public bool TryGetPriority(out uint priority)
    {
        priority = 0;
        return TryGet(StunAttribute.Priority, out var value) && value.Length == 4 && BinaryPrimitives.TryReadUInt32BigEndian(value, out priority);
    }

    /// <summary>The controlling agent nominates this pair (RFC 8445 section 7.1.2).</summary>
    public bool UseCandidate => TryGet(StunAttribute.UseCandidate, out _);

    /// <summary>RFC 8445 section 7.1.3.</summary>
    public bool TryGetIceControlling(out ulong tieBreaker) => TryGetTieBreaker(StunAttribute.IceControlling, out tieBreaker);

    public bool TryGetIceControlled(out ulong tieBreaker) => TryGetTieBreaker(StunAttribute.IceControlled, out tieBreaker);

    /// <summary>300 to 699 (RFC 8489 section 14.8).</summary>
    public bool TryGetErrorCode(out int code)
    {
        code = 0;
        if (!TryGet(StunAttribute.ErrorCode, out var value) || value.Length < 4) return false;
        code = (value[2] & 0x07) * 100 + value[3];
        return true;
    }

    /// <summary>RFC 8489 section 14.2.</summary>
    /// <param name="address">At least 16 bytes; gets 4 (IPv4) or 16 (IPv6).</param>
    public bool TryGetXorMappedAddress(Span<byte> address, out int addressLength, out ushort port)
    {
        (addressLength, port) = (0, 0);
        if (!TryGet(StunAttribute.XorMappedAddress, out var value) || value.Length < 4) return false;
        addressLength = value[1] switch { 1 => 4, 2 => 16, _ => 0 };
        if (addressLength == 0 || value.Length != 4 + addressLength) return false;

        port = (ushort)(BinaryPrimitives.ReadUInt16BigEndian(value[2..]) ^ MagicCookie >> 16);
        // The mask is the cookie, then the transaction id: as they stand in the header.
        for (var i = 0; i < addressLength; i++) address[i] = (byte)(value[4 + i] ^ datagram[4 + i]);
        return true;
    }

    /// <summary>Whether MESSAGE-INTEGRITY is there and right (RFC 8489 section 14.5).</summary>
    /// <param name="key">The short-term password: UTF-8 (section 9.1.1).</param>
    public bool VerifyIntegrity(ReadOnlySpan<byte> key)
    {
        foreach (var attribute in Attributes)
        {
            if (attribute.Type != StunAttribute.MessageIntegrity) continue;
            if (attribute.Value.Length != IntegrityLength) return false;
            Span<byte> expected = stackalloc byte[IntegrityLength];
            ComputeIntegrity(datagram[..attribute.Offset], key, expected);
            return CryptographicOperations.FixedTimeEquals(expected, attribute.Value);
        }
        return false;
    }

    /// <summary>Whether FINGERPRINT is there, last, and right (RFC 8489 section 14.7).</summary>
    public bool VerifyFingerprint()
    {
        foreach (var attribute in Attributes)
        {
            if (attribute.Type != StunAttribute.Fingerprint) continue;
            return attribute.Value.Length == 4 && attribute.Offset + 8 == datagram.Length
                && BinaryPrimitives.ReadUInt32BigEndian(attribute.Value) == (Crc32.Compute(datagram[..attribute.Offset]) ^ FingerprintMask);
        }
        return false;
    }

    /// <summary>Collects the attribute types that we do not know and may not ignore (RFC 8489 section 6.3), for a 420 response.</summary>
    /// <returns>How many were written: as many as there are, or as fit.</returns>
    public int CopyUnknownRequired(Span<ushort> types)
    {
        var count = 0;
        foreach (var attribute in Attributes)
        {
            if (count == types.Length) break;
            if ((ushort)attribute.Type < 0x8000 && !IsKnown(attribute.Type)) types[count++] = (ushort)attribute.Type;
            if (attribute.Type == StunAttribute.MessageIntegrity) break;
        }
        return count;
    }

    /// <param name="prefix">The message up to the attribute, at most <see cref="MaxLength"/> bytes.</param>
    internal static void ComputeIntegrity(ReadOnlySpan<byte> prefix, ReadOnlySpan<byte> key, Span<byte> hash)
    {
        // Section 14.5: the length counts up to the end of this attribute and no further.
        Span<byte> copy = stackalloc byte[MaxLength];
        prefix.CopyTo(copy);
        BinaryPrimitives.WriteUInt16BigEndian(copy[2..], (ushort)(prefix.Length - HeaderLength + 4 + IntegrityLength));
#pragma warning disable CA5350 // The RFC's choice; HMAC does not need SHA-1's broken collision resistance.
        HMACSHA1.HashData(key, copy[..prefix.Length], hash);
#pragma warning restore CA5350
    }

    private bool TryGetTieBreaker(StunAttribute type, out ulong tieBreaker)
    {
        tieBreaker = 0;
        return TryGet(type, out var value) && value.Length == 8 && BinaryPrimitives.TryReadUInt64BigEndian(value, out tieBreaker);
    }

    private static bool IsKnown(StunAttribute type) => type is StunAttribute.MappedAddress or StunAttribute.Username or StunAttribute.MessageIntegrity
        or StunAttribute.ErrorCode or StunAttribute.UnknownAttributes or StunAttribute.XorMappedAddress or StunAttribute.Priority
        or StunAttribute.UseCandidate;
}
