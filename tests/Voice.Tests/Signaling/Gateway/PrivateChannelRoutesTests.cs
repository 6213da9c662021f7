using System.Text.Json;
using Voice.Protocol;
using Xunit;

namespace Voice.Tests.Signaling.Gateway;

/// <summary>Ann, Bob and Carl share a guild; the stranger is in none.</summary>
public sealed class PrivateChannelRoutesTests : IAsyncLifetime
{
    private static readonly Snowflake Ann = 11, Bob = 12, Carl = 13, Stranger = 14;

    private TestGateway gateway = null!;

    public async ValueTask InitializeAsync()
    {
        gateway = await TestGateway.Start(realGuilds: true);
        var guild = await gateway.Ask(Ann, HttpMethod.Post, "/api/v10/guilds", new { name = "Ann's" }, 201);
        foreach (var user in new[] { Bob, Carl })
        {
            var path = $"/api/v10/guilds/{guild.GetProperty("id").GetString()}/members/{user}";
            Assert.Equal(201, (await gateway.Request(HttpMethod.Put, path, gateway.Token(1, administrator: true), new { })).Status);
        }

        await gateway.Ask(Stranger, HttpMethod.Get, "/api/v10/users/@me", null);
    }

    public ValueTask DisposeAsync() => gateway.DisposeAsync();

    [Fact]
    public async Task Two_people_have_one_channel_whoever_opens_it_and_each_sees_the_other()
    {
        var channel = await Open(Ann, new { recipient_id = Bob.ToString() });
        var same = await Open(Bob, new { recipients = new[] { 11 } });

        Assert.Equal((1, "12"), (channel.GetProperty("type").GetInt32(), Recipients(channel)));
        Assert.Equal((Id(channel), "11"), (Id(same), Recipients(same)));
        Assert.Equal([Id(channel)], (await gateway.Ask(Bob, HttpMethod.Get, "/api/v10/users/@me/channels", null)).EnumerateArray().Select(Id));
        Assert.Equal("11", Recipients(await gateway.Ask(Bob, HttpMethod.Get, $"/api/v10/channels/{Id(channel)}", null)));
        await gateway.Refused(Carl, HttpMethod.Get, $"/api/v10/channels/{Id(channel)}", null, 404, 10003);
        await gateway.Refused(Ann, HttpMethod.Get, $"/api/v10/guilds/{Id(channel)}", null, 404, 10004);
    }

    [Fact]
    public async Task A_group_is_new_each_time_and_its_maker_owns_it()
    {
        var group = await Open(Ann, new { recipients = new[] { Bob.ToString(), Carl.ToString() } });
        var another = await Open(Ann, new { recipients = new[] { Bob.ToString(), Carl.ToString() } });

        Assert.Equal((3, "12 13", "11"), (group.GetProperty("type").GetInt32(), Recipients(group), group.GetProperty("owner_id").GetString()));
        Assert.NotEqual(Id(group), Id(another));
    }

    [Fact]
    public async Task Strangers_nobody_and_crowds_are_refused()
    {
        await gateway.Refused(Ann, HttpMethod.Post, "/api/v10/users/@me/channels", new { recipient_id = Stranger.ToString() }, 400, 50033);
        await gateway.Refused(Stranger, HttpMethod.Post, "/api/v10/users/@me/channels", new { recipient_id = Ann.ToString() }, 400, 50033);
        await gateway.Refused(Ann, HttpMethod.Post, "/api/v10/users/@me/channels", new { recipient_id = "99" }, 400, 50033);
        await gateway.Refused(Ann, HttpMethod.Post, "/api/v10/users/@me/channels", new { recipient_id = Ann.ToString() }, 400, 50033);
        await gateway.Refused(Ann, HttpMethod.Post, "/api/v10/users/@me/channels", new { recipients = Enumerable.Range(100, 10) }, 400, 30004);
        await gateway.Refused(Ann, HttpMethod.Post, "/api/v10/users/@me/channels", new { }, 400, 50035);
        await gateway.Refused(Ann, HttpMethod.Post, "/api/v10/users/@me/channels", new { recipient_id = "Bob" }, 400, 50035);
    }

    [Fact]
    public async Task The_other_hears_of_the_channel_and_the_call_and_rings_and_joins()
    {
        using var ann = await Login(Ann);
        using var bob = await Login(Bob);
        var channel = Id(await Open(Ann, new { recipient_id = Bob.ToString() }));
        Assert.Equal("11", Recipients((await bob.Until(0, "CHANNEL_CREATE")).GetProperty("d")));

        await ann.Send($$$"""{"op":4,"d":{"guild_id":null,"channel_id":{{{channel}}}}}""");
        Assert.Equal(channel, (await bob.Until(0, "CALL_CREATE")).GetProperty("d").GetProperty("channel_id").GetString());
        var state = (await bob.Until(0, "VOICE_STATE_UPDATE")).GetProperty("d");
        Assert.Equal((channel, "11"), (state.GetProperty("channel_id").GetString(), state.GetProperty("user_id").GetString()));
        var server = (await ann.Until(0, "VOICE_SERVER_UPDATE")).GetProperty("d");
        Assert.Equal((JsonValueKind.Null, channel), (server.GetProperty("guild_id").ValueKind, server.GetProperty("channel_id").GetString()));

        await gateway.Ask(Ann, HttpMethod.Post, $"/api/v10/channels/{channel}/call/ring", new { recipients = (string[]?)null }, 204);
        Assert.Equal("12", (await bob.Until(0, "CALL_UPDATE")).GetProperty("d").GetProperty("ringing")[0].GetString());
        await bob.Send($$$"""{"op":13,"d":{"channel_id":"{{{channel}}}"}}""");
        Assert.Equal(1, (await bob.Until(0, "CALL_CREATE")).GetProperty("d").GetProperty("voice_states").GetArrayLength());
        await bob.Send($$$"""{"op":4,"d":{"guild_id":null,"channel_id":"{{{channel}}}"}}""");
        Assert.Equal(0, (await bob.Until(0, "CALL_UPDATE")).GetProperty("d").GetProperty("ringing").GetArrayLength());

        await ann.Send("""{"op":4,"d":{"guild_id":null,"channel_id":null}}""");
        await bob.Send("""{"op":4,"d":{"guild_id":null,"channel_id":null}}""");
        await ann.Until(0, "CALL_DELETE");
    }

