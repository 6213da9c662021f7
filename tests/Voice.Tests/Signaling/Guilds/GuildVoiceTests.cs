using CsCheck;
using Voice.Protocol;
using Voice.Protocol.Gateway;
using Voice.Protocol.Links;
using Xunit;

namespace Voice.Tests.Signaling.Guilds;

public class GuildVoiceTests
{
    private readonly VoiceWorld world = new();

    [Fact]
    public void A_join_tells_the_state_to_all_and_then_the_server_to_the_joiner()
    {
        world.Join(1, "s1", VoiceWorld.Lounge);
        var events = world.Settle();

        Assert.Equal([("VOICE_STATE_UPDATE", null), ("VOICE_SERVER_UPDATE", "s1")], events.Select(one => (one.Type, one.OnlySession)));
        var state = FakeGateway.State(events[0]);
        Assert.Equal((VoiceWorld.GuildId, VoiceWorld.Lounge, 1ul), (state.GuildId!.Value, state.ChannelId!.Value, state.UserId.Value));
        Assert.Equal(1ul, state.Member!.User.Id.Value);
        Assert.Equal(32, state.SessionId.Length);
    }

    [Fact]
    public void Nobody_is_told_before_the_node_holds_them()
    {
        world.NodeAnswers = false;
        world.Join(1, "s1", VoiceWorld.Lounge);
        Assert.DoesNotContain(world.Settle(), one => one.Type == "VOICE_SERVER_UPDATE");
        world.NodeAnswers = true;
        world.Voice.Touch();
        Assert.Single(world.Settle(), one => one.Type == "VOICE_SERVER_UPDATE");
    }

    [Theory]
    [InlineData("no such channel")]
    [InlineData("text channel")]
    [InlineData("not a member")]
    [InlineData("no permission")]
    [InlineData("full")]
    public void A_refusal_is_silent(string why)
    {
        var (user, channel) = (2ul, VoiceWorld.Lounge);
        switch (why)
        {
            case "no such channel": channel = 999; break;
            case "text channel": channel = VoiceWorld.Text; break;
            case "not a member": user = 99; break;
            case "no permission": world.Deny(VoiceWorld.Lounge, Permissions.Connect); break;
            default:
                world.Change(VoiceWorld.Lounge, channel => channel with { UserLimit = 1 });
                world.Join(1, "s1", VoiceWorld.Lounge);
                break;
        }

        world.Settle();
        world.Join(user, "s2", channel);
        Assert.Empty(world.Settle());
        Assert.Null(world.Voice.Find(user));
    }

    [Fact]
    public void A_refused_move_leaves_the_user_where_they_are()
    {
        world.Join(1, "s1", VoiceWorld.Lounge);
        world.Settle();
        world.Deny(VoiceWorld.Games, Permissions.ViewChannel);
        world.Join(1, "s1", VoiceWorld.Games);
        Assert.Empty(world.Settle());
        Assert.Equal(VoiceWorld.Lounge, world.Voice.Find(1)!.Channel);
    }

    [Fact]
    public void Who_moves_members_may_enter_a_full_channel()
    {
        world.Change(VoiceWorld.Lounge, channel => channel with { UserLimit = 1 });
        world.Join(1, "s1", VoiceWorld.Lounge);
        world.Join(VoiceWorld.Owner, "so", VoiceWorld.Lounge);
        Assert.Equal(2, world.Voice.Participants.Count);
    }

    [Fact]
    public void Somebody_already_in_a_full_channel_may_toggle_and_take_over()
    {
        world.Change(VoiceWorld.Lounge, channel => channel with { UserLimit = 1 });
        world.Join(1, "s1", VoiceWorld.Lounge);
        world.Join(1, "s2", VoiceWorld.Lounge);
        Assert.Equal("s2", world.Voice.Find(1)!.GatewaySession);
    }

    [Fact]
    public void Muting_oneself_tells_the_state_only()
    {
        world.JoinLive(1, "s1", VoiceWorld.Lounge);
        world.Voice.Update(1, "s1", new VoiceStateUpdate(VoiceWorld.GuildId, VoiceWorld.Lounge) { SelfMute = true });
        var told = Assert.Single(world.Settle());
        Assert.True(FakeGateway.State(told).SelfMute);
        Assert.True(world.Held("")[1].SelfMute);
    }

