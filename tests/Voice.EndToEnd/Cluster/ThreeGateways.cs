using System.Globalization;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Security.Cryptography;
using System.Text.Json;
using System.Text.RegularExpressions;
using Voice.EndToEnd.Harness;
using Voice.Protocol;
using Voice.Protocol.Gateway;
using Voice.Signaling.Gateway;
using Xunit;

namespace Voice.EndToEnd.Cluster;

/// <summary>Three `voice gateway` processes that share a Redis, each with a data folder of its own, as on three machines.</summary>
public sealed partial class ThreeGateways : IAsyncLifetime
{
    private readonly TempDirectory data = new();
    private readonly string clusterSecret = RandomNumberGenerator.GetHexString(64, lowercase: true);
    private readonly string tokenKey = RandomNumberGenerator.GetHexString(64, lowercase: true);
    private readonly List<VoiceProcess> nodes = [];
    private RedisServer redis = null!;
    private AccountTokens tokens = null!;
    private uint users;

    /// <summary>Of all nodes.</summary>
    public string CaFile => Path.Combine(Folder("nodes"), "ca.pem");

    /// <summary>host:port.</summary>
    public string Redis => redis.Address;

    public VoiceProcess[] Gateways { get; } = new VoiceProcess[3];

    public async ValueTask InitializeAsync()
    {
        tokens = AccountTokens.Open(data.Path, tokenKey);
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
        string[] ports = Gateways[number] is { } before ? ["--port", Text(before.Address.Port), "--link-port", Text(LinkPortOf(before))] : [];
        string[] options = ["--redis", redis.Address, "--silo-port", "0", "--cluster-secret", clusterSecret, "--token-key", tokenKey, .. ports];
        Gateways[number] = await VoiceProcess.Gateway(Folder($"gateway-{number}"), options);

        static string Text(int port) => port.ToString(CultureInfo.InvariantCulture);
    }

    /// <summary>Starts a node that is linked to all gateways, and waits until it is usable.</summary>
    public async Task<VoiceProcess> StartNode(string id)
    {
        var node = await VoiceProcess.Node(id, Folder("nodes"), [.. Gateways.Select(LinkPortOf)], "--cluster-secret", clusterSecret);
        nodes.Add(node);
        await Poll.Until(async () => (await Nodes()).Any(one => one.Id == id && one.Usable), $"node {id} to be usable", TimeSpan.FromSeconds(30));
        return node;
    }

    public async Task<NodeView[]> Nodes(int gateway = 0)
    {
        using var http = Http(gateway, Token(NewUser(), administrator: true));
        var json = await http.GetFromJsonAsync<JsonElement>("allocator/v1/nodes");
        return [.. json.EnumerateArray().Select(n => new NodeView(
            n.GetProperty("node_id").GetString()!, n.GetProperty("usable").GetBoolean(), n.GetProperty("endpoint").GetString()!, n.GetProperty("state").GetString()!))];
    }

    /// <summary>Of its WebSocket.</summary>
    public Uri AddressOf(int gateway) => new UriBuilder(Gateways[gateway].Address) { Scheme = "ws" }.Uri;

    public Snowflake NewUser() => Snowflake.At(DateTimeOffset.UtcNow, Interlocked.Increment(ref users));

    public string Token(Snowflake user, bool administrator = false) => tokens.Mint(user, TimeSpan.FromHours(1), administrator);

    public HttpClient Http(int gateway, string token)
    {
        var http = new HttpClient { BaseAddress = Gateways[gateway].Address };
        http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", token);
        return http;
    }

    /// <summary>A guild with one voice channel and these members.</summary>
    public async Task<(Snowflake Guild, Snowflake Channel)> CreateGuild(int gateway, params Snowflake[] members)
    {
        using var http = Http(gateway, Token(NewUser(), administrator: true));
        var guild = await Post<Guild>(http, "api/v10/guilds", new { name = "Guild" });
        var channel = await Post<Channel>(http, $"api/v10/guilds/{guild.Id}/channels", new { name = "Voice", type = 2 });
        foreach (var member in members)
            (await http.PutAsJsonAsync($"api/v10/guilds/{guild.Id}/members/{member}", new { })).EnsureSuccessStatusCode();
        return (guild.Id, channel.Id);
    }

    private string Folder(string name) => Directory.CreateDirectory(Path.Combine(data.Path, name)).FullName;

    private static int LinkPortOf(VoiceProcess gateway) => int.Parse(DialledPort().Match(gateway.Log).Groups[1].Value, CultureInfo.InvariantCulture);

    private static async Task<T> Post<T>(HttpClient http, string path, object body)
    {
        var response = await http.PostAsJsonAsync(path, body);
        Assert.True(response.IsSuccessStatusCode, $"{path}: {response.StatusCode} {await response.Content.ReadAsStringAsync()}");
        return (T)JsonSerializer.Deserialize(await response.Content.ReadAsStringAsync(), typeof(T), GatewayJson.Default)!;
    }

    [GeneratedRegex("Voice nodes dial port ([0-9]+)")]
    private static partial Regex DialledPort();
}
