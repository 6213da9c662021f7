using System.Collections.Concurrent;
using System.Text;
using System.Text.Json;
using Voice.Client;
using Voice.EndToEnd.Harness;
using Xunit;

namespace Voice.EndToEnd.Cluster;

/// <summary>A gateway and two voice nodes as processes of their own, each node with its media process.</summary>
public sealed class AssignmentTests(TwoNodes cluster) : IClassFixture<TwoNodes>, IAsyncDisposable
{
    private const int Joiners = 1000;
    private const int Guilds = 200;

    private const int GuildsAtOnce = 50;

    private readonly ConcurrentBag<GatewayClient> talking = [];

    public async ValueTask DisposeAsync() => await Task.WhenAll(talking.Select(async client => await client.DisposeAsync()));

    [Fact(Timeout = 90_000)]
    public async Task A_thousand_simultaneous_first_joins_make_one_assignment()
    {
        var (guild, channel) = await ClusterFixture.CreateGuild(cluster.Cluster.Administrator, "Everybody at once");
        var clients = new List<GatewayClient>();
        try
        {
            var users = Enumerable.Range(0, Joiners).Select(_ => Accounts.NewUser()).ToArray();
            foreach (var user in users) await cluster.Cluster.Administrator.AddMember(guild, user);
            foreach (var batch in users.Chunk(50)) clients.AddRange(await Task.WhenAll(batch.Select(cluster.Cluster.Connect)));

            var assignments = await Task.WhenAll(clients.Select(c => c.Join(guild, channel, cancellation: TestContext.Current.CancellationToken)));

            Assert.Single(assignments.Select(a => a.Endpoint).Distinct());
            Assert.Single(assignments.Select(a => EpochOf(a.Token)).Distinct());
            Assert.Equal(Joiners, assignments.Select(a => a.SessionId).Distinct().Count());
        }
        finally
        {
            await Task.WhenAll(clients.Select(async c => await c.DisposeAsync()));
        }
    }

    [Fact(Timeout = 90_000)]
    public async Task Two_hundred_guilds_spread_evenly_over_both_nodes()
    {
        // A person is in voice in one guild at a time (protocol/gateway.md section 5), so each guild gets one of its own.
        var endpoints = new List<string>();
        foreach (var batch in Enumerable.Range(0, Guilds).Chunk(GuildsAtOnce)) endpoints.AddRange(await Task.WhenAll(batch.Select(number => JoinedGuild(number, TestContext.Current.CancellationToken))));

        var counts = endpoints.CountBy(e => e).ToDictionary();
        Assert.Equal(2, counts.Count);
        Assert.All(counts.Values, count => Assert.InRange(count, Guilds / 2 * 0.9, Guilds / 2 * 1.1));
    }

    [Fact]
    public void Each_node_has_a_media_process_of_its_own_that_loads_neither_Orleans_nor_Kestrel()
    {
        foreach (var node in cluster.Nodes)
        {
            var loaded = File.ReadAllText($"/proc/{node.ServingMedia()}/maps");
            Assert.Contains("Voice.Media.dll", loaded, StringComparison.Ordinal);
            Assert.DoesNotContain("Orleans", loaded, StringComparison.Ordinal);
            Assert.DoesNotContain("Kestrel", loaded, StringComparison.Ordinal);
        }
    }

    /// <summary>The endpoint that a new guild's owner is sent to on joining its voice channel.</summary>
    private async Task<string> JoinedGuild(int number, CancellationToken cancel)
    {
        var owner = Accounts.NewUser();
        using var http = cluster.Cluster.Http(cluster.Cluster.Token(owner));
        var (guild, channel) = await ClusterFixture.CreateGuild(http, $"Guild {number}");
        var client = await cluster.Cluster.Connect(owner);
        talking.Add(client);
        return (await client.Join(guild, channel, cancellation: cancel)).Endpoint;
    }

    /// <summary>The voice token is a JWT to us, and opaque to clients; the test may look.</summary>
    private static long EpochOf(string token)
    {
        var payload = token.Split('.')[1].Replace('-', '+').Replace('_', '/');
        var json = Encoding.UTF8.GetString(Convert.FromBase64String(payload.PadRight((payload.Length + 3) / 4 * 4, '=')));
        return JsonDocument.Parse(json).RootElement.GetProperty("epo").GetInt64();
    }
}

public sealed class TwoNodes : IAsyncLifetime
{
    public ClusterFixture Cluster { get; } = new();

    public VoiceProcess[] Nodes { get; private set; } = [];

    public async ValueTask InitializeAsync()
    {
        await Cluster.InitializeAsync();
        Nodes = [await Cluster.StartNode("node-a"), await Cluster.StartNode("node-b")];
    }

    public ValueTask DisposeAsync() => Cluster.DisposeAsync();
}
