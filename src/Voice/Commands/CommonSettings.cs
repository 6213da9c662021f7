using System.CommandLine;
using System.Net;
using Voice.Protocol.DiscordUdp;
using Voice.Signaling.Gateway;
using Voice.Signaling.VoiceServer;

namespace Voice.Commands;

/// <summary>What gateway and node are both told.</summary>
internal sealed class CommonSettings(Settings settings)
{
    public Option<string> Data { get; } = settings.Text("data", "folder for keys, certificates and guilds", "data");

    public Option<IPAddress> Bind { get; } = settings.Address("bind", "address to listen on; 0.0.0.0 or [::] for every one", IPAddress.Loopback);

    public Option<string?> PublicHost { get; } = settings.OptionalText("public-host", "name or address that clients use, in links and certificates");

    public Option<string?> Certificate { get; } = settings.OptionalText("certificate", "PEM file of a real certificate, instead of the private one");

    public Option<string?> CertificateKey { get; } = settings.OptionalText("certificate-key", "PEM file of its key");

    public Option<string?> ClusterSecret { get; } = settings.OptionalText("cluster-secret", "what gateways and nodes prove to each other, instead of the one in the data folder");
}

/// <summary>What a gateway is told beyond <see cref="CommonSettings"/>.</summary>
internal sealed class GatewaySettings(Settings settings, int linkPort)
{
    private static readonly GatewayCluster Defaults = new() { Redis = "" };

    private readonly Option<int> port = settings.Port("port", "TCP port for page, REST and main gateway; 0 takes a free one", 8080);
    private readonly Option<int> link = settings.Port("link-port", "TCP port that voice nodes dial; 0 takes a free one", linkPort);
    private readonly Option<bool?> guests = settings.Switch("guests", "guests may log in by name alone [only while bound to loopback]");

    private readonly Option<string?> tokenKey = settings.OptionalText("token-key", "what account tokens are signed with, 64 hexadecimal digits, instead of the key in the data folder");
    private readonly Option<string?> redis = settings.OptionalText("redis", "share guilds with the other gateways of a cluster over this Redis: host:port[,host:port][,password=...]");
    private readonly Option<string> clusterId = settings.Text("cluster-id", "name of the cluster, where several share a Redis", Defaults.Id);
    private readonly Option<string> siloHost = settings.Text("silo-host", "address at which the other gateways reach this one; keep it private", Defaults.Host);
    private readonly Option<string[]> neighbours = settings.List(
        "neighbours", "regions, each followed by those that take its guilds when it has no node, nearest first: eu:us:asia,us:eu", []);

    private readonly Option<int> siloPort = settings.Port("silo-port", "TCP port there; 0 takes a free one", Defaults.Port);

    public GatewayOptions Read(ParseResult parsed, CommonSettings common) => new()
    {
        DataDirectory = parsed.GetRequiredValue(common.Data),
        Bind = parsed.GetRequiredValue(common.Bind),
        PublicHost = parsed.GetValue(common.PublicHost),
        CertificateFile = parsed.GetValue(common.Certificate),
        CertificateKeyFile = parsed.GetValue(common.CertificateKey),
        ClusterSecret = parsed.GetValue(common.ClusterSecret),
        Port = parsed.GetValue(port),
        LinkPort = parsed.GetValue(link),
        GuestLogin = parsed.GetValue(guests),
        TokenKey = parsed.GetValue(tokenKey),
        Neighbours = [.. parsed.GetRequiredValue(neighbours).Select(region => region.Split(':')).Select(regions => regions.Length > 1 && !regions.Contains("")
            ? regions
            : throw new SettingException($"--neighbours has '{string.Join(':', regions)}', and wants REGION:NEXT[:NEXT]"))],
        Cluster = parsed.GetValue(redis) is not { } shared ? null : new GatewayCluster
        {
            Redis = shared,
            Id = parsed.GetRequiredValue(clusterId),
            Host = parsed.GetRequiredValue(siloHost),
            Port = parsed.GetValue(siloPort),
        },
    };
}

