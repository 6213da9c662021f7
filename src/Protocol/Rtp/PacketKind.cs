namespace Voice.Protocol.Rtp;

/// <summary>What a datagram on a WebRTC port claims to be.</summary>
public enum PacketKind
{
    /// <summary>Nothing we speak (empty, ZRTP, TURN channel data, QUIC, noise).</summary>
    Unknown = 0,
    Stun,
    Dtls,
    Rtp,
    Rtcp,
}

/// <summary>Tells protocols that share one UDP port apart by their first byte.</summary>
public static class FirstByte
{
    // RFC 7983 section 7; RTP from RTCP by the second byte, RFC 5761 section 4.
    public static PacketKind Classify(ReadOnlySpan<byte> datagram)
    {
        if (datagram.IsEmpty) return PacketKind.Unknown;
        return datagram[0] switch
        {
            <= 3 => PacketKind.Stun,
            >= 20 and <= 63 => PacketKind.Dtls,
            >= 128 and <= 191 when datagram.Length >= 2 => datagram[1] is >= 192 and <= 223 ? PacketKind.Rtcp : PacketKind.Rtp,
            _ => PacketKind.Unknown,
        };
    }
}