    [Fact]
    public void Muting_oneself_while_still_connecting_does_not_start_over()
    {
        world.Join(1, "s1", VoiceWorld.Lounge);
        world.Settle();
        world.Voice.Update(1, "s1", new VoiceStateUpdate(VoiceWorld.GuildId, VoiceWorld.Lounge) { SelfMute = true });
        Assert.Equal("VOICE_STATE_UPDATE", Assert.Single(world.Settle()).Type);
    }

    [Fact]
    public void Repeating_op_4_while_live_changes_nothing()
    {
        world.JoinLive(1, "s1", VoiceWorld.Lounge);
        world.Join(1, "s1", VoiceWorld.Lounge);
        Assert.Empty(world.Settle());
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Op_4_for_the_same_channel_without_a_voice_session_gives_a_fresh_server_update(bool wasLive)
    {
        if (wasLive) world.JoinLive(1, "s1", VoiceWorld.Lounge);
        else world.Join(1, "s1", VoiceWorld.Lounge);
        world.Settle();
        var session = world.Voice.Find(1)!.SessionId;
        if (wasLive) world.SessionChanged(1, connected: false);

        world.Join(1, "s1", VoiceWorld.Lounge);

        Assert.All(world.Settle(), one => Assert.Equal("s1", one.OnlySession));
        Assert.Equal(2, world.ServerUpdates.Count(one => one.Session == "s1"));
        Assert.Equal(session, world.Voice.Find(1)!.SessionId);
    }

    [Fact]
    public void A_move_has_a_new_session_id_and_a_new_server_update_on_the_same_assignment()
    {
        world.JoinLive(1, "s1", VoiceWorld.Lounge);
        var before = world.Voice.Find(1)!.SessionId;
        world.Join(1, "s1", VoiceWorld.Games);
        Assert.Equal(2, world.Settle().Length);
        Assert.NotEqual(before, world.Voice.Find(1)!.SessionId);
        Assert.Equal([1L, 1L], world.ServerUpdates.Select(one => one.Epoch));
        Assert.Equal(VoiceWorld.Games.Value, world.Held("")[1].Channel);
    }

    [Fact]
    public void Another_session_of_the_user_takes_over_and_the_old_ones_goodbye_does_not_count()
    {
        world.JoinLive(1, "old", VoiceWorld.Lounge);
        var before = world.Voice.Find(1)!.SessionId;
        world.Join(1, "new", VoiceWorld.Lounge);
        world.Settle();
        Assert.NotEqual(before, world.Voice.Find(1)!.SessionId);
        Assert.Equal("new", world.ServerUpdates[^1].Session);

        world.Voice.Update(1, "old", new VoiceStateUpdate(VoiceWorld.GuildId, null));
        world.Voice.SessionEnded(1, "old");
        Assert.Empty(world.Settle());
        world.Voice.SessionEnded(1, "new");
        Assert.Null(FakeGateway.State(Assert.Single(world.Settle())).ChannelId);
    }

    [Fact]
    public void A_leaver_is_gone_from_the_node_before_anybody_is_told()
    {
        world.JoinLive(1, "s1", VoiceWorld.Lounge);
        world.JoinLive(2, "s2", VoiceWorld.Lounge);
        world.Voice.Update(1, "s1", new VoiceStateUpdate(VoiceWorld.GuildId, null));
        Assert.Single(world.Settle());
        Assert.Equal([2ul], world.Held("").Keys);
    }

    [Fact]
    public void The_last_leaver_frees_the_slot()
    {
        world.JoinLive(1, "s1", VoiceWorld.Lounge);
        world.Voice.SessionEnded(1, "s1");
        world.Settle();
        Assert.Empty(world.Voice.Slots);
        Assert.True(world.Voice.IsIdle);
    }

    [Fact]
    public void Flags_come_from_the_member_and_from_the_permissions_and_act_at_once()
    {
        world.JoinLive(1, "s1", VoiceWorld.Lounge);
        world.Data.Members[1] = world.Data.Members[1] with { Mute = true, Deaf = true };
        world.Deny(VoiceWorld.Lounge, Permissions.Speak);
        world.Voice.Refresh();

        var state = FakeGateway.State(Assert.Single(world.Settle()));
        Assert.Equal((true, true, true), (state.Mute, state.Deaf, state.Suppress));
        Assert.True(world.Held("")[1] is { Mute: true, Deaf: true, Suppress: true });
    }

    [Fact]
    public void On_a_stage_one_listens_unless_one_moderates()
    {
        world.Join(1, "s1", VoiceWorld.Stage);
        world.Join(VoiceWorld.Owner, "so", VoiceWorld.Stage);
        Assert.True(world.Voice.Find(1)!.Suppress);
        Assert.False(world.Voice.Find(VoiceWorld.Owner)!.Suppress);
    }

    [Fact]
    public void Without_a_node_the_endpoint_is_null_until_one_comes()
    {
        world.HasNode = false;
        world.Join(1, "s1", VoiceWorld.Lounge);
        world.Settle();
        Assert.Equal(("s1", 0L), Assert.Single(world.ServerUpdates));

        world.HasNode = true;
        world.Voice.Touch();
        Assert.Single(world.Settle());
        Assert.Equal(("s1", 1L), world.ServerUpdates[^1]);
    }

    [Fact]
    public void When_the_node_goes_everybody_is_told_of_the_next_with_the_same_session()
    {
        world.JoinLive(1, "s1", VoiceWorld.Lounge);
        world.JoinLive(2, "s2", VoiceWorld.Games);
        var session = world.Voice.Find(1)!.SessionId;
        world.LoseNode("");

        Assert.Equal(["s1", "s2"], world.Settle().Select(one => one.OnlySession).Order());
        Assert.Equal([2L, 2L], world.ServerUpdates.TakeLast(2).Select(one => one.Epoch));
        Assert.Equal(session, world.Voice.Find(1)!.SessionId);
    }

    [Fact]
    public void A_channel_with_its_own_region_has_its_own_assignment()
    {
        world.Change(VoiceWorld.Games, channel => channel with { RtcRegion = "eu" });
        world.JoinLive(1, "s1", VoiceWorld.Lounge);
        world.JoinLive(2, "s2", VoiceWorld.Games);
        Assert.Equal(["", "eu"], world.Voice.Slots.Select(slot => slot.Slot));
        Assert.Equal("eu", world.Voice.RegionOf("eu"));
        Assert.Equal([1ul], world.Held("").Keys);
        Assert.Equal([2ul], world.Held("eu").Keys);

        world.Change(VoiceWorld.Games, channel => channel with { RtcRegion = null });
        world.Voice.Refresh();
        world.Settle();
        Assert.Equal([1ul, 2ul], world.Held("").Keys.Order());
        Assert.Equal([""], world.Voice.Slots.Select(slot => slot.Slot));
    }

    [Fact]
    public void A_region_override_equal_to_the_guilds_region_is_none()
    {
        world.Data.Region = "eu";
        world.Change(VoiceWorld.Games, channel => channel with { RtcRegion = "eu" });
        world.Join(1, "s1", VoiceWorld.Games);
        Assert.Equal("", world.Voice.Find(1)!.Slot);
    }

    [Fact]
    public void News_of_an_old_session_or_epoch_is_ignored()
    {
        world.JoinLive(1, "s1", VoiceWorld.Lounge);
        world.Voice.ConnectionChanged(new VoiceSessionChanged(VoiceWorld.GuildId.Value, "", 1, 1, "another", false));
        world.Voice.ConnectionChanged(new VoiceSessionChanged(VoiceWorld.GuildId.Value, "", 9, 1, world.Voice.Find(1)!.SessionId, false));
        world.Join(1, "s1", VoiceWorld.Lounge);
        Assert.Empty(world.Settle());
    }

    [Fact]
    public void A_node_that_asks_for_a_whole_update_gets_one()
    {
        world.JoinLive(1, "s1", VoiceWorld.Lounge);
        world.JoinLive(2, "s2", VoiceWorld.Lounge);
        world.Forget("");
        world.Voice.Update(1, "s1", new VoiceStateUpdate(VoiceWorld.GuildId, VoiceWorld.Lounge) { SelfDeaf = true });
        world.Settle();
        Assert.Equal([1ul, 2ul], world.Held("").Keys.Order());
    }

    /// <summary>Whatever users, nodes and moderators do: in the end each node holds exactly the voice states there are, what
    /// the gateways were told adds up to the same, and everybody was last told of the assignment that serves them.</summary>
    [Fact]
    public void What_nodes_and_clients_were_told_is_what_is() =>
        Gen.Select(Gen.Int[0, 12], Gen.ULong[1, 4], Gen.Int[0, 2]).Array[1, 80].Sample(steps =>
        {
            var tested = new VoiceWorld();
            foreach (var (step, user, which) in steps) tested.Random(step, user, which);
            tested.HasNode = tested.NodeAnswers = true;
            tested.Voice.Touch();
            tested.Settle();
            tested.AssertConsistent();
        });
}
