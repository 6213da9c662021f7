using Voice.Protocol.Links;
using Voice.Protocol.Voice;
using Xunit;

namespace Voice.Tests.Signaling.VoiceServer;

public class GuildUpdateTests
{
    private readonly TestNode node = new();

    private GuildAck LastAck => node.ToGateways.OfType<GuildAck>().Last();

    [Fact]
    public void Each_update_is_answered_with_what_is_held()
    {
        node.Push(TestNode.Member(1));
        node.Push(TestNode.Member(2));

        Assert.Equal(new GuildAck(TestNode.Guild, "", TestNode.Epoch, 2, NeedWhole: false), LastAck);
        Assert.Equal(new HostedGuild(TestNode.Guild, "", TestNode.Epoch), Assert.Single(node.Core.Hosted()));
    }

    [Fact]
    public void A_gap_is_not_applied_and_a_whole_update_closes_it()
    {
        node.Push(TestNode.Member(1));
        node.Update(new GuildUpdate(TestNode.Guild, "", TestNode.Epoch, 3, false, [], [1]));
        Assert.Equal((3, true), (LastAck.Revision, LastAck.NeedWhole));

        node.Update(new GuildUpdate(TestNode.Guild, "", TestNode.Epoch, 3, true, [TestNode.Member(2)], []));
        Assert.Equal((3, false), (LastAck.Revision, LastAck.NeedWhole));
    }

    [Fact]
    public void The_first_update_must_be_whole()
    {
        node.Update(new GuildUpdate(TestNode.Guild, "", TestNode.Epoch, 7, false, [TestNode.Member(1)], []));

        Assert.True(LastAck.NeedWhole);
        Assert.Empty(node.Core.Hosted());
    }

    [Fact]
    public void A_repeated_update_changes_nothing()
    {
        node.Push(TestNode.Member(1));
        var client = node.Connect();
        client.Identify(1);
        node.Update(new GuildUpdate(TestNode.Guild, "", TestNode.Epoch, 1, true, [], []));

        Assert.Null(client.Closed);
        Assert.Equal((1, false), (LastAck.Revision, LastAck.NeedWhole));
    }

    [Fact]
    public void A_whole_update_removes_whom_it_does_not_name()
    {
        var (stays, goes) = (node.Join(1), node.Join(2));
        node.Update(new GuildUpdate(TestNode.Guild, "", TestNode.Epoch, 9, true, [node.Pushed(1)], []));

        Assert.Null(stays.Closed);
        Assert.Equal(VoiceCloseCode.Disconnected, goes.Closed);
    }

    [Fact]
    public void An_update_of_an_assignment_that_ended_is_never_acknowledged()
    {
        node.Push(TestNode.Member(1));
        node.Drop();
        node.Update(new GuildUpdate(TestNode.Guild, "", TestNode.Epoch, 5, true, [TestNode.Member(1)], []));

        Assert.NotEqual(5, LastAck.Revision);
        Assert.Empty(node.Core.Hosted());
    }

    [Fact]
    public void A_lower_epoch_is_refused_and_answered_with_the_one_that_is_held()
    {
        var client = node.Join(1);
        node.Update(new GuildUpdate(TestNode.Guild, "", TestNode.Epoch - 1, 99, true, [], []));

        Assert.Null(client.Closed);
        Assert.Equal((TestNode.Epoch, false), (LastAck.Epoch, LastAck.NeedWhole));
    }

    [Fact]
    public void A_higher_epoch_replaces_everything()
    {
        var client = node.Join(1);
        node.Update(new GuildUpdate(TestNode.Guild, "", TestNode.Epoch + 1, 1, true, [node.Pushed(1)], []));

        Assert.Equal(VoiceCloseCode.Disconnected, client.Closed);
        Assert.Equal(TestNode.Epoch + 1, Assert.Single(node.Core.Hosted()).Epoch);
        var again = node.Connect();
        again.Identify(1, node.Token(1, token => token with { Epoch = TestNode.Epoch + 1 }));
        Assert.Null(again.Closed);
    }

    [Fact]
    public void A_higher_epoch_that_is_not_whole_still_fences_the_old_one()
    {
        var client = node.Join(1);
        node.Update(new GuildUpdate(TestNode.Guild, "", TestNode.Epoch + 1, 4, false, [], []));

        Assert.Equal(VoiceCloseCode.Disconnected, client.Closed);
        Assert.True(LastAck.NeedWhole);
        Assert.Empty(node.Core.Hosted());
    }

    [Fact]
    public void A_dropped_assignment_does_not_come_back_by_a_late_update()
    {
        var client = node.Join(1);
        node.Drop();
        Assert.Equal(VoiceCloseCode.Disconnected, client.Closed);

        node.Update(new GuildUpdate(TestNode.Guild, "", TestNode.Epoch, 50, true, [node.Pushed(1)], []));
        Assert.Empty(node.Core.Hosted());
        node.Update(new GuildUpdate(TestNode.Guild, "", TestNode.Epoch + 1, 1, true, [node.Pushed(1)], []));
        Assert.Single(node.Core.Hosted());
    }

