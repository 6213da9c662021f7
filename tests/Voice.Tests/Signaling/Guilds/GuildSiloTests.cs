using Microsoft.Extensions.DependencyInjection;
using Voice.Protocol;
using Voice.Protocol.Gateway;
using Voice.Protocol.Links;
using Voice.Signaling;
using Voice.Signaling.Gateway;
using Voice.Signaling.Gateway.Guilds;
using Xunit;

namespace Voice.Tests.Signaling.Guilds;

/// <summary>The grains together, in one real silo, against nodes that only remember.</summary>
public class GuildSiloTests(GuildSilo silo) : IClassFixture<GuildSilo>
{
    private static ulong lastGuild = 1000;

    private readonly ulong guild = Interlocked.Increment(ref lastGuild);

    [Fact]
    public async Task A_thousand_simultaneous_first_joins_make_one_assignment()
    {
        using var node = await FakeNode.Start(silo);
        var channel = await Create(members: 1000);
        var gateway = await FakeGateway.Start(silo, guild);

        await Task.WhenAll(Enumerable.Range(1, 1000).Select(user => Join((ulong)user, channel)));

        var updates = await gateway.Events.Until(all =>
            all.Where(one => one.Type == "VOICE_SERVER_UPDATE").ToArray() is { Length: 1000 } complete ? complete : null);
        var tokens = updates.Select(one => Token(FakeGateway.Read(one).Token)).ToArray();
        Assert.Equal(1, Assert.Single(tokens.Select(token => token.Epoch).Distinct()));
        Assert.Equal(1000, tokens.Select(token => token.SessionId).Distinct().Count());
        var pushes = node.Pushes.All.Where(push => push.Guild == guild).ToArray();
        Assert.Equal(1000, pushes.Sum(push => push.Put.Length));
        Assert.Equal([true], pushes.Where(push => push.Whole).Select(push => push.Whole));
        Assert.InRange(pushes.Length, 1, 100);
        await node.Die();
    }

    [Fact]
    public async Task Without_a_node_the_endpoint_is_null_and_the_call_goes_on_when_one_arrives()
    {
        var channel = await Create(members: 2);
        var gateway = await FakeGateway.Start(silo, guild);
        await Join(1, channel);
        await gateway.ServerUpdate("s1", update => update.Endpoint is null);

        using var node = await FakeNode.Start(silo);

        var update = await gateway.ServerUpdate("s1", update => update.Endpoint is not null);
        Assert.Equal(node.Endpoint, update.Endpoint);
        Assert.Equal("VOICE_STATE_UPDATE", gateway.Events.All[0].Type);
        await node.Die();
    }

    [Fact]
    public async Task Clients_are_told_only_after_the_node_has_acknowledged()
    {
        using var node = await FakeNode.Start(silo);
        node.Answers = false;
        var channel = await Create(members: 1);
        var gateway = await FakeGateway.Start(silo, guild);
        await Join(1, channel);

        var push = await node.Pushes.When(push => push.Guild == guild);
        Assert.Empty(gateway.Events.All);
        await silo.Grains.GetGrain<IHostedGuild>((long)guild).Acknowledged(new GuildAck(guild, "", push.Epoch, push.Revision, false));

        var update = await gateway.ServerUpdate("s1", _ => true);
        Assert.Equal(push.Put.Single().SessionId, Token(update.Token).SessionId);
        await node.Die();
    }

    [Fact]
    public async Task The_last_leaver_releases()
    {
        using var node = await FakeNode.Start(silo);
        var channel = await Create(members: 1);
        var gateway = await FakeGateway.Start(silo, guild);
        await Join(1, channel);
        await gateway.ServerUpdate("s1", _ => true);

        await silo.Guild(guild).UpdateVoiceState(1, "s1", new VoiceStateUpdate(guild, null));

        var drop = await node.Drops.When(drop => drop.Guild == guild);
        Assert.Equal(1, drop.Epoch);
        await gateway.Events.When(one => one.Type == "VOICE_STATE_UPDATE" && FakeGateway.State(one).ChannelId is null);
        await Join(1, channel);
        var again = await gateway.ServerUpdate("s1", update => Token(update.Token).Epoch > 1);
        Assert.Equal(2, Token(again.Token).Epoch);
        await node.Die();
    }

