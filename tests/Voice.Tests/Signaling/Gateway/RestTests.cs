using System.Net;
using System.Text.Json;
using Voice.Protocol;
using Voice.Signaling.Gateway;
using Voice.VoiceAllocator;
using Xunit;

namespace Voice.Tests.Signaling.Gateway;

public class RestTests
{
    private static readonly Snowflake Ann = 11;
    private static readonly Snowflake Bob = 12;
    private static readonly Snowflake Guild = 500;
    private static readonly Snowflake Lounge = 501;

    [Fact]
    public async Task A_guest_gets_a_token_and_the_first_guild_and_comes_back_as_the_same_user()
    {
        await using var gateway = await TestGateway.Start();

        var (status, guest) = await gateway.Request(HttpMethod.Post, "/api/v10/auth/guest", body: new { username = " Ann " });
        var token = guest.GetProperty("token").GetString()!;
        var (_, me) = await gateway.Request(HttpMethod.Get, "/api/v10/users/@me", token);
        var (_, again) = await gateway.Request(HttpMethod.Post, "/api/v10/auth/guest", token, new { username = "Anna" });
        var (_, guilds) = await gateway.Request(HttpMethod.Get, "/api/v10/users/@me/guilds", token);

        Assert.Equal((200, "Ann"), (status, me.GetProperty("username").GetString()));
        Assert.Equal((me.GetProperty("id").GetString(), "Anna", token), (IdOf(again.GetProperty("user")), again.GetProperty("user").GetProperty("username").GetString(), again.GetProperty("token").GetString()));
        Assert.Equal([guest.GetProperty("guild_id").GetString()], guilds.EnumerateArray().Select(IdOf));
        Assert.Equal(3, (await gateway.Guilds.Guild(DefaultGuild.Id).Get())!.Channels.Length);
    }

    [Theory]
    [InlineData("Bot ")]
    [InlineData("Bearer ")]
    public async Task A_guest_who_comes_back_is_answered_the_bare_token(string prefix)
    {
        await using var gateway = await TestGateway.Start();
        var token = gateway.Token(Ann);

        var (_, body) = await gateway.Request(HttpMethod.Post, "/api/v10/auth/guest", prefix + token, new { username = "Ann" });

        Assert.Equal(token, body.GetProperty("token").GetString());
    }

    [Fact]
    public async Task Guests_come_into_no_guild_but_the_first()
    {
        await using var gateway = await TestGateway.Start();
        await gateway.Guilds.MakeGuild(Guild);

        var (status, body) = await gateway.Request(HttpMethod.Post, "/api/v10/auth/guest", body: new { username = "Ann", guild_id = Guild.ToString() });
        Assert.Equal((403, 50001), (status, body.GetProperty("code").GetInt32()));
        Assert.Equal(200, (await gateway.Request(HttpMethod.Post, "/api/v10/auth/guest", body: new { username = "Ann", guild_id = DefaultGuild.Id.ToString() })).Status);
    }

    [Fact]
    public async Task A_full_guild_takes_nobody()
    {
        await using var gateway = await TestGateway.Start();
        gateway.Guilds.Guild(DefaultGuild.Id).IsFull = true;

        var (status, body) = await gateway.Request(HttpMethod.Post, "/api/v10/auth/guest", body: new { username = "Ann" });
        Assert.Equal((400, 30019), (status, body.GetProperty("code").GetInt32()));
        (status, body) = await gateway.Request(
            HttpMethod.Put, $"/api/v10/guilds/{DefaultGuild.Id}/members/{Bob}", gateway.Token(Ann, administrator: true), new { });
        Assert.Equal((400, 30019), (status, body.GetProperty("code").GetInt32()));
    }

    /// <summary>A page of another name that was made to resolve to 127.0.0.1 is not served (DNS rebinding).</summary>
    [Theory]
    [InlineData("localhost", 200)]
    [InlineData("LOCALHOST:8080", 200)]
    [InlineData("127.0.0.1:1", 200)]
    [InlineData("[::1]:8080", 200)]
    [InlineData("voice.example", 200)]
    [InlineData("evil.example", 400)]
    [InlineData("127.0.0.1.evil.example:8080", 400)]
    [InlineData("192.0.2.1", 400)]
    public async Task While_bound_to_loopback_only_its_own_names_are_served(string host, int expected)
    {
        await using var gateway = await TestGateway.Start(publicHost: "voice.example");

        Assert.Equal(expected, (await gateway.Request(HttpMethod.Get, "/api/v10/gateway", host: host)).Status);
    }

