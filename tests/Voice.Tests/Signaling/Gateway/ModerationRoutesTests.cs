using System.Text.Json;
using Voice.Client;
using Voice.Protocol;
using Voice.Protocol.Gateway;
using Xunit;

namespace Voice.Tests.Signaling.Gateway;

/// <summary>Ann owns a guild; Bob is in voice there; Carl has no role, until he is given one.</summary>
public sealed class ModerationRoutesTests : IAsyncLifetime
{
    private static readonly Snowflake Ann = 11, Bob = 12, Carl = 13, Stranger = 14;

    private TestGateway gateway = null!;
    private GatewayClient bob = null!;
    private Snowflake guild, den, lounge;

    private string Guild => $"/api/v10/guilds/{guild}";

    private string BobMember => $"{Guild}/members/{Bob}";

    public async ValueTask InitializeAsync()
    {
        gateway = await TestGateway.Start(realGuilds: true);
        var made = await gateway.Ask(Ann, HttpMethod.Post, "/api/v10/guilds", new { name = "Ann's" }, 201);
        guild = Id(made);
        lounge = Id(made.GetProperty("channels")[0]);
        den = Id(await gateway.Ask(Ann, HttpMethod.Post, $"{Guild}/channels", new { name = "Den" }, 201));
        foreach (var user in new[] { Bob, Carl })
            Assert.Equal(201, (await gateway.Request(HttpMethod.Put, $"{Guild}/members/{user}", gateway.Token(1, administrator: true), new { })).Status);
        bob = await gateway.Connect(Bob);
    }

    public async ValueTask DisposeAsync()
    {
        await bob.DisposeAsync();
        await gateway.DisposeAsync();
    }

    [Fact]
    public async Task Mute_and_deaf_are_told_at_once_and_last()
    {
        await Join();
        var told = Told(state => state.Mute);
        var member = await gateway.Ask(Ann, HttpMethod.Patch, BobMember, new { mute = true, deaf = true });
        Assert.True(member.GetProperty("mute").GetBoolean());
        Assert.True((await told).State is { Mute: true, Deaf: true, ChannelId: not null });

        await bob.SetVoiceState(guild, null, cancellation: TestContext.Current.CancellationToken);
        var again = Told(state => state.ChannelId == lounge);
        await bob.SetVoiceState(guild, lounge, cancellation: TestContext.Current.CancellationToken);
        Assert.True((await again).State is { Mute: true, Deaf: true });
        Assert.False((await gateway.Ask(Ann, HttpMethod.Patch, BobMember, new { mute = false })).GetProperty("mute").GetBoolean());
    }

    [Fact]
    public async Task A_move_tells_the_new_channel_and_then_the_server_again_and_null_disconnects()
    {
        var before = await Join();
        var moved = Told(state => state.ChannelId == den);
        var server = bob.Next<GatewayEvent.VoiceServerUpdate>(cancellation: TestContext.Current.CancellationToken);
        await gateway.Ask(Ann, HttpMethod.Patch, BobMember, new { channel_id = den.ToString() });
        Assert.NotEqual(before, (await moved).State.SessionId);
        Assert.Equal(guild, (await server).Server.GuildId);

        var gone = Told(state => state.ChannelId is null);
        await gateway.Ask(Ann, HttpMethod.Patch, BobMember, new { channel_id = (string?)null });
        await gone;
    }

    [Fact]
    public async Task Refusals_have_discords_codes()
    {
        await gateway.Refused(Ann, HttpMethod.Patch, BobMember, new { mute = true }, 400, 40032);
        await gateway.Refused(Ann, HttpMethod.Patch, $"{Guild}/members/99", new { mute = true }, 404, 10007);
        await gateway.Refused(Ann, HttpMethod.Patch, $"/api/v10/guilds/99/members/{Bob}", new { mute = true }, 404, 10004);
        await Join();
        await gateway.Refused(Carl, HttpMethod.Patch, BobMember, new { mute = true }, 403, 50013);
        await gateway.Refused(Stranger, HttpMethod.Patch, BobMember, new { mute = true }, 403, 50001);
        await gateway.Refused(Ann, HttpMethod.Patch, BobMember, new { channel_id = 99 }, 404, 10003);
        await gateway.Refused(Ann, HttpMethod.Patch, BobMember, new { channel_id = "den" }, 400, 50035);
        await gateway.Refused(Ann, HttpMethod.Patch, BobMember, new { mute = "yes" }, 400, 50035);
        await gateway.Refused(Ann, HttpMethod.Patch, BobMember, new[] { 1 }, 400, 50035);
        await gateway.Refused(Ann, HttpMethod.Patch, $"{Guild}/voice-states/{Bob}", new { suppress = true }, 400, 50024);
        await gateway.Refused(Ann, HttpMethod.Patch, $"{Guild}/voice-states/@me", new { suppress = true }, 404, 10065);
    }