/// <summary>What a voice node is told beyond <see cref="CommonSettings"/>.</summary>
internal sealed class NodeSettings(Settings settings, string portName)
{
    private readonly Option<string> id = settings.Text("id", "name of the node: a-z, 0-9 and -, unique in the cluster", "node-1");
    private readonly Option<string> region = settings.Text("region", "region of the node", "local");
    private readonly Option<int> port = settings.Port(portName, "TCP port for the voice WebSocket; 0 takes a free one", 8090);
    private readonly Option<int> mediaPort = settings.Port("media-port", "UDP port of the first media worker, the others follow; 0 takes free ones", 50000);
    private readonly Option<int> workers = settings.Number("workers", "media workers, each a thread with a UDP port of its own", 1, 1, 64);
    private readonly Option<int> channelPeople = settings.Number("channel-people", "people of one channel that one media worker serves; the others serve who comes then", 400, 1, 1_000_000);
    private readonly Option<int> loudest = settings.Number("loudest", "talkers of a channel that are heard at once, the loudest; 0 for all", 0, 0, 1000);
    private readonly Option<IPAddress[]> announce = settings.Addresses("announce", "media addresses that clients are told: IPv4[,IPv6] [the bound address]");
    private readonly Option<int> metrics = settings.Number("metrics-port", "TCP port on loopback that serves /metrics for Prometheus; 0 serves none", 0, 0, IPEndPoint.MaxPort);
    private readonly Option<int> maxSessions = settings.Number("max-sessions", "participants that count as full", 2000, 1, 1_000_000);
    private readonly Option<bool?> faults = settings.Switch("faults", "signals make the media process do wrong, for drills: never where people talk");
    private readonly Option<int> floodPackets = settings.Number("flood-packets", "packets of strangers a second at which the node asks to be drained until they end; 0 for never", 50_000, 0, int.MaxValue);
    private readonly Option<string[]> profiles = settings.List("srtp-profiles", "SRTP protection profiles to offer, best first", ["aead_aes_128_gcm", "aes_cm_128_hmac_sha1_80"]);

    private readonly Option<string[]> modes = settings.List(
        "encryption-modes", "encryption modes to offer to UDP clients, best first; the oldest libraries know only the xsalsa20_poly1305 ones", [.. EncryptionModes.Current]);

    public NodeOptions Read(ParseResult parsed, CommonSettings common, string[] gateways)
    {
        var announced = parsed.GetValue(announce) ?? [];
        if (parsed.GetValue(mediaPort) + parsed.GetValue(workers) - 1 > IPEndPoint.MaxPort)
            throw new SettingException("--media-port leaves no room for as many --workers: their ports end at 65535");
        return new()
        {
            DataDirectory = parsed.GetRequiredValue(common.Data),
            Bind = parsed.GetRequiredValue(common.Bind),
            PublicHost = parsed.GetValue(common.PublicHost),
            CertificateFile = parsed.GetValue(common.Certificate),
            CertificateKeyFile = parsed.GetValue(common.CertificateKey),
            ClusterSecret = parsed.GetValue(common.ClusterSecret),
            NodeId = parsed.GetRequiredValue(id),
            Region = parsed.GetRequiredValue(region),
            Port = parsed.GetValue(port),
            PortOption = portName,
            MediaPort = parsed.GetValue(mediaPort),
            Workers = parsed.GetValue(workers),
            ChannelPeople = parsed.GetValue(channelPeople),
            Loudest = parsed.GetValue(loudest),
            MetricsPort = parsed.GetValue(metrics) is > 0 and var scraped ? scraped : null,
            AnnounceV4 = Single(announced, System.Net.Sockets.AddressFamily.InterNetwork),
            AnnounceV6 = Single(announced, System.Net.Sockets.AddressFamily.InterNetworkV6),
            MaxSessions = parsed.GetValue(maxSessions),
            FloodPackets = parsed.GetValue(floodPackets),
            SrtpProfiles = [.. parsed.GetRequiredValue(profiles).Select(Profile)],
            EncryptionModes = [.. parsed.GetRequiredValue(modes).Select(Mode)],
            Gateways = gateways,
            MediaCommand = parsed.GetValue(faults) == true ? [.. MediaCommand.CommandLine, "--faults"] : MediaCommand.CommandLine,
        };
    }

    private static IPAddress? Single(IPAddress[] announced, System.Net.Sockets.AddressFamily family) =>
        announced.Count(a => a.AddressFamily == family) > 1
            ? throw new SettingException("--announce takes one IPv4 and one IPv6 address at most")
            : announced.FirstOrDefault(a => a.AddressFamily == family);

    private static ushort Profile(string name) => name switch
    {
        "aead_aes_128_gcm" => 7,
        "aes_cm_128_hmac_sha1_80" => 1,
        _ => throw new SettingException($"--srtp-profiles names '{name}', and knows aead_aes_128_gcm and aes_cm_128_hmac_sha1_80"),
    };

    private static string Mode(string name) => EncryptionModes.WithLegacy.Contains(name)
        ? name
        : throw new SettingException($"--encryption-modes names '{name}', and knows {string.Join(", ", EncryptionModes.WithLegacy)}");
}