    [Theory]
    [InlineData("")]
    [InlineData("   ")]
    [InlineData("a\nb")]
    [InlineData("123456789012345678901234567890123")]
    public async Task Bad_guest_names_are_400(string name)
    {
        await using var gateway = await TestGateway.Start();

        Assert.Equal(400, (await gateway.Request(HttpMethod.Post, "/api/v10/auth/guest", body: new { username = name })).Status);
    }

    [Fact]
    public async Task Guest_login_can_be_off()
    {
        await using var gateway = await TestGateway.Start(guestLogin: false);

        var (status, body) = await gateway.Request(HttpMethod.Post, "/api/v10/auth/guest", body: new { username = "Ann" });

        Assert.Equal((403, "Guest login is off"), (status, body.GetProperty("message").GetString()));
    }

    [Theory]
    [InlineData("127.0.0.1", null, true)]
    [InlineData("::1", null, true)]
    [InlineData("0.0.0.0", null, false)]
    [InlineData("::", null, false)]
    [InlineData("192.0.2.1", null, false)]
    [InlineData("192.0.2.1", true, true)]
    [InlineData("127.0.0.1", false, false)]
    public void Guest_login_is_on_only_while_bound_to_loopback_or_when_asked_for(string bind, bool? asked, bool on) =>
        Assert.Equal(on, new GatewayOptions { DataDirectory = "", Bind = IPAddress.Parse(bind), GuestLogin = asked }.LetsGuestsIn);

    [Fact]
    public async Task Guest_login_is_limited_per_address()
    {
        await using var gateway = await TestGateway.Start();

        // At once: the limit counts by the real clock.
        var answers = await Task.WhenAll(Enumerable.Range(0, 101).Select(_ =>
            gateway.Request(HttpMethod.Post, "/api/v10/auth/guest", body: new { username = "Ann" })));

        Assert.Equal(100, answers.Count(answer => answer.Status == 200));
        Assert.Equal(1, answers.Count(answer => answer.Status == 429));
    }

