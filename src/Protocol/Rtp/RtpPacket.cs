using System.Buffers.Binary;

namespace Voice.Protocol.Rtp;

/// <summary>A view of one RTP packet (RFC 3550 section 5.1), plain or protected: the header is clear in both.</summary>
public readonly ref struct RtpPacket
{
    private readonly ReadOnlySpan<byte> datagram;
    private readonly int extensionOffset;

    private RtpPacket(ReadOnlySpan<byte> datagram, int extensionOffset, int headerLength)
    {
        this.datagram = datagram;
        this.extensionOffset = extensionOffset;
        HeaderLength = headerLength;
    }

    /// <summary>False if this is not version 2 or the header does not fit. Padding is not looked at: in a protected packet it is ciphertext.</summary>
    public static bool TryParse(ReadOnlySpan<byte> datagram, out RtpPacket packet)
    {
        packet = default;
        if (datagram.Length < RtpHeader.FixedLength || datagram[0] >> 6 != 2) return false;

        var extensionOffset = RtpHeader.FixedLength + (datagram[0] & 0x0F) * 4;
        var headerLength = extensionOffset;
        if ((datagram[0] & 0x10) != 0)
        {
            // RFC 3550 section 5.3.1: profile, then the body's length in words.
            if (datagram.Length < extensionOffset + 4) return false;
            headerLength += 4 + BinaryPrimitives.ReadUInt16BigEndian(datagram[(extensionOffset + 2)..]) * 4;
        }
        if (datagram.Length < headerLength) return false;

        packet = new RtpPacket(datagram, extensionOffset, headerLength);
        return true;
    }

    public bool HasPadding => (datagram[0] & 0x20) != 0;

    public bool HasExtension => (datagram[0] & 0x10) != 0;

    public int CsrcCount => datagram[0] & 0x0F;

    public bool Marker => (datagram[1] & 0x80) != 0;

    /// <summary>0 to 127.</summary>
    public byte PayloadType => (byte)(datagram[1] & 0x7F);

    public ushort SequenceNumber => BinaryPrimitives.ReadUInt16BigEndian(datagram[2..]);

    /// <summary>In units of the payload type's clock.</summary>
    public uint Timestamp => BinaryPrimitives.ReadUInt32BigEndian(datagram[4..]);

    public uint Ssrc => BinaryPrimitives.ReadUInt32BigEndian(datagram[8..]);

    /// <summary>Bytes before the payload: fixed header, CSRCs and the whole extension. SRTP encrypts what follows.</summary>
    public int HeaderLength { get; }

    /// <summary>What kind of extension block <see cref="Extensions"/> is; 0 without one.</summary>
    public ushort ExtensionProfile => HasExtension ? BinaryPrimitives.ReadUInt16BigEndian(datagram[extensionOffset..]) : (ushort)0;

    /// <summary>The extension's body, without its four-byte header; empty without one.</summary>
    public ReadOnlySpan<byte> Extensions => HasExtension ? datagram[(extensionOffset + 4)..HeaderLength] : default;

    public ReadOnlySpan<byte> Header => datagram[..HeaderLength];

    /// <summary>All after the header, padding (and, if protected, the authentication tag) included.</summary>
    public ReadOnlySpan<byte> Payload => datagram[HeaderLength..];

    /// <summary>The payload of a plain packet without its padding.</summary>
    /// <returns>False if the padding count is zero or does not fit (RFC 3550 section 5.1).</returns>
    public bool TryGetUnpadded(out ReadOnlySpan<byte> payload)
    {
        payload = Payload;
        if (!HasPadding) return true;
        if (payload.IsEmpty || payload[^1] == 0 || payload[^1] > payload.Length) return false;
        payload = payload[..^payload[^1]];
        return true;
    }
}
