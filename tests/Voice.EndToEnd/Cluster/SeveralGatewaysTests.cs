using System.Net.Http.Json;
using System.Text.Json;
using Voice.Client;
using Voice.EndToEnd.Harness;
using Xunit;

namespace Voice.EndToEnd.Cluster;

public sealed class SeveralGatewaysTests(ThreeGateways cluster) : IClassFixture<ThreeGateways>
{
    [Fact(Timeout = 60_000)]
    public async Task A_guild_made_at_one_gateway_is_served_by_all()
    {
        var user = Accounts.NewUser();
        var (guild, channel) = await cluster.CreateGuild(gateway: 0, user);
        await cluster.StartNode("node-1");

        for (var gateway = 0; gateway < cluster.Gateways.Length; gateway++)
        {
            using var http = cluster.Http(gateway, cluster.Token(user));
            var seen = await http.GetFromJsonAsync<JsonElement>($"api/v10/guilds/{guild}", TestContext.Current.CancellationToken);
            Assert.Equal(guild.ToString(), seen.GetProperty("id").GetString());
            Assert.Equal("node-1", Assert.Single(await cluster.Nodes(gateway)).Id);
            await using var client = await GatewayClient.ConnectAsync(cluster.AddressOf(gateway), cluster.Token(user), cancellation: TestContext.Current.CancellationToken);
            Assert.NotEmpty((await client.Join(guild, channel, cancellation: TestContext.Current.CancellationToken)).Endpoint);
        }
    }

    [Fact]
    public async Task A_gateway_with_keys_of_its_own_is_refused()
    {
        using var folder = new TempDirectory();
        var refused = await Assert.ThrowsAsync<InvalidOperationException>(
            () => VoiceProcess.Gateway(folder.Path, "--redis", cluster.Redis, "--silo-port", "0"));
        Assert.Contains("--cluster-secret", refused.Message, StringComparison.Ordinal);
    }
}
