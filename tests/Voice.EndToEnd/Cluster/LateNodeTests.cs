using Voice.Client;
using Xunit;

namespace Voice.EndToEnd.Cluster;

public sealed class LateNodeTests(ClusterFixture cluster) : IClassFixture<ClusterFixture>
{
    [Fact(Timeout = 90_000)]
    public async Task A_node_that_arrives_late_ends_Awaiting_Endpoint()
    {
        var owner = cluster.NewUser();
        using var http = cluster.Http(cluster.Token(owner));
        var (guild, channel) = await cluster.CreateGuild(http, "Early birds");
        await using var client = await cluster.Connect(owner);
        var cancel = TestContext.Current.CancellationToken;

        var awaiting = client.Next<GatewayEvent.VoiceServerUpdate>(e => e.Server.GuildId == guild, cancel);
        await client.SetVoiceState(guild, channel, cancellation: cancel);
        Assert.Null((await awaiting).Server.Endpoint);

        var assigned = client.Next<GatewayEvent.VoiceServerUpdate>(e => e.Server.GuildId == guild, cancel);
        var node = await cluster.StartNode("late");
        Assert.NotNull((await assigned).Server.Endpoint);

        // And when it is gone again, they wait again, until the next one.
        var lost = client.Next<GatewayEvent.VoiceServerUpdate>(e => e.Server is { Endpoint: null } && e.Server.GuildId == guild, cancel);
        await cluster.StopNode(node);
        await lost;
        var again = client.Next<GatewayEvent.VoiceServerUpdate>(e => e.Server is { Endpoint: not null } && e.Server.GuildId == guild, cancel);
        await cluster.StartNode("later");
        await again;
    }
}
