using System.Net.Http.Json;
using System.Text.Json;
using Voice.Client;
using Voice.Protocol.Gateway;
using Voice.Signaling.Gateway;
using Xunit;

namespace Voice.Tests.Signaling.Gateway;

/// <summary>The whole gateway with its silo and its database, as it is started.</summary>
public sealed class RealGuildsTests : IDisposable
{
    private readonly string _data = Directory.CreateTempSubdirectory("voice-").FullName;

    public void Dispose() => Directory.Delete(_data, recursive: true);

    [Fact]
    public async Task A_restart_keeps_guests_channels_and_tokens_and_makes_no_second_guild()
    {
        string token;
        string[] channels;
        await using (var gateway = await Start())
        {
            token = await LoginAsGuest(gateway, "Ann");
            channels = await ChannelsSeenBy(gateway, token);
            Assert.Equal(3, channels.Length);
        }

        await using var restarted = await Start();
        Assert.Equal(channels, await ChannelsSeenBy(restarted, token));
        using var http = new HttpClient();
        Assert.Equal("ok", await http.GetStringAsync(new Uri(restarted.Page, "/healthz"), TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task A_join_without_a_node_is_a_state_and_a_server_update_without_endpoint()
    {
        await using var gateway = await Start();
        var token = await LoginAsGuest(gateway, "Ann");
        var created = new TaskCompletionSource<Guild>();
        await using var client = await Connect(gateway, token, e =>
        {
            if (e is GatewayEvent.GuildCreate create) created.TrySetResult(create.Guild);
        });
        var guild = await created.Task.WaitAsync(TestContext.Current.CancellationToken);
        var channel = guild.Channels[0].Id;
        var state = client.Next<GatewayEvent.VoiceStateUpdate>(cancellation: TestContext.Current.CancellationToken);
        var server = client.Next<GatewayEvent.VoiceServerUpdate>(cancellation: TestContext.Current.CancellationToken);

        await client.SetVoiceState(guild.Id, channel, cancellation: TestContext.Current.CancellationToken);

        Assert.Equal(channel, (await state).State.ChannelId);
        Assert.Null((await server).Server.Endpoint);
    }

    private static async Task<string[]> ChannelsSeenBy(GatewayHost gateway, string token)
    {
        var seen = new TaskCompletionSource<string[]>();
        await using var client = await Connect(gateway, token, e =>
        {
            if (e is GatewayEvent.GuildCreate create) seen.TrySetResult([.. create.Guild.Channels.Select(c => $"{c.Id} {c.Name}")]);
        });
        Assert.Single(client.Ready.Guilds);
        return await seen.Task.WaitAsync(TestContext.Current.CancellationToken);
    }

    private static Task<GatewayClient> Connect(GatewayHost gateway, string token, Action<GatewayEvent> onEvent) =>
        GatewayClient.ConnectAsync(
            new UriBuilder(gateway.Page) { Scheme = "ws" }.Uri, token, new GatewayClientOptions { OnEvent = onEvent }, TestContext.Current.CancellationToken);

    private static async Task<string> LoginAsGuest(GatewayHost gateway, string name)
    {
        using var http = new HttpClient();
        using var response = await http.PostAsJsonAsync(
            new Uri(gateway.Page, "/api/v10/auth/guest"), new { username = name }, TestContext.Current.CancellationToken);
        return (await response.Content.ReadFromJsonAsync<JsonElement>(TestContext.Current.CancellationToken)).GetProperty("token").GetString()!;
    }

    private Task<GatewayHost> Start() =>
        GatewayHost.StartAsync(new GatewayOptions { DataDirectory = _data, Port = 0, LinkPort = 0 }, TestContext.Current.CancellationToken);
}
