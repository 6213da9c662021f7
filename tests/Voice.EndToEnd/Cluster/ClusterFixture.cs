using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using Voice.Client;
using Voice.EndToEnd.Harness;
using Voice.Protocol;
using Xunit;

namespace Voice.EndToEnd.Cluster;

/// <summary>`voice gateway` as a process, nodes beside it as processes, and what a test needs to act on them.</summary>
public sealed class ClusterFixture : IAsyncLifetime
{
    private readonly TempDirectory data = new();
    private readonly List<VoiceProcess> nodes = [];
    private Accounts accounts = null!;

    public VoiceProcess Gateway { get; private set; } = null!;

    public HttpClient Administrator { get; private set; } = null!;

    public string AdministratorToken { get; private set; } = null!;

    /// <summary>Of the nodes, which have one data folder: so their certificates are of one authority.</summary>
    public RemoteCertificateValidationCallback Trust => PrivateCa.Trust([X509CertificateLoader.LoadCertificateFromFile(Path.Combine(data.Path, "ca.pem"))]);

    public async ValueTask InitializeAsync()
    {
        Gateway = await VoiceProcess.Gateway(data.Path);
        accounts = new(data.Path);
        AdministratorToken = accounts.NewAdministrator();
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
        var node = await VoiceProcess.Node(id, data.Path, Gateway.LinkPort, options);
        nodes.Add(node);
        await Poll.Until(async () => (await Administrator.Nodes()).Any(n => n.Id == id && n.Usable), $"node {id} to be usable", TimeSpan.FromSeconds(30));
        return node;
    }

    /// <summary>Ends a node's process; its media process ends with it.</summary>
    public async Task StopNode(VoiceProcess node)
    {
        nodes.Remove(node);
        await node.DisposeAsync();
    }

    public string Token(Snowflake user) => accounts.Token(user);

    public HttpClient Http(string token) => Rest.Open(Gateway.Address, token);

    /// <summary>A client that asks only for guilds (intent 1): it sees its own voice state, not a thousand others'.</summary>
    public Task<GatewayClient> Connect(Snowflake user) =>
        GatewayClient.ConnectAsync(new UriBuilder(Gateway.Address) { Scheme = "ws" }.Uri, Token(user), new GatewayClientOptions { Intents = 1 });

    /// <summary>A guild made over REST, with one voice channel.</summary>
    public static async Task<(Snowflake Guild, Snowflake Channel)> CreateGuild(HttpClient owner, string name)
    {
        var guild = await owner.CreateGuild(name);
        return (guild, await owner.CreateVoiceChannel(guild, "Voice"));
    }
}