    [Fact]
    public void A_drop_of_an_older_assignment_leaves_the_newer_one()
    {
        var client = node.Join(1);
        node.Drop(TestNode.Epoch - 1);

        Assert.Null(client.Closed);
        Assert.Single(node.Core.Hosted());
    }

    [Fact]
    public void A_guild_that_moved_is_served_until_the_overlap_is_over_and_belongs_to_nobody_meanwhile()
    {
        var client = node.Join(1);
        node.Move(overlapMillis: 4500);
        Assert.Empty(node.Core.Hosted());
        node.Pass(TimeSpan.FromMilliseconds(4499));
        Assert.Null(client.Closed);
        Assert.Equal(1, node.Core.Guilds);

        node.Pass(TimeSpan.FromMilliseconds(1));
        Assert.Equal(VoiceCloseCode.Disconnected, client.Closed);
        Assert.Equal(0, node.Core.Guilds);
    }

    [Fact]
    public void No_overlap_is_longer_than_the_node_thinks_right()
    {
        var client = node.Join(1);
        node.Move(overlapMillis: int.MaxValue);
        node.Pass(TimeSpan.FromSeconds(10));
        Assert.Equal(VoiceCloseCode.Disconnected, client.Closed);
    }

    [Fact]
    public void Whoever_is_removed_in_the_overlap_goes_at_once()
    {
        var (stays, goes) = (node.Join(1), node.Join(2));
        node.Move(overlapMillis: 4500);
        node.Remove(2);
        Assert.Null(stays.Closed);
        Assert.Equal(VoiceCloseCode.Disconnected, goes.Closed);
    }

    [Fact]
    public void Slots_of_a_guild_are_separate_assignments()
    {
        node.Join(1);
        node.Update(new GuildUpdate(TestNode.Guild, "eu", TestNode.Epoch + 1, 1, true, [TestNode.Member(2, TestNode.Den)], []));
        node.Drop();

        Assert.Equal("eu", Assert.Single(node.Core.Hosted()).Slot);
    }

    [Theory]
    [InlineData("self_mute", Gates.TalkerSelfMuted, Gates.None)]
    [InlineData("mute", Gates.TalkerMuted, Gates.None)]
    [InlineData("self_deaf", Gates.None, Gates.ListenerSelfDeafened)]
    [InlineData("deaf", Gates.None, Gates.ListenerDeafened)]
    public void A_changed_flag_of_a_running_session_sets_gates_and_nothing_else(string flag, Gates asTalker, Gates asListener)
    {
        var (a, b) = (node.Join(1), node.Join(2));
        b.News();
        var member = node.Pushed(1);
        node.Push(flag switch
        {
            "self_mute" => member with { SelfMute = true },
            "mute" => member with { Mute = true },
            "self_deaf" => member with { SelfDeaf = true },
            _ => member with { Deaf = true },
        });

        Assert.Equal((asTalker, asListener), GatesOf(a, b));
        Assert.Null(a.Closed);
        Assert.Empty(b.News());

        node.Push(member);
        Assert.Equal((Gates.None, Gates.None), GatesOf(a, b));
    }

    [Fact]
    public void Who_is_suppressed_has_no_track_until_he_may_speak()
    {
        var (a, b) = (node.Join(1), node.Join(2));
        var member = node.Pushed(1);
        b.News();

        node.Push(member with { Suppress = true });
        Assert.Equal([b.Ssrc], node.Plan.Tracks.Keys);
        Assert.Equal(b.Ssrc, Assert.Single(node.Plan.Subscriptions).Key.Track);
        Assert.Empty(b.News());

        node.Push(member);
        Assert.Equal((Gates.None, Gates.None), GatesOf(a, b));
    }

    [Fact]
    public void Flags_that_were_set_before_the_join_gate_from_the_first_packet()
    {
        var listener = node.Join(2);
        node.Push(TestNode.Member(1) with { Mute = true });
        var muted = node.Connect();
        muted.Identify(1);
        muted.Select();

        Assert.Equal(Gates.TalkerMuted, GatesOf(muted, listener).OfA);
    }

    private (Gates OfA, Gates OfB) GatesOf(TestClient a, TestClient b)
    {
        var (aTransport, bTransport) = (node.Plan.Tracks[a.Ssrc].Transport, node.Plan.Tracks[b.Ssrc].Transport);
        return (node.Plan.Subscriptions[(a.Ssrc, bTransport)].Gates, node.Plan.Subscriptions[(b.Ssrc, aTransport)].Gates);
    }
}
