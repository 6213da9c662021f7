using CsCheck;
using Voice.Protocol;
using Voice.Protocol.Gateway;
using Voice.Protocol.Links;
using Voice.Signaling.Gateway;
using Voice.Signaling.Gateway.Guilds;
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
        world.Update(1, "s1", new VoiceStateUpdate(VoiceWorld.GuildId, VoiceWorld.Lounge) { SelfMute = true });
        var told = Assert.Single(world.Settle());
        Assert.True(FakeGateway.State(told).SelfMute);
        Assert.True(world.Held("")[1].SelfMute);
    }

    [Fact]
    public void Muting_oneself_while_still_connecting_does_not_start_over()
    {
        world.Join(1, "s1", VoiceWorld.Lounge);
        world.Settle();
        world.Update(1, "s1", new VoiceStateUpdate(VoiceWorld.GuildId, VoiceWorld.Lounge) { SelfMute = true });
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
        if (wasLive) world.SessionChanged(1, VoiceSessionState.Ended);

        world.Join(1, "s1", VoiceWorld.Lounge);

        Assert.All(world.Settle(), one => Assert.Equal("s1", one.OnlySession));
        Assert.Equal(2, world.ServerUpdates.Count(one => one.Session == "s1"));
        Assert.Equal(session, world.Voice.Find(1)!.SessionId);
    }

    /// <summary>A client that lost its voice session may say so before the node does.</summary>
    [Theory]
    [InlineData(0, true)]
    [InlineData(5, true)]
    [InlineData(6, false)]
    public void Op_4_that_comes_before_the_news_of_the_lost_session_is_answered_with_it(int secondsLater, bool answered)
    {
        world.JoinLive(1, "s1", VoiceWorld.Lounge);
        world.Join(1, "s1", VoiceWorld.Lounge);
        Assert.Empty(world.Settle());

        world.Now += TimeSpan.FromSeconds(secondsLater);
        world.SessionChanged(1, VoiceSessionState.Ended);

        Assert.Equal(answered ? ["VOICE_STATE_UPDATE", "VOICE_SERVER_UPDATE"] : [], world.Settle().Select(one => one.Type));
    }

    /// <summary>It may resume, and libraries drop that for a server update. After a fatal close they send what they sent before.</summary>
    [Theory]
    [InlineData(true, false)]
    [InlineData(false, true)]
    public void A_severed_session_is_answered_for_an_unchanged_op_4_alone(bool mutes, bool answered)
    {
        world.JoinLive(1, "s1", VoiceWorld.Lounge);
        world.SessionChanged(1, VoiceSessionState.Severed);

        world.Update(1, "s1", new VoiceStateUpdate(VoiceWorld.GuildId, VoiceWorld.Lounge) { SelfMute = mutes });

        Assert.Equal(answered, world.Settle().Any(one => one.Type == "VOICE_SERVER_UPDATE"));
    }

    [Fact]
    public void Muting_oneself_with_a_session_that_is_over_is_asking_for_another()
    {
        world.JoinLive(1, "s1", VoiceWorld.Lounge);
        world.SessionChanged(1, VoiceSessionState.Severed);
        world.SessionChanged(1, VoiceSessionState.Ended);

        world.Update(1, "s1", new VoiceStateUpdate(VoiceWorld.GuildId, VoiceWorld.Lounge) { SelfMute = true });

        Assert.Contains(world.Settle(), one => one.Type == "VOICE_SERVER_UPDATE");
    }

    [Fact]
    public void An_answer_that_was_put_off_does_not_hit_a_session_that_lives_again()
    {
        world.JoinLive(1, "s1", VoiceWorld.Lounge);
        for (var asked = 0; asked < 2; asked++)
        {
            world.SessionChanged(1, VoiceSessionState.Severed);
            world.Join(1, "s1", VoiceWorld.Lounge);
            world.Settle();
            world.SessionChanged(1, VoiceSessionState.Connected);
        }

        world.Now += RejoinDelay.Longest;
        world.Voice.Touch();
        Assert.Empty(world.Settle());
        Assert.Null(world.Voice.NextDue(TimeSpan.Zero));
    }

    [Fact]
    public void A_client_that_is_closed_again_and_again_is_answered_later_and_later()
    {
        double[] waits = [0, 0.5, 1, 2, 4, 8, 16, 30, 30];
        world.Join(1, "s1", VoiceWorld.Lounge);
        world.Settle();
        foreach (var wait in waits)
        {
            world.SessionChanged(1, VoiceSessionState.Connected);
            world.SessionChanged(1, VoiceSessionState.Ended);
            var told = world.ServerUpdates.Count;
            world.Join(1, "s1", VoiceWorld.Lounge);

            for (var asked = 0; asked < 3 && wait > 0; asked++)
            {
                Assert.DoesNotContain(world.Settle(), one => one.Type == "VOICE_SERVER_UPDATE");
                Assert.Equal(world.Now + TimeSpan.FromSeconds(wait), world.Voice.NextDue(world.Now));
                world.Join(1, "s1", VoiceWorld.Lounge); // asking again meanwhile changes nothing
            }

            world.Now += TimeSpan.FromSeconds(wait);
            world.Voice.Touch();
            Assert.Contains(world.Settle(), one => one.Type == "VOICE_SERVER_UPDATE");
            Assert.Equal(told + 1, world.ServerUpdates.Count);
            Assert.Null(world.Voice.NextDue(world.Now));
        }
    }

    [Fact]
    public void Whoever_waits_for_an_answer_is_told_of_another_node_at_once()
    {
        world.Join(1, "s1", VoiceWorld.Lounge);
        for (var i = 0; i < 5; i++)
        {
            world.Settle();
            world.Join(1, "s1", VoiceWorld.Lounge);
        }

        world.LoseNode("");
        Assert.Contains(world.Settle(), one => one.Type == "VOICE_SERVER_UPDATE");
        Assert.Equal(("s1", 2L), world.ServerUpdates[^1]);
        Assert.Null(world.Voice.NextDue(world.Now));
    }

    [Fact]
    public void A_session_that_held_for_a_while_is_forgiven()
    {
        world.Join(1, "s1", VoiceWorld.Lounge);
        for (var round = 1; round < 5; round++)
        {
            world.Settle();
            Assert.Equal(round, world.ServerUpdates.Count);
            world.SessionChanged(1, VoiceSessionState.Connected);
            world.Now += RejoinDelay.Settled;
            world.SessionChanged(1, VoiceSessionState.Ended);
            world.Join(1, "s1", VoiceWorld.Lounge);
        }
    }

    [Fact]
    public void A_move_is_answered_at_once_whatever_went_before()
    {
        world.Join(1, "s1", VoiceWorld.Lounge);
        for (var i = 0; i < 5; i++)
        {
            world.Settle();
            world.Join(1, "s1", VoiceWorld.Lounge);
        }

        world.Join(1, "s1", VoiceWorld.Games);
        Assert.Contains(world.Settle(), one => one.Type == "VOICE_SERVER_UPDATE");
    }

    [Fact]
    public void A_moderator_moves_somebody_who_may_not_go_there_and_the_session_is_a_new_one()
    {
        world.JoinLive(1, "s1", VoiceWorld.Lounge);
        world.Deny(VoiceWorld.Games, Permissions.Connect);
        var before = world.Voice.Find(1)!.SessionId;

        world.Voice.Move(1, VoiceWorld.Games);

        Assert.Equal([("VOICE_STATE_UPDATE", null), ("VOICE_SERVER_UPDATE", "s1")], world.Settle().Select(one => (one.Type, one.OnlySession)));
        Assert.NotEqual(before, world.Voice.Find(1)!.SessionId);
        Assert.Equal(VoiceWorld.Games.Value, world.Held("")[1].Channel);
    }

    [Fact]
    public void A_moderator_disconnects_somebody()
    {
        world.JoinLive(1, "s1", VoiceWorld.Lounge);
        world.JoinLive(2, "s2", VoiceWorld.Lounge);

        world.Voice.Move(1, null);

        Assert.Null(FakeGateway.State(Assert.Single(world.Settle())).ChannelId);
        Assert.Equal([2ul], world.Held("").Keys);
    }

    [Fact]
    public void On_a_stage_who_is_let_may_speak_until_they_go()
    {
        world.JoinLive(1, "s1", VoiceWorld.Stage);
        world.Voice.ChangeStage(1, new VoiceStateChange(Request: new SpeechRequest(DateTimeOffset.UnixEpoch)), own: true, DateTimeOffset.UnixEpoch);
        Assert.Equal(DateTimeOffset.UnixEpoch, FakeGateway.State(Assert.Single(world.Settle())).RequestToSpeakTimestamp);

        world.Voice.ChangeStage(1, new VoiceStateChange(Suppress: false), own: false, DateTimeOffset.UnixEpoch);
        Assert.False(FakeGateway.State(Assert.Single(world.Settle())).Suppress);
        Assert.False(world.Held("")[1].Suppress);
        world.Voice.Refresh();
        Assert.False(world.Voice.Find(1)!.Suppress);

        world.Join(1, "s1", VoiceWorld.Lounge);
        world.Join(1, "s1", VoiceWorld.Stage);
        Assert.True(world.Voice.Find(1)!.Suppress);
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

        world.Update(1, "old", new VoiceStateUpdate(VoiceWorld.GuildId, null));
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
        world.Update(1, "s1", new VoiceStateUpdate(VoiceWorld.GuildId, null));
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
    public void Who_may_be_heard_first_is_a_permission_and_the_node_is_told_at_once()
    {
        world.JoinLive(1, "s1", VoiceWorld.Lounge);
        Assert.False(world.Held("")[1].PrioritySpeaker);
        world.Allow(VoiceWorld.Lounge, Permissions.PrioritySpeaker);
        world.Voice.Refresh();
        world.Settle();

        Assert.True(world.Held("")[1].PrioritySpeaker);
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
        Assert.Equal([2ul], world.Held("eu").Keys); // until its client is over there

        world.Pass(SlotCall.Overlap);
        world.Settle();
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
        world.Voice.ConnectionChanged(world.Now, new VoiceSessionChanged(VoiceWorld.GuildId.Value, "", 1, 1, "another", VoiceSessionState.Ended));
        world.Voice.ConnectionChanged(world.Now, new VoiceSessionChanged(VoiceWorld.GuildId.Value, "", 9, 1, world.Voice.Find(1)!.SessionId, VoiceSessionState.Ended));
        world.Join(1, "s1", VoiceWorld.Lounge);
        Assert.Empty(world.Settle());
    }

    [Fact]
    public void A_node_that_asks_for_a_whole_update_gets_one()
    {
        world.JoinLive(1, "s1", VoiceWorld.Lounge);
        world.JoinLive(2, "s2", VoiceWorld.Lounge);
        world.Forget("");
        world.Update(1, "s1", new VoiceStateUpdate(VoiceWorld.GuildId, VoiceWorld.Lounge) { SelfDeaf = true });
        world.Settle();
        Assert.Equal([1ul, 2ul], world.Held("").Keys.Order());
    }

    /// <summary>Whatever users, nodes and moderators do: in the end each node holds exactly the voice states there are, what
    /// the gateways were told adds up to the same, and everybody was last told of the assignment that serves them.</summary>
    [Fact]
    public void What_nodes_and_clients_were_told_is_what_is() =>
        Gen.Select(Gen.Int[0, 15], Gen.ULong[1, 4], Gen.Int[0, 2]).Array[1, 80].Sample(steps =>
        {
            var tested = new VoiceWorld();
            foreach (var (step, user, which) in steps) tested.Random(step, user, which);
            tested.HasNode = tested.NodeAnswers = true;
            for (var waited = 0; waited < 3; waited++)
            {
                tested.Pass(RejoinDelay.Longest);
                tested.Voice.Touch();
                tested.Settle();
            }

            tested.AssertConsistent();
        });
}
