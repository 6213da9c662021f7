using System.Globalization;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using System.Text.RegularExpressions;
using Voice.Client;
using Voice.EndToEnd.Harness;
using Voice.Protocol;
using Voice.Protocol.Gateway;
using Voice.Signaling.Gateway;
using Xunit;

namespace Voice.EndToEnd.Cluster;

/// <summary>`voice gateway` as a process, nodes beside it as processes, and what a test needs to act on them.</summary>
public sealed partial class ClusterFixture : IAsyncLifetime
{
    private readonly TempDirectory data = new();
    private readonly List<VoiceProcess> nodes = [];
    private AccountTokens tokens = null!;
    private uint users;

    public VoiceProcess Gateway { get; private set; } = null!;

    public HttpClient Administrator { get; private set; } = null!;

    public string AdministratorToken { get; private set; } = null!;

    public int LinkPort { get; private set; }

    /// <summary>Of the nodes, which have one data folder: so their certificates are of one authority.</summary>
    public RemoteCertificateValidationCallback Trust => PrivateCa.Trust([X509CertificateLoader.LoadCertificateFromFile(Path.Combine(data.Path, "ca.pem"))]);

    public async ValueTask InitializeAsync()
    {
        Gateway = await VoiceProcess.Gateway(data.Path);
        LinkPort = int.Parse(DialledPort().Match(Gateway.Log).Groups[1].Value, CultureInfo.InvariantCulture);
        tokens = AccountTokens.Open(data.Path);
        AdministratorToken = Token(NewUser(), administrator: true);
        Administrator = Http(AdministratorToken);
    }

    public async ValueTask DisposeAsync()
    {
        Administrator?.Dispose();
        foreach (var node in nodes) await node.DisposeAsync();
        if (Gateway is not null) await Gateway.DisposeAsync();
        data.Dispose();
    }

    /// <summary>Starts a node and waits until the allocator counts it as usable.</summary>
    public async Task<VoiceProcess> StartNode(string id, params string[] options)
    {
        var node = await VoiceProcess.Node(id, data.Path, LinkPort, options);
        nodes.Add(node);
        await Poll.Until(async () => (await Nodes()).Any(n => n.Id == id && n.Usable), $"node {id} to be usable", TimeSpan.FromSeconds(30));
        return node;
    }

    /// <summary>Ends a node's process; its media process ends with it.</summary>
    public async Task StopNode(VoiceProcess node)
    {
        nodes.Remove(node);
        await node.DisposeAsync();
    }

    public async Task<NodeView[]> Nodes()
    {
        var json = await Administrator.GetFromJsonAsync<JsonElement>("allocator/v1/nodes");
        return [.. json.EnumerateArray().Select(n => new NodeView(
            n.GetProperty("node_id").GetString()!, n.GetProperty("usable").GetBoolean(), n.GetProperty("endpoint").GetString()!, n.GetProperty("state").GetString()!))];
    }

    public Snowflake NewUser() => Snowflake.At(DateTimeOffset.UtcNow, Interlocked.Increment(ref users));

    public string Token(Snowflake user, bool administrator = false) => tokens.Mint(user, TimeSpan.FromHours(1), administrator);

    public HttpClient Http(string token)
    {
        var http = new HttpClient { BaseAddress = Gateway.Address };
        http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", token);
        return http;
    }

    /// <summary>A client that asks only for guilds (intent 1): it sees its own voice state, not a thousand others'.</summary>
    public Task<GatewayClient> Connect(Snowflake user) =>
        GatewayClient.ConnectAsync(new UriBuilder(Gateway.Address) { Scheme = "ws" }.Uri, Token(user), new GatewayClientOptions { Intents = 1 });

    /// <summary>A guild made over REST, with one voice channel.</summary>
    public async Task<(Snowflake Guild, Snowflake Channel)> CreateGuild(HttpClient owner, string name)
    {
        var guild = await Post<Guild>(owner, "api/v10/guilds", new { name });
        var channel = await Post<Channel>(owner, $"api/v10/guilds/{guild.Id}/channels", new { name = "Voice", type = 2 });
        return (guild.Id, channel.Id);
    }

    public async Task AddMember(Snowflake guild, Snowflake user) =>
        (await Administrator.PutAsJsonAsync($"api/v10/guilds/{guild}/members/{user}", new { })).EnsureSuccessStatusCode();

    private static async Task<T> Post<T>(HttpClient http, string path, object body)
    {
        var response = await http.PostAsJsonAsync(path, body);
        Assert.True(response.IsSuccessStatusCode, $"{path}: {response.StatusCode} {await response.Content.ReadAsStringAsync()}");
        return (T)JsonSerializer.Deserialize(await response.Content.ReadAsStringAsync(), typeof(T), GatewayJson.Default)!;
    }

    [GeneratedRegex("Voice nodes dial port ([0-9]+)")]
    private static partial Regex DialledPort();
}

public sealed record NodeView(string Id, bool Usable, string Endpoint, string State);