    [Fact]
    public async Task When_its_node_goes_the_guild_moves_with_a_higher_epoch()
    {
        using var first = await FakeNode.Start(silo, "first");
        var channel = await Create(members: 2);
        var gateway = await FakeGateway.Start(silo, guild);
        await Join(1, channel);
        await Join(2, channel);
        await gateway.ServerUpdate("s2", update => update.Endpoint == first.Endpoint);

        using var second = await FakeNode.Start(silo, "second");
        await first.Die();

        foreach (var session in new[] { "s1", "s2" })
        {
            var update = await gateway.ServerUpdate(session, update => update.Endpoint == second.Endpoint);
            Assert.Equal((2, "second"), (Token(update.Token).Epoch, Token(update.Token).NodeId));
        }

        Assert.Equal([1ul, 2ul], second.Pushes.All.Last(push => push.Guild == guild).Put.Select(member => member.User).Order());
        await second.Die();
    }

    [Fact]
    public async Task A_node_that_never_answers_is_given_up_for_another()
    {
        using var mute = await FakeNode.Start(silo, "mute");
        mute.Answers = false;
        var channel = await Create(members: 1);
        var gateway = await FakeGateway.Start(silo, guild);
        await Join(1, channel);
        await mute.Pushes.When(push => push.Guild == guild);

        using var other = await FakeNode.Start(silo, "other");

        await gateway.ServerUpdate("s1", update => update.Endpoint == other.Endpoint);
        await mute.Drops.When(drop => drop.Guild == guild);
        await mute.Die();
        await other.Die();
    }

    [Fact]
    public async Task A_full_guild_keeps_its_members_and_takes_no_more()
    {
        await Create(members: 10_000);

        Assert.Null(await silo.Guild(guild).AddMember(new User(10_001, "late")));
        Assert.Equal("renamed", (await silo.Guild(guild).AddMember(new User(2, "renamed")))!.User.Username);
    }

    [Fact]
    public async Task A_member_who_could_not_be_stored_is_announced_once_they_are()
    {
        await Create(members: 1);
        var gateway = await FakeGateway.Start(silo, guild);
        silo.StorageFails = true;
        await Assert.ThrowsAnyAsync<Exception>(() => silo.Guild(guild).AddMember(new User(2, "two")));
        silo.StorageFails = false;

        await silo.Guild(guild).AddMember(new User(2, "two"));
        await silo.Guild(guild).AddMember(new User(2, "too"));

        await gateway.Events.When(one => one.Type == "GUILD_MEMBER_UPDATE");
        Assert.Equal(["GUILD_MEMBER_ADD", "GUILD_MEMBER_UPDATE"], gateway.Events.All.Select(one => one.Type));
    }

    [Fact]
    public async Task Changes_of_a_channel_at_the_same_time_both_last()
    {
        var channel = await Create(members: 1);

        await Task.WhenAll(
            silo.Guild(guild).ChangeChannel(null, channel, new ChannelChange(Name: "Den")),
            silo.Guild(guild).ChangeChannel(null, channel, new ChannelChange(UserLimit: 5, RtcRegion: new RegionChange("eu"))));
        await silo.Guild(guild).ChangeChannel(null, channel, new ChannelChange(RtcRegion: new RegionChange(null)));

        var changed = (await silo.Guild(guild).Get())!.Channels.Single();
        Assert.Equal(("Den", 5, null), (changed.Name, changed.UserLimit, changed.RtcRegion));
    }

    [Fact]
    public async Task Another_gateways_guild_is_held_idempotently_until_it_lets_go()
    {
        using var node = await FakeNode.Start(silo);
        var external = silo.Grains.GetGrain<IExternalGuild>((long)guild);
        VoiceMember[] members = [new(1, 10, "one", false, false, false, false, false), new(2, 10, "two", true, false, false, false, false)];

        var call = await external.Hold(null, members);
        var again = await external.Hold(null, [members[1]]);

        Assert.Equal(call.Assignment, again.Assignment);
        Assert.Equal(["one", "two"], call.Tokens.Keys.Order());
        Assert.Equal(2ul, Token(again.Tokens["two"]).User);
        Assert.Equal([1ul], node.Pushes.All.Last(push => push.Guild == guild).Removed);
        Assert.Null(await silo.Guild(guild).Create("taken", new User(1, "one"), []));
        Assert.True(await external.LetGo());
        Assert.False(await external.LetGo());
        Assert.True((await node.Drops.When(drop => drop.Guild == guild && drop.Epoch == call.Assignment!.Epoch)).Terminated);
        await node.Die();
    }