    [Fact]
    public async Task Ready_lists_the_channels_and_their_calls_are_heard_of()
    {
        var channel = Id(await Open(Ann, new { recipient_id = Bob.ToString() }));
        using var bob = await gateway.ConnectRaw();
        await bob.Send($$$"""{"op":2,"d":{"token":"{{{gateway.Token(Bob)}}}"}}""");
        var ready = (await bob.Until(0, "READY")).GetProperty("d");
        Assert.Equal((channel, "11"), (Id(ready.GetProperty("private_channels")[0]), Recipients(ready.GetProperty("private_channels")[0])));

        using var ann = await Login(Ann);
        await ann.Send($$$"""{"op":4,"d":{"guild_id":null,"channel_id":"{{{channel}}}"}}""");
        await bob.Until(0, "CALL_CREATE");
    }

    [Fact]
    public async Task A_decliner_rings_no_longer_and_others_ring_nobody()
    {
        using var ann = await Login(Ann);
        var channel = Id(await Open(Ann, new { recipient_id = Bob.ToString() }));
        await gateway.Ask(Ann, HttpMethod.Post, $"/api/v10/channels/{channel}/call/ring", new { }, 204); // before anybody has joined
        await ann.Send($$$"""{"op":4,"d":{"guild_id":null,"channel_id":"{{{channel}}}"}}""");
        Assert.Equal("12", (await ann.Until(0, "CALL_CREATE")).GetProperty("d").GetProperty("ringing")[0].GetString());

        await gateway.Ask(Bob, HttpMethod.Post, $"/api/v10/channels/{channel}/call/stop-ringing", new { }, 204);
        Assert.Equal(0, (await ann.Until(0, "CALL_UPDATE")).GetProperty("d").GetProperty("ringing").GetArrayLength());
        Assert.True((await gateway.Ask(Bob, HttpMethod.Get, $"/api/v10/channels/{channel}/call", null)).GetProperty("ringable").GetBoolean());
        await gateway.Refused(Carl, HttpMethod.Post, $"/api/v10/channels/{channel}/call/ring", new { }, 404, 10003);
    }

    [Fact]
    public async Task Anybody_may_leave_a_group_and_close_a_channel()
    {
        using var bob = await Login(Bob);
        var group = Id(await Open(Ann, new { recipients = new[] { Bob.ToString(), Carl.ToString() } }));
        await bob.Until(0, "CHANNEL_CREATE");
        await gateway.Ask(Bob, HttpMethod.Delete, $"/api/v10/channels/{group}", null);
        Assert.Equal(group, Id((await bob.Until(0, "CHANNEL_DELETE")).GetProperty("d")));
        await gateway.Refused(Bob, HttpMethod.Get, $"/api/v10/channels/{group}", null, 404, 10003);
        Assert.Equal("13", Recipients(await gateway.Ask(Ann, HttpMethod.Get, $"/api/v10/channels/{group}", null)));

        var direct = Id(await Open(Ann, new { recipient_id = Bob.ToString() }));
        await bob.Until(0, "CHANNEL_CREATE");
        await gateway.Ask(Bob, HttpMethod.Delete, $"/api/v10/channels/{direct}", null);
        await bob.Until(0, "CHANNEL_DELETE");
        Assert.Equal(direct, Id(await Open(Ann, new { recipient_id = Bob.ToString() })));
        Assert.Equal("11", Recipients((await bob.Until(0, "CHANNEL_CREATE")).GetProperty("d")));
        await gateway.Refused(Stranger, HttpMethod.Delete, $"/api/v10/channels/{direct}", null, 404, 10003);
    }

    private static string Id(JsonElement resource) => resource.GetProperty("id").GetString()!;

    private static string Recipients(JsonElement channel) => string.Join(' ', channel.GetProperty("recipients").EnumerateArray().Select(Id));

    private Task<JsonElement> Open(Snowflake user, object body) => gateway.Ask(user, HttpMethod.Post, "/api/v10/users/@me/channels", body);

    private async Task<RawSocket> Login(Snowflake user)
    {
        var socket = await gateway.ConnectRaw();
        await socket.Send($$$"""{"op":2,"d":{"token":"{{{gateway.Token(user)}}}"}}""");
        await socket.Until(0, "GUILD_CREATE");
        return socket;
    }
}
