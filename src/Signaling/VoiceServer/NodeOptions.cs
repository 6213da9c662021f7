using System.Net;

namespace Voice.Signaling.VoiceServer;

/// <summary>What a voice node is told at start.</summary>
public sealed record NodeOptions
{
    internal const int DefaultChannelPeople = 400;
    internal const int DefaultMaxSessions = 2000;

    /// <summary>A tenth of what one worker can refuse: docs/reliability.md.</summary>
    internal const int DefaultFloodPackets = 50_000;

    public required string DataDirectory { get; init; }

    /// <summary>1 to 64 characters of [a-z0-9-], unique in the cluster and the same at each start.</summary>
    public string NodeId { get; init; } = "node-1";

    public string Region { get; init; } = "local";

    public IPAddress Bind { get; init; } = IPAddress.Loopback;

    /// <summary>TCP port for http, https, ws and wss; 0 takes a free one.</summary>
    public int Port { get; init; } = 8090;

    /// <summary>What the option for <see cref="Port"/> is called where the node was started, for messages.</summary>
    public string PortOption { get; init; } = "port";

    /// <summary>UDP port of the first media worker; the others follow. 0 takes free ones.</summary>
    public int MediaPort { get; init; } = 50000;

    public int Workers { get; init; } = 1;

    /// <summary>People of one channel that one worker serves; who comes then is served by others. A worker has to send them 50 packets a second for
    /// each talker.</summary>
    public int ChannelPeople { get; init; } = DefaultChannelPeople;

    /// <summary>How many talkers of a channel are heard at once, the loudest; 0: all of them.</summary>
    public int Loudest { get; init; }

    /// <summary>TCP port on loopback for <c>/metrics</c>; 0 takes a free one, null serves none.</summary>
    public int? MetricsPort { get; init; }

    /// <summary>Addresses that clients are told for media; null is the bound address.</summary>
    public IPAddress? AnnounceV4 { get; init; }

    public IPAddress? AnnounceV6 { get; init; }

    /// <summary>Name or address in the voice endpoint and in the certificate; null is the bound or announced address.</summary>
    public string? PublicHost { get; init; }

    public string? CertificateFile { get; init; }

    public string? CertificateKeyFile { get; init; }

    /// <summary>Link ports of the gateways, host:port.</summary>
    public string[] Gateways { get; init; } = ["127.0.0.1:8081"];

    public string? ClusterSecret { get; init; }

    /// <summary>Participants that count as full.</summary>
    public int MaxSessions { get; init; } = DefaultMaxSessions;

    /// <summary>Packets of strangers in a second, lasting, at which the node asks to be drained; 0: it never does.</summary>
    public int FloodPackets { get; init; } = DefaultFloodPackets;

    /// <summary>Program and arguments that start a media process; the supervisor appends its own options.</summary>
    public required string[] MediaCommand { get; init; }

    /// <summary>SRTP profiles to offer, best first, by RFC 5764 number: 7 AEAD_AES_128_GCM, 1 AES_CM_128_HMAC_SHA1_80.</summary>
    public ushort[] SrtpProfiles { get; init; } = [7, 1];

    /// <summary>Encryption modes to offer to UDP clients, best first. The xsalsa20_poly1305 ones leave the RTP header unauthenticated, and are
    /// for the oldest voice libraries only.</summary>
    public IReadOnlyList<string> EncryptionModes { get; init; } = Protocol.DiscordUdp.EncryptionModes.Current;

    /// <summary>Without the secret.</summary>
    public override string ToString() => $"{nameof(NodeOptions)} {{ {DataDirectory} }}";
}
