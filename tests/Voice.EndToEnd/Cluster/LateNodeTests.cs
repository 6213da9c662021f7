using Voice.Client;
using Voice.EndToEnd.Harness;
using Xunit;

namespace Voice.EndToEnd.Cluster;

public sealed class LateNodeTests(ClusterFixture cluster) : IClassFixture<ClusterFixture>
{
    [Fact(Timeout = 90_000)]
    public async Task A_node_that_arrives_late_ends_Awaiting_Endpoint()
    {
        var owner = Accounts.NewUser();
        using var http = cluster.Http(cluster.Token(owner));
        var (guild, channel) = await ClusterFixture.CreateGuild(http, "Early birds");
        await using var client = await cluster.Connect(owner);
        var cancel = TestContext.Current.CancellationToken;

        var awaiting = client.Next<GatewayEvent.VoiceServerUpdate>(e => e.Server.GuildId == guild, cancel);
        await client.SetVoiceState(guild, channel, cancellation: cancel);
        Assert.Null((await awaiting).Server.Endpoint);

        var assigned = client.Next<GatewayEvent.VoiceServerUpdate>(e => e.Server.GuildId == guild, cancel);
        var node = await cluster.StartNode("late");
        var endpoint = (await assigned).Server.Endpoint;
        Assert.NotNull(endpoint);

        // And when it is gone again there is nowhere to go: they stay until there is.
        var next = client.Next<GatewayEvent.VoiceServerUpdate>(e => e.Server.GuildId == guild, cancel);
        await cluster.StopNode(node);
        await cluster.StartNode("later");
        Assert.NotEqual(endpoint, (await next).Server.Endpoint);
    }
}
