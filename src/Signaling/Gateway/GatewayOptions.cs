using System.Net;

namespace Voice.Signaling.Gateway;

/// <summary>What a gateway process is told at start.</summary>
public sealed record GatewayOptions
{
    public required string DataDirectory { get; init; }

    public IPAddress Bind { get; init; } = IPAddress.Loopback;

    /// <summary>TCP port for http, https, ws and wss; 0 takes a free one.</summary>
    public int Port { get; init; } = 8080;

    /// <summary>TCP port that voice nodes dial; 0 takes a free one.</summary>
    public int LinkPort { get; init; } = 8081;

    /// <summary>Address that voice nodes dial; null is <see cref="Bind"/>. Loopback where the only node is in this process.</summary>
    public IPAddress? LinkBind { get; init; }

    /// <summary>Name or address that clients use; null is the bound address.</summary>
    public string? PublicHost { get; init; }

    /// <summary>PEM files of a real certificate; null uses the private one made on first start.</summary>
    public string? CertificateFile { get; init; }

    public string? CertificateKeyFile { get; init; }

    /// <summary>What nodes and gateways prove to each other; null is the one kept in the data folder.</summary>
    public string? ClusterSecret { get; init; }

    /// <summary>What account tokens are signed with, 64 hexadecimal digits; null is the key kept in the data folder.</summary>
    public string? TokenKey { get; init; }

    /// <summary>The gateways that share guilds with this one; null: it is alone, with guilds in its data folder.</summary>
    public GatewayCluster? Cluster { get; init; }

    /// <summary>Regions, each followed by those that take its guilds when it has no node, nearest first.</summary>
    public IReadOnlyList<string[]> Neighbours { get; init; } = [];

    /// <summary>Guests may log in by name alone; null: only while bound to loopback.</summary>
    public bool? GuestLogin { get; init; }

    /// <summary>What <see cref="GuestLogin"/> comes to.</summary>
    public bool LetsGuestsIn => GuestLogin ?? IPAddress.IsLoopback(Bind);

    /// <summary>Without the secret.</summary>
    public override string ToString() => $"{nameof(GatewayOptions)} {{ {DataDirectory}, {Bind}:{Port} }}";
}

/// <summary>Where a gateway meets the others of its cluster.</summary>
public sealed record GatewayCluster
{
    /// <summary>Redis, which keeps guilds and who is in the cluster: HOST:PORT[,HOST:PORT], and after further commas options of
    /// StackExchange.Redis, such as password=... and ssl=true.</summary>
    public required string Redis { get; init; }

    /// <summary>Tells apart clusters that share a Redis.</summary>
    public string Id { get; init; } = "voice";

    /// <summary>Address or name at which the other gateways reach this one; it is listened on.</summary>
    public string Host { get; init; } = "127.0.0.1";

    /// <summary>TCP port at <see cref="Host"/>; 0 takes a free one. Whoever reaches it is trusted like a gateway.</summary>
    public int Port { get; init; } = 8082;

    /// <summary>Without a password.</summary>
    public override string ToString() => $"{nameof(GatewayCluster)} {{ {Id}, {Host}:{Port} }}";
}