    [Fact]
    public async Task An_account_that_asks_too_often_is_told_to_wait_and_an_administrator_is_not()
    {
        await using var gateway = await TestGateway.Start();
        using var http = new HttpClient { BaseAddress = new Uri($"http://127.0.0.1:{gateway.Host.Port}") };

        HttpResponseMessage? limited = null;
        var token = gateway.Token(Ann);
        while (limited is null)
        {
            var answers = await Task.WhenAll(Enumerable.Range(0, 200).Select(_ => Get(token)));
            limited = answers.FirstOrDefault(answer => answer.StatusCode == HttpStatusCode.TooManyRequests);
        }

        Assert.True(limited.Headers.RetryAfter!.Delta >= TimeSpan.FromSeconds(1));
        Assert.True(limited.Headers.Contains("Via"));
        var body = JsonDocument.Parse(await limited.Content.ReadAsStringAsync(TestContext.Current.CancellationToken)).RootElement;
        Assert.True(body.GetProperty("retry_after").GetInt32() >= 1);
        var administrator = gateway.Token(Ann, administrator: true);
        Assert.All(await Task.WhenAll(Enumerable.Range(0, 200).Select(_ => Get(administrator))), answer => Assert.Equal(HttpStatusCode.OK, answer.StatusCode));

        async Task<HttpResponseMessage> Get(string by)
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, "/api/v10/users/@me/guilds");
            request.Headers.Add("Authorization", by);
            return await http.SendAsync(request, TestContext.Current.CancellationToken);
        }
    }

    [Theory]
    [InlineData("GET", "/api/v10/users/@me")]
    [InlineData("GET", "/api/v10/guilds/500")]
    [InlineData("POST", "/api/v10/guilds")]
    [InlineData("GET", "/api/v10/gateway/bot")]
    [InlineData("GET", "/api/v10/channels/501")]
    public async Task Without_a_token_it_is_401_in_discords_form(string method, string path)
    {
        await using var gateway = await TestGateway.Start();

        foreach (var token in new[] { null, "a.b.c" })
        {
            var (status, body) = await gateway.Request(HttpMethod.Parse(method), path, token, method == "POST" ? new { } : null);
            Assert.Equal((401, 0, "401: Unauthorized"), (status, body.GetProperty("code").GetInt32(), body.GetProperty("message").GetString()));
        }
    }

    [Fact]
    public async Task Guilds_are_for_members_and_administrators()
    {
        await using var gateway = await TestGateway.Start();
        await gateway.Guilds.MakeGuild(Guild, Ann);
        var (ann, bob, administrator) = (gateway.Token(Ann), gateway.Token(Bob), gateway.Token(Bob, administrator: true));

        foreach (var path in new[] { "", "/channels", "/roles", "/members", $"/members/{Ann}" })
        {
            Assert.Equal(200, (await gateway.Request(HttpMethod.Get, $"/api/v10/guilds/{Guild}{path}", "Bot " + ann)).Status);
            Assert.Equal(200, (await gateway.Request(HttpMethod.Get, $"/api/v10/guilds/{Guild}{path}", "Bearer " + administrator)).Status);
            var (status, body) = await gateway.Request(HttpMethod.Get, $"/api/v10/guilds/{Guild}{path}", bob);
            Assert.Equal((403, 50001), (status, body.GetProperty("code").GetInt32()));
            (status, body) = await gateway.Request(HttpMethod.Get, $"/api/v10/guilds/9{path}", ann);
            Assert.Equal((404, 10004), (status, body.GetProperty("code").GetInt32()));
        }

        Assert.Equal(404, (await gateway.Request(HttpMethod.Get, $"/api/v10/guilds/{Guild}/members/99", ann)).Status);
        Assert.Equal(404, (await gateway.Request(HttpMethod.Get, $"/api/v10/guilds/{Guild}/voice-states/@me", ann)).Status);
        Assert.Equal(404, (await gateway.Request(HttpMethod.Get, $"/api/v10/channels/{Lounge}", bob)).Status);
        Assert.Equal(200, (await gateway.Request(HttpMethod.Get, $"/api/v10/channels/{Lounge}", ann)).Status);
    }

    [Fact]
    public async Task Channels_and_roles_are_made_by_the_owner_or_an_administrator_not_by_any_member()
    {
        await using var gateway = await TestGateway.Start();
        var (_, guild) = await gateway.Request(HttpMethod.Post, "/api/v10/guilds", gateway.Token(Ann), new { name = "Ann's" });
        var path = $"/api/v10/guilds/{IdOf(guild)}";
        Assert.Equal(201, (await gateway.Request(HttpMethod.Put, $"{path}/members/{Bob}", gateway.Token(1, administrator: true), new { username = "Bob" })).Status);
        Assert.Equal(204, (await gateway.Request(HttpMethod.Put, $"{path}/members/{Bob}", gateway.Token(1, administrator: true))).Status);
        Assert.Equal(403, (await gateway.Request(HttpMethod.Put, $"{path}/members/99", gateway.Token(Ann))).Status);

        foreach (var (token, allowed) in new[] { (gateway.Token(Ann), true), (gateway.Token(1, administrator: true), true), (gateway.Token(Bob), false) })
        {
            var (status, channel) = await gateway.Request(HttpMethod.Post, $"{path}/channels", token, new { name = "Den", rtc_region = "north", user_limit = 5 });
            Assert.Equal(allowed ? 201 : 403, status);
            Assert.Equal(allowed ? 200 : 403, (await gateway.Request(HttpMethod.Post, $"{path}/roles", token, new { name = "Talker", permissions = "2097152" })).Status);
            if (allowed) Assert.Equal(("Den", "north", 5), (channel.GetProperty("name").GetString(), channel.GetProperty("rtc_region").GetString(), channel.GetProperty("user_limit").GetInt32()));
        }
    }

    [Fact]
    public async Task A_channel_is_changed_field_by_field_and_null_is_a_value()
    {
        await using var gateway = await TestGateway.Start();
        var (_, guild) = await gateway.Request(HttpMethod.Post, "/api/v10/guilds", gateway.Token(Ann), new { name = "Ann's" });
        var (_, channel) = await gateway.Request(HttpMethod.Post, $"/api/v10/guilds/{IdOf(guild)}/channels", gateway.Token(Ann), new { name = "Den", rtc_region = "north" });
        var path = $"/api/v10/channels/{IdOf(channel)}";

        var (_, renamed) = await gateway.Request(HttpMethod.Patch, path, gateway.Token(Ann), new { name = "Cave" });
        var (_, moved) = await gateway.Request(HttpMethod.Patch, path, gateway.Token(Ann), new { rtc_region = (string?)null });

        Assert.Equal(("Cave", "north"), (renamed.GetProperty("name").GetString(), renamed.GetProperty("rtc_region").GetString()));
        Assert.Equal(("Cave", JsonValueKind.Null), (moved.GetProperty("name").GetString(), moved.GetProperty("rtc_region").ValueKind));
        Assert.Equal(400, (await gateway.Request(HttpMethod.Patch, path, gateway.Token(Ann), new { name = 5 })).Status);
        Assert.Equal(400, (await gateway.Request(HttpMethod.Patch, path, gateway.Token(Ann), new { name = (string?)null })).Status);
        Assert.Equal(400, (await gateway.Request(HttpMethod.Patch, path, gateway.Token(Ann), new { user_limit = -1 })).Status);
        Assert.Equal(404, (await gateway.Request(HttpMethod.Patch, path, gateway.Token(Bob), new { name = "Mine" })).Status);
    }

    [Fact]
    public async Task Regions_are_those_that_have_a_node()
    {
        await using var gateway = await TestGateway.Start();
        gateway.Guilds.Nodes = [.. new[] { "south", "north", "south" }.Select((r, i) => new NodeStatus($"node-{i}", r, "", 0, 0, 0, true))];

        var (_, regions) = await gateway.Request(HttpMethod.Get, "/api/v10/voice/regions", gateway.Token(Ann));

        Assert.Equal(["north", "south"], regions.EnumerateArray().Select(IdOf));
    }

    [Fact]
    public async Task The_gateways_address_is_the_one_the_client_came_by()
    {
        await using var gateway = await TestGateway.Start();

        var (_, body) = await gateway.Request(HttpMethod.Get, "/api/v10/gateway/bot", "Bot " + gateway.Token(Ann));

        Assert.Equal($"ws://127.0.0.1:{gateway.Host.Port}", body.GetProperty("url").GetString());
        Assert.Equal(1, body.GetProperty("shards").GetInt32());
    }

    [Fact]
    public async Task The_openapi_document_names_the_routes()
    {
        await using var gateway = await TestGateway.Start();

        var (status, document) = await gateway.Request(HttpMethod.Get, "/openapi/v1.json");

        Assert.Equal(200, status);
        Assert.True(document.GetProperty("paths").TryGetProperty("/api/v10/guilds/{guild}/channels", out _));
    }

    [Theory]
    [InlineData("/", "text/html; charset=utf-8")]
    [InlineData("/voice-client.js", "text/javascript; charset=utf-8")]
    [InlineData("/page.css", "text/css; charset=utf-8")]
    [InlineData("/healthz", "text/plain; charset=utf-8")]
    public async Task The_page_is_served_with_its_types(string path, string type)
    {
        await using var gateway = await TestGateway.Start();
        using var http = new HttpClient();

        using var response = await http.GetAsync(new Uri($"http://127.0.0.1:{gateway.Host.Port}{path}"), TestContext.Current.CancellationToken);

        Assert.Equal((HttpStatusCode.OK, type), (response.StatusCode, response.Content.Headers.ContentType!.ToString()));
        if (path == "/healthz") return;
        Assert.Contains("connect-src 'self' ws: wss:", response.Headers.GetValues("Content-Security-Policy").Single());
        Assert.Equal("nosniff", response.Headers.GetValues("X-Content-Type-Options").Single());
        Assert.True(response.Headers.CacheControl!.NoCache);
    }

    private static string IdOf(JsonElement resource) => resource.GetProperty("id").GetString()!;
}
