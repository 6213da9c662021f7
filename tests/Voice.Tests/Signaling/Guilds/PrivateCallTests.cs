using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using Voice.Protocol.Gateway;
using Voice.Signaling;
using Voice.Signaling.Gateway;
using Voice.Signaling.Gateway.Guilds;
using Xunit;

namespace Voice.Tests.Signaling.Guilds;

/// <summary>A call without a guild, in one real silo, against a node that only remembers.</summary>
public class PrivateCallTests(GuildSilo silo) : IClassFixture<GuildSilo>
{
    private static readonly User Ann = new(1, "Ann"), Bob = new(2, "Bob"), Carl = new(3, "Carl");
    private static ulong lastChannel = 5000;

    private readonly ulong channel = Interlocked.Increment(ref lastChannel);

    private IPrivateChannelGrain Private => silo.Grains.GetGrain<IPrivateChannelGrain>((long)channel);

    [Fact]
    public async Task The_channels_id_is_the_servers_and_neither_state_nor_server_names_a_guild()
    {
        using var node = await FakeNode.Start(silo);
        await Private.Open([Ann, Bob], owner: null);
        var gateway = await FakeGateway.Start(silo, channel);

        await Join(1);
        await Join(2);

        var update = await gateway.ServerUpdate("s2", _ => true);
        Assert.Equal((null, channel, node.Endpoint), (update.GuildId, update.ChannelId!.Value.Value, update.Endpoint));
        Assert.True(silo.Services.GetRequiredService<VoiceTokenKey>().TryRead(update.Token, DateTimeOffset.UtcNow, out var token));
        Assert.Equal((channel, channel, 2ul, ""), (token.Guild, token.Channel, token.User, token.Slot));
        var state = FakeGateway.State(gateway.Events.All.Last(one => one.Type == "VOICE_STATE_UPDATE"));
        Assert.Equal((null, channel, 2ul, null), (state.GuildId, state.ChannelId!.Value.Value, state.UserId.Value, state.Member));
        Assert.False(state.Suppress);
        Assert.Equal([1ul, 2ul], node.Pushes.All.Where(push => push.Guild == channel).SelectMany(push => push.Put).Select(member => member.User).Order());
        await node.Die();
    }

    [Fact]
    public async Task Only_recipients_may_join()
    {
        using var node = await FakeNode.Start(silo);
        await Private.Open([Ann, Bob], owner: null);
        var gateway = await FakeGateway.Start(silo, channel);

        await Join(3);
        await Join(1);

        await gateway.ServerUpdate("s1", _ => true);
        Assert.DoesNotContain(gateway.Events.All, one => one.OnlySession == "s3");
        Assert.Equal([1ul], node.Pushes.All.Last(push => push.Guild == channel).Put.Select(member => member.User));
        await node.Die();
    }

    [Fact]
    public async Task A_call_begins_with_the_first_and_ends_with_the_last_and_who_answers_rings_no_longer()
    {
        using var node = await FakeNode.Start(silo);
        await Private.Open([Ann, Bob, Carl], owner: Ann.Id);
        var gateway = await FakeGateway.Start(silo, channel);

        Assert.Null(await Private.GetCall());
        await Join(1);
        await gateway.ServerUpdate("s1", _ => true);
        await Private.Ring([1, 2, 3, 99], on: true);
        await gateway.Events.When(one => one.Type == "CALL_UPDATE" && Ringing(one) is "2,3");
        await Join(2);
        await gateway.Events.When(one => one.Type == "CALL_UPDATE" && Ringing(one) is "3");
        Assert.Equal(2, (await Private.GetCall())!.VoiceStates!.Length);
        await Leave(1);
        await Leave(2);
        await gateway.Events.When(one => one.Type == "CALL_DELETE");

        var types = gateway.Events.All.Select(one => one.Type).ToArray();
        Assert.Equal(["CALL_CREATE", "VOICE_STATE_UPDATE", "VOICE_SERVER_UPDATE"], types[..3]);
        Assert.Equal(["VOICE_STATE_UPDATE", "CALL_DELETE"], types[^2..]);
        Assert.Null(await Private.GetCall());
        await node.Drops.When(drop => drop.Guild == channel);
        await node.Die();
    }

    [Fact]
    public async Task A_private_channel_is_no_guild()
    {
        await Private.Open([Ann, Bob], owner: null);
        var guild = silo.Guild(channel);

        Assert.Null(await guild.Get());
        Assert.Null(await guild.AddMember(Carl));
        Assert.Equal(Refusal.UnknownGuild, (await guild.CreateChannel(null, "more", ChannelType.Voice, null, 0)).Refusal);
        Assert.Null(await guild.Create("taken", Ann, []));
        Assert.Equal(Refusal.UnknownGuild, (await guild.ChangeMember(null, 1, new MemberChange(Mute: true))).Refusal);
        Assert.True((await silo.Grains.GetGrain<IExternalGuild>((long)channel).Hold(null, [])).Ours);
    }

    [Fact]
    public async Task Who_leaves_a_group_leaves_its_call_and_cannot_come_back_and_the_others_are_told()
    {
        using var node = await FakeNode.Start(silo);
        await Private.Open([Ann, Bob, Carl], owner: Ann.Id);
        var gateway = await FakeGateway.Start(silo, channel);
        await Join(1);
        await gateway.ServerUpdate("s1", _ => true);

        await Private.Leave(1);

        await gateway.Events.When(one => one.Type == "CHANNEL_RECIPIENT_REMOVE");
        await gateway.Events.When(one => one.Type == "CALL_DELETE");
        Assert.False(await Join(1));
        var left = (await Private.GetPrivate())!;
        Assert.Equal([2ul, 3ul], left.Recipients.Select(one => one.Id.Value).Order());
        Assert.Equal(2ul, left.OwnerId!.Value.Value);
        await node.Die();
    }

    [Fact]
    public async Task A_channel_that_exists_is_answered_as_it_is()
    {
        await Private.Open([Ann, Bob], owner: null);
        var again = await Private.Open([Ann, Carl], owner: null);

        Assert.Equal((ChannelType.Dm, null), (again.Type, again.OwnerId));
        Assert.Equal([Ann, Bob], again.Recipients);
    }

    private static string Ringing(GuildEvent one) =>
        string.Join(',', JsonSerializer.Deserialize(one.Data, GatewayJson.Default.Call)!.Ringing!);

    private Task<bool> Join(ulong user) => silo.Guild(channel).UpdateVoiceState(user, $"s{user}", new VoiceStateUpdate(null, channel));

    private Task<bool> Leave(ulong user) => silo.Guild(channel).UpdateVoiceState(user, $"s{user}", new VoiceStateUpdate(null, null));
}
