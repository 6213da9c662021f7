using System.Globalization;
using System.Security.Cryptography;
using Voice.EndToEnd.Harness;
using Voice.Protocol;
using Xunit;

namespace Voice.EndToEnd.Cluster;

/// <summary>Three `voice gateway` processes that share a Redis, each with a data folder of its own, as on three machines.</summary>
public sealed class ThreeGateways : IAsyncLifetime
{
    private readonly TempDirectory data = new();
    private readonly string clusterSecret = RandomNumberGenerator.GetHexString(64, lowercase: true);
    private readonly string tokenKey = RandomNumberGenerator.GetHexString(64, lowercase: true);
    private readonly List<VoiceProcess> nodes = [];
    private RedisServer redis = null!;
    private Accounts accounts = null!;

    /// <summary>Of all nodes.</summary>
    public string CaFile => Path.Combine(Folder("nodes"), "ca.pem");

    /// <summary>host:port.</summary>
    public string Redis => redis.Address;

    public VoiceProcess[] Gateways { get; } = new VoiceProcess[3];

    public async ValueTask InitializeAsync()
    {
        accounts = new(data.Path, tokenKey);
        redis = await RedisServer.Start(data.Path);
        await Task.WhenAll(Enumerable.Range(0, Gateways.Length).Select(number => StartGateway(number)));
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var process in nodes.Concat(Gateways)) await process.DisposeAsync();
        if (redis is not null) await redis.DisposeAsync();
        data.Dispose();
    }

    /// <summary>Starts it on the ports that it had, if it was there before: as on a machine of its own.</summary>
    public async Task StartGateway(int number)
    {
        string[] ports = Gateways[number] is { } before ? ["--port", Text(before.Address.Port), "--link-port", Text(before.LinkPort)] : [];
        string[] options = ["--redis", redis.Address, "--silo-port", "0", "--cluster-secret", clusterSecret, "--token-key", tokenKey, .. ports];
        Gateways[number] = await VoiceProcess.Gateway(Folder($"gateway-{number}"), options);

        static string Text(int port) => port.ToString(CultureInfo.InvariantCulture);
    }

    /// <summary>Starts a node that is linked to all gateways, and waits until it is usable.</summary>
    public async Task<VoiceProcess> StartNode(string id)
    {
        var node = await VoiceProcess.Node(id, Folder("nodes"), [.. Gateways.Select(gateway => gateway.LinkPort)], "--cluster-secret", clusterSecret);
        nodes.Add(node);
        await Poll.Until(async () => (await Nodes()).Any(one => one.Id == id && one.Usable), $"node {id} to be usable", TimeSpan.FromSeconds(30));
        return node;
    }

    public async Task<NodeView[]> Nodes(int gateway = 0)
    {
        using var administrator = Http(gateway, accounts.NewAdministrator());
        return await administrator.Nodes();
    }

    /// <summary>Of its WebSocket.</summary>
    public Uri AddressOf(int gateway) => new UriBuilder(Gateways[gateway].Address) { Scheme = "ws" }.Uri;

    public string Token(Snowflake user) => accounts.Token(user);

    public HttpClient Http(int gateway, string token) => Rest.Open(Gateways[gateway].Address, token);

    /// <summary>A guild with one voice channel and these members.</summary>
    public async Task<(Snowflake Guild, Snowflake Channel)> CreateGuild(int gateway, params Snowflake[] members)
    {
        using var administrator = Http(gateway, accounts.NewAdministrator());
        var guild = await administrator.CreateGuild("Guild");
        foreach (var member in members) await administrator.AddMember(guild, member);
        return (guild, await administrator.CreateVoiceChannel(guild, "Voice"));
    }

    private string Folder(string name) => Directory.CreateDirectory(Path.Combine(data.Path, name)).FullName;
}