    [Fact]
    public async Task Our_own_guild_cannot_be_held_by_another_gateway()
    {
        await Create(members: 1);
        Assert.True((await silo.Grains.GetGrain<IExternalGuild>((long)guild).Hold(null, [])).Ours);
    }

    private async Task<Snowflake> Create(int members)
    {
        var made = await silo.Guild(guild).Create("guild", new User(1, "user1"), ["General"]);
        await Task.WhenAll(Enumerable.Range(1, members).Select(user => silo.Guild(guild).AddMember(new User((ulong)user, $"user{user}"))));
        return made!.Channels[0].Id;
    }

    private Task<bool> Join(ulong user, Snowflake channel) =>
        silo.Guild(guild).UpdateVoiceState(user, $"s{user}", new VoiceStateUpdate(guild, channel));

    private VoiceToken Token(string text)
    {
        Assert.True(silo.Services.GetRequiredService<VoiceTokenKey>().TryRead(text, DateTimeOffset.UtcNow, out var token));
        return token;
    }
}

/// <summary>What is stored outlives the process.</summary>
public class GuildRestartTests(GuildSilo silo) : IClassFixture<GuildSilo>
{
    [Fact]
    public async Task A_restart_keeps_guilds_members_users_and_calls()
    {
        var made = (await silo.Guild(1).Create("guild", new User(1, "one"), ["a", "b", "c"]))!;
        await silo.Guild(1).AddMember(new User(2, "two"));
        await silo.Guild(1).CreateRole(null, "mods", (ulong)Permissions.MuteMembers);
        await silo.Grains.GetGrain<IUserGrain>(2).Set(new User(2, "two"));
        await silo.Grains.GetGrain<IUserGrain>(1).DirectChannel(2, 7);
        await silo.Grains.GetGrain<IPrivateChannelGrain>(7).Open([new User(1, "one"), new User(2, "two")], owner: null);
        using var before = await FakeNode.Start(silo);
        var gateway = await FakeGateway.Start(silo, 1);
        await silo.Guild(1).UpdateVoiceState(2, "s", new VoiceStateUpdate(1, made.Channels[1].Id) { SelfMute = true });
        await gateway.ServerUpdate("s", _ => true);
        var inVoice = Assert.Single((await silo.Guild(1).Get())!.VoiceStates);

        before.Dispose();
        await silo.Restart();

        var read = (await silo.Guild(1).Get())!;
        Assert.Equal(made.Channels.Select(channel => channel.Id), read.Channels.Select(channel => channel.Id));
        Assert.Equal([1ul, 2ul], read.Members.Select(member => member.User.Id.Value).Order());
        Assert.Contains(read.Roles, role => role.Name == "mods");
        Assert.Equal(inVoice, Assert.Single(read.VoiceStates));
        var user = silo.Grains.GetGrain<IUserGrain>(2);
        Assert.Equal("two", (await user.Get())!.Username);
        Assert.Equal([new Snowflake(1)], await user.Guilds());

        Assert.Equal(7ul, (await silo.Grains.GetGrain<IUserGrain>(1).DirectChannel(2, 8)).Value);
        Assert.Equal(2, (await silo.Grains.GetGrain<IPrivateChannelGrain>(7).GetPrivate())!.Recipients.Length);

        // The node still hosts the call, with the client's voice session; the client comes back by another gateway session.
        using var after = await FakeNode.Start(silo);
        after.Connected = [2];
        gateway = await FakeGateway.Start(silo, 1);
        await silo.Guild(1).UpdateVoiceState(2, "another", new VoiceStateUpdate(1, made.Channels[1].Id) { SelfMute = true, SessionId = inVoice.SessionId });
        Assert.Equal((1L, true), await after.Pushes.Until(all => all.Length > 0 ? (all[^1].Epoch, all[^1].Whole) : default));
        await silo.Guild(1).UpdateVoiceState(2, "another", new VoiceStateUpdate(1, made.Channels[1].Id));
        await gateway.Events.When(one => one.Type == "VOICE_STATE_UPDATE" && FakeGateway.State(one) is { SelfMute: false });
        Assert.DoesNotContain(gateway.Events.All, one => one.Type == "VOICE_SERVER_UPDATE");

        await silo.Guild(1).SessionEnded(2, "another");
        await gateway.Events.When(one => one.Type == "VOICE_STATE_UPDATE" && FakeGateway.State(one) is { ChannelId: null });
        await silo.Restart();
        Assert.Empty((await silo.Guild(1).Get())!.VoiceStates);
    }
}
