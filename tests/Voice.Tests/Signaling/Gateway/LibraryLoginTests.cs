using System.Net.WebSockets;
using Voice.Client;
using Voice.Protocol;
using Xunit;

namespace Voice.Tests.Signaling.Gateway;

/// <summary>What unmodified Discord libraries need in order to log in.</summary>
public class LibraryLoginTests
{
    private static readonly Snowflake Ann = 11;
    private static readonly Snowflake Bot = 12;
    private static readonly Snowflake Guild = 500;

    [Theory]
    [InlineData("/api/v10/gateway", 200)]
    [InlineData("/api/v9/gateway", 200)]
    [InlineData("/api/gateway", 200)]
    [InlineData("/api/v10/voice/regions", 401)]
    [InlineData("/api/v8/gateway", 400)]
    [InlineData("/api/v100/gateway", 400)]
    [InlineData("/api/nothing", 404)]
    public async Task Both_versions_and_none_are_the_same_api(string path, int status)
    {
        await using var gateway = await TestGateway.Start();

        Assert.Equal(status, (await gateway.Request(HttpMethod.Get, path)).Status);
    }

    /// <summary>discord.py takes anything but exactly this for text.</summary>
    [Theory]
    [InlineData("/api/v10/gateway")]
    [InlineData("/api/v10/users/@me")]
    [InlineData("/api/v10/nothing")]
    public async Task Answers_are_application_json_and_nothing_after_it(string path)
    {
        await using var gateway = await TestGateway.Start();
        using var http = new HttpClient();

        using var response = await http.GetAsync(new Uri($"http://127.0.0.1:{gateway.Host.Port}{path}"), TestContext.Current.CancellationToken);

        Assert.Equal("application/json", response.Content.Headers.ContentType!.ToString());
    }

    [Fact]
    public async Task A_bots_token_makes_its_user_a_bot_however_it_comes_first()
    {
        await using var gateway = await TestGateway.Start();
        await gateway.Guilds.MakeGuild(Guild);
        await gateway.Request(HttpMethod.Put, $"/api/v10/guilds/{Guild}/members/{Bot}", gateway.Token(1, administrator: true), new { username = "dj" });
        var (_, human) = await gateway.Request(HttpMethod.Get, "/api/v10/users/@me", "Bot " + gateway.Token(Ann));
        await using var client = await GatewayClient.ConnectAsync(
            new Uri($"ws://127.0.0.1:{gateway.Host.Port}"), gateway.Token(Bot, bot: true), null, TestContext.Current.CancellationToken);
        var (_, bot) = await gateway.Request(HttpMethod.Get, "/api/v10/users/@me", gateway.Token(Bot));

        Assert.False(human.GetProperty("bot").GetBoolean());
        Assert.True(client.Ready.User.Bot);
        Assert.True(bot.GetProperty("bot").GetBoolean());
    }

    [Theory]
    [InlineData("/api/v10/oauth2/applications/@me")]
    [InlineData("/api/v10/applications/@me")]
    public async Task A_bot_is_its_own_application(string path)
    {
        await using var gateway = await TestGateway.Start();

        var (_, application) = await gateway.Request(HttpMethod.Get, path, "Bot " + gateway.Token(Bot, bot: true));

        Assert.Equal(Bot.ToString(), application.GetProperty("id").GetString());
        Assert.Equal(Bot.ToString(), application.GetProperty("owner").GetProperty("id").GetString());
        string[] needed = ["name", "description", "bot_public", "bot_require_code_grant", "team", "flags", "icon", "verify_key", "summary"];
        Assert.All(needed, field => Assert.True(application.TryGetProperty(field, out _), field));
    }

    [Fact]
    public async Task A_user_is_found_by_id()
    {
        await using var gateway = await TestGateway.Start();
        await gateway.Request(HttpMethod.Get, "/api/v10/users/@me", gateway.Token(Ann));

        Assert.Equal(200, (await gateway.Request(HttpMethod.Get, $"/api/v10/users/{Ann}", gateway.Token(Bot))).Status);
        var (status, body) = await gateway.Request(HttpMethod.Get, "/api/v10/users/99", gateway.Token(Bot));
        Assert.Equal((404, 10013), (status, body.GetProperty("code").GetInt32()));
    }

    [Fact]
    public async Task Zlib_stream_compresses_all_messages_in_one_context()
    {
        await using var gateway = await TestGateway.Start();
        await gateway.Guilds.MakeGuild(Guild, Bot);
        using var socket = await gateway.ConnectRaw("v=10&encoding=json&compress=zlib-stream");

        await socket.Until(10);
        await socket.Send($$$"""{"op":2,"d":{"token":"{{{gateway.Token(Bot)}}}","intents":129}}""");
        await socket.Until(0, "READY");
        await socket.Until(0, "GUILD_CREATE");
        await socket.Send("""{"op":1,"d":2}""");
        await socket.Until(11);
    }

    [Fact]
    public async Task Other_compressions_are_refused_before_the_upgrade()
    {
        await using var gateway = await TestGateway.Start();

        await Assert.ThrowsAsync<WebSocketException>(() => gateway.ConnectRaw("v=10&encoding=json&compress=zstd-stream"));
    }

    [Fact]
    public async Task A_bot_is_in_voice_in_several_guilds_at_once()
    {
        await using var gateway = await TestGateway.Start();
        var first = await gateway.Guilds.MakeGuild(Guild, Bot);
        await gateway.Guilds.MakeGuild(600, Bot);
        await using var client = await GatewayClient.ConnectAsync(
            new Uri($"ws://127.0.0.1:{gateway.Host.Port}"), gateway.Token(Bot, bot: true), null, TestContext.Current.CancellationToken);

        await client.Join(Guild, 501, cancellation: TestContext.Current.CancellationToken);
        await client.Join(600, 601, cancellation: TestContext.Current.CancellationToken);

        Assert.Equal([new Snowflake(501)], first.Updates.Select(u => u.Update.ChannelId!.Value));
    }

    [Theory]
    [InlineData("""{"guild_id":500,"query":"","limit":0}""", "owner user-11 user-12", "")]
    [InlineData("""{"guild_id":"500","query":"USER-1","limit":1}""", "user-11", "")]
    [InlineData("""{"guild_id":"500","user_ids":["12",99]}""", "user-12", "99")]
    [InlineData("""{"guild_id":"500","user_ids":12}""", "user-12", "")]
    public async Task Op_8_is_answered_with_the_members_that_were_asked_for(string request, string names, string missing)
    {
        await using var gateway = await TestGateway.Start();
        await gateway.Guilds.MakeGuild(Guild, Ann, Bot);
        using var socket = await gateway.ConnectRaw();
        await socket.Send($$$"""{"op":2,"d":{"token":"{{{gateway.Token(Bot)}}}"}}""");

        await socket.Send($$$"""{"op":8,"d":{{{request.Insert(1, "\"nonce\":\"n\",")}}}}""");

        var chunk = (await socket.Until(0, "GUILD_MEMBERS_CHUNK")).GetProperty("d");
        Assert.Equal("500", chunk.GetProperty("guild_id").GetString());
        Assert.Equal((0, 1, "n"), (chunk.GetProperty("chunk_index").GetInt32(), chunk.GetProperty("chunk_count").GetInt32(), chunk.GetProperty("nonce").GetString()));
        Assert.Equal(names, string.Join(' ', chunk.GetProperty("members").EnumerateArray().Select(m => m.GetProperty("user").GetProperty("username").GetString())));
        Assert.Equal(missing, string.Join(' ', chunk.GetProperty("not_found").EnumerateArray().Select(id => id.GetString())));
    }
}