    [Fact]
    public async Task A_role_makes_a_moderator_until_it_is_taken()
    {
        await Join();
        var role = Id(await gateway.Ask(Ann, HttpMethod.Post, $"{Guild}/roles", new { name = "mods", permissions = Bits(Permissions.MuteMembers) }));
        await gateway.Ask(Ann, HttpMethod.Put, $"{Guild}/members/{Carl}/roles/{role}", null, 204);
        await gateway.Ask(Carl, HttpMethod.Patch, BobMember, new { mute = true });
        await gateway.Refused(Carl, HttpMethod.Patch, BobMember, new { deaf = true }, 403, 50013);

        await gateway.Ask(Ann, HttpMethod.Patch, $"{Guild}/roles/{role}", new { permissions = Bits(Permissions.DeafenMembers) });
        await gateway.Ask(Carl, HttpMethod.Patch, BobMember, new { deaf = true });
        await gateway.Refused(Carl, HttpMethod.Patch, $"{Guild}/roles/{role}", new { permissions = "0" }, 403, 50013);

        await gateway.Ask(Ann, HttpMethod.Delete, $"{Guild}/members/{Carl}/roles/{role}", null, 204);
        await gateway.Refused(Carl, HttpMethod.Patch, BobMember, new { deaf = false }, 403, 50013);
        var member = await gateway.Ask(Ann, HttpMethod.Patch, $"{Guild}/members/{Carl}", new { roles = new[] { role.ToString() } });
        Assert.Equal(role.ToString(), member.GetProperty("roles")[0].GetString());
    }

    [Fact]
    public async Task An_overwrite_acts_on_the_running_call_until_it_is_removed()
    {
        await Join();
        var path = $"/api/v10/channels/{lounge}/permissions/{guild}";
        var suppressed = Told(state => state.Suppress);
        await gateway.Ask(Ann, HttpMethod.Put, path, new { type = 0, deny = Bits(Permissions.Speak) }, 204);
        await suppressed;
        var channel = await gateway.Ask(Bob, HttpMethod.Get, $"/api/v10/channels/{lounge}", null);
        Assert.Equal(Bits(Permissions.Speak), channel.GetProperty("permission_overwrites")[0].GetProperty("deny").GetString());

        var free = Told(state => !state.Suppress);
        await gateway.Ask(Ann, HttpMethod.Delete, path, null, 204);
        await free;
        await gateway.Refused(Ann, HttpMethod.Delete, path, null, 404, 10009);
        await gateway.Refused(Ann, HttpMethod.Put, $"/api/v10/channels/{lounge}/permissions/99", new { type = 0 }, 404, 10011);
        await gateway.Refused(Ann, HttpMethod.Put, $"/api/v10/channels/{lounge}/permissions/99", new { type = 1 }, 404, 10007);
        await gateway.Refused(Ann, HttpMethod.Put, path, new { }, 400, 50035);
        await gateway.Refused(Ann, HttpMethod.Put, path, new { type = 0, allow = "all" }, 400, 50035);
        await gateway.Refused(Bob, HttpMethod.Put, path, new { type = 0 }, 403, 50013);
        await gateway.Refused(Stranger, HttpMethod.Put, path, new { type = 0 }, 404, 10003);
    }

    [Fact]
    public async Task On_a_stage_one_asks_to_speak_and_is_let()
    {
        var stage = Id(await gateway.Ask(Ann, HttpMethod.Post, $"{Guild}/channels", new { name = "Stage", type = 13 }, 201));
        var joined = Told(state => state.ChannelId == stage);
        await bob.SetVoiceState(guild, stage, cancellation: TestContext.Current.CancellationToken);
        Assert.True((await joined).State.Suppress);

        var asks = Told(state => state.RequestToSpeakTimestamp is not null);
        await gateway.Ask(Bob, HttpMethod.Patch, $"{Guild}/voice-states/@me", new { channel_id = stage.ToString(), request_to_speak_timestamp = "2026-11-22T19:00:00.000Z" }, 204);
        await asks;
        await gateway.Refused(Bob, HttpMethod.Patch, $"{Guild}/voice-states/@me", new { suppress = false }, 403, 50013);

        var let = Told(state => !state.Suppress);
        await gateway.Ask(Ann, HttpMethod.Patch, $"{Guild}/voice-states/{Bob}", new { suppress = false }, 204);
        await let;
        Assert.False((await gateway.Ask(Carl, HttpMethod.Get, $"{Guild}/voice-states/{Bob}", null)).GetProperty("suppress").GetBoolean());
    }

    [Fact]
    public async Task Members_are_read_in_pages()
    {
        var first = await gateway.Ask(Ann, HttpMethod.Get, $"{Guild}/members?limit=2", null);
        var rest = await gateway.Ask(Ann, HttpMethod.Get, $"{Guild}/members?limit=1000&after={Bob}", null);

        Assert.Equal([Ann, Bob], first.EnumerateArray().Select(member => Id(member.GetProperty("user"))));
        Assert.Equal([Carl], rest.EnumerateArray().Select(member => Id(member.GetProperty("user"))));
    }

    private static Snowflake Id(JsonElement resource) => Snowflake.Parse(resource.GetProperty("id").GetString()!, null);

    private static string Bits(Permissions bits) => ((ulong)bits).ToString(System.Globalization.CultureInfo.InvariantCulture);

    /// <summary>The voice session that Bob has then.</summary>
    private async Task<string> Join()
    {
        var joined = Told(state => state.ChannelId == lounge);
        await bob.SetVoiceState(guild, lounge, cancellation: TestContext.Current.CancellationToken);
        return (await joined).State.SessionId;
    }

    private Task<GatewayEvent.VoiceStateUpdate> Told(Func<VoiceState, bool> match) =>
        bob.Next<GatewayEvent.VoiceStateUpdate>(e => e.State.UserId == Bob && match(e.State), TestContext.Current.CancellationToken);
}
