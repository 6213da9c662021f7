using Voice.Protocol.DiscordUdp;

namespace Voice.Protocol.Rtp;

/// <summary>What a datagram on a media port claims to be.</summary>
public enum PacketKind
{
    /// <summary>Nothing we speak (empty, ZRTP, TURN channel data, QUIC, noise).</summary>
    Unknown = 0,

    /// <summary>Discord's UDP protocol, see <see cref="DiscordUdp.IpDiscovery"/>.</summary>
    IpDiscovery,

    /// <summary>Discord's UDP protocol, see <see cref="NativePing"/>.</summary>
    Ping,

    /// <summary>Discord's UDP protocol, see <see cref="DiscordUdp.Keepalive"/>.</summary>
    Keepalive,
    Stun,
    Dtls,
    Rtp,
    Rtcp,
}

/// <summary>Tells the protocols that share one UDP port apart.</summary>
public static class Demux
{
    public static PacketKind Classify(ReadOnlySpan<byte> datagram)
    {
        // udp-media.md section 1, in its order: discovery begins like a STUN request, but a STUN length is a multiple of 4.
        if (IpDiscovery.IsRequest(datagram)) return PacketKind.IpDiscovery;
        if (Keepalive.Is(datagram)) return NativePing.IsRequest(datagram) ? PacketKind.Ping : PacketKind.Keepalive;

        // RFC 7983 section 7; RTP from RTCP by the second byte, RFC 5761 section 4.
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
