using CsCheck;
using Voice.Protocol.Gateway;
using Voice.Signaling.Gateway.Guilds;
using Xunit;

namespace Voice.Tests.Signaling.Guilds;

/// <summary>A slot goes to another node before its clients leave the one that serves them.</summary>
public class MoveTests
{
    private readonly VoiceWorld world = new();

    [Fact]
    public void Clients_are_told_with_the_same_voice_session_once_the_next_node_has_it()
    {
        world.JoinLive(1, "s1", VoiceWorld.Lounge);
        var session = world.Voice.Find(1)!.SessionId;
        world.NodeAnswers = false;
        world.Voice.WantMove("");
        Assert.Empty(world.Settle());
        Assert.Equal([1L], world.ServedBy(1));

        world.NodeAnswers = true;
        world.Voice.Touch();

        Assert.Equal(["VOICE_SERVER_UPDATE"], world.Settle().Select(one => one.Type));
        Assert.Equal(session, world.Voice.Find(1)!.SessionId);
        Assert.Equal((session, 3L), (world.Told[^1].VoiceSession, world.Told[^1].Epoch));
    }

    [Fact]
    public void The_former_node_serves_on_for_the_overlap_and_no_longer()
    {
        world.JoinLive(1, "s1", VoiceWorld.Lounge);
        world.Voice.WantMove("");
        world.Settle();

        world.Pass(SlotCall.Overlap - TimeSpan.FromMilliseconds(1));
        Assert.Equal([1L, 2L], world.ServedBy(1));
        world.Pass(TimeSpan.FromMilliseconds(1));
        Assert.Equal([2L], world.ServedBy(1));
    }

    [Fact]
    public void Whoever_is_muted_or_leaves_in_the_overlap_is_so_on_both_nodes()
    {
        world.JoinLive(1, "s1", VoiceWorld.Lounge);
        world.JoinLive(2, "s2", VoiceWorld.Lounge);
        world.Voice.WantMove("");
        world.Settle();

        world.Data.Members[1] = world.Data.Members[1] with { Mute = true };
        world.Voice.Refresh();
        world.Voice.SessionEnded(2, "s2");
        world.Join(3, "s3", VoiceWorld.Lounge);
        world.Settle();

        Assert.Equal([(1ul, true)], world.HeldBy("", epoch: 1).Select(member => (member.User, member.Mute)));
        Assert.Equal([(1ul, true), (3ul, false)], world.HeldBy("", epoch: 2).Select(member => (member.User, member.Mute)));
    }

    [Fact]
    public void A_node_that_dies_while_its_guild_moves_leaves_nothing_to_overlap_with()
    {
        world.JoinLive(1, "s1", VoiceWorld.Lounge);
        world.Voice.WantMove("");
        world.LoseNode("");
        world.Settle();

        Assert.Equal(2, world.Told[^1].Epoch);
        Assert.Equal([2L], world.ServedBy(1));
        Assert.Null(world.Voice.Slot("")!.Leaving);
    }

    [Fact]
    public void A_channel_that_gets_a_region_of_its_own_keeps_its_voice_sessions()
    {
        world.JoinLive(1, "s1", VoiceWorld.Games);
        var session = world.Voice.Find(1)!.SessionId;
        world.Change(VoiceWorld.Games, channel => channel with { RtcRegion = "eu" });
        world.Voice.Refresh();

        Assert.Equal(["VOICE_SERVER_UPDATE"], world.Settle().Select(one => one.Type));
        Assert.Equal((session, "eu"), (world.Told[^1].VoiceSession, world.Told[^1].Slot));
        Assert.Equal([1L, 2L], world.ServedBy(1));
        world.Pass(SlotCall.Overlap);
        world.Settle();
        Assert.Equal([2L], world.ServedBy(1));
    }

    [Theory]
    [InlineData("local", 1)] // it is there
    [InlineData(null, 1)] // anywhere will do
    [InlineData("eu", 2)]
    public void A_guilds_new_region_moves_its_call_unless_it_is_there(string? region, long epoch)
    {
        world.JoinLive(1, "s1", VoiceWorld.Lounge);
        world.Data.Region = region;
        world.Voice.RegionChanged();
        world.Voice.Refresh();
        world.Settle();

        Assert.Equal(epoch, world.Voice.Slot("")!.Assignment!.Epoch);
    }

    [Fact]
    public void Without_a_region_of_its_own_a_guild_asks_for_what_is_best_for_whoever_has_it_worst()
    {
        Prefer(1, "asia", "south", "europe");
        Assert.Equal("asia", world.Voice.RegionOf(""));
        Prefer(2, "europe", "south", "asia");
        Assert.Equal("south", world.Voice.RegionOf(""));
        world.Data.Region = "local";
        Assert.Equal("local", world.Voice.RegionOf(""));

        void Prefer(ulong user, params string[] regions) => world.Update(
            user, $"s{user}", new VoiceStateUpdate(VoiceWorld.GuildId, VoiceWorld.Lounge) { PreferredRegions = regions });
    }

    /// <summary>Joins, leaves, deaths, drains, changes of region, silent nodes, and time, in whatever order: epochs rise, nobody hears of one
    /// twice, and an overlap is over when it is.</summary>
    [Fact]
    public void Whatever_happens_nobody_is_served_twice_for_longer_than_the_overlap() =>
        Gen.Select(Gen.Int[0, 9], Gen.ULong[1, 4], Gen.Int[0, 2]).Array[1, 60].Sample(steps =>
        {
            var tested = new VoiceWorld();
            foreach (var (step, user, which) in steps)
            {
                var slot = which == 0 ? "eu" : "";
                switch (step)
                {
                    case 0 or 1 when tested.Voice.Find(user) is null: tested.Join(user, $"s{user}", which == 0 ? VoiceWorld.Games : VoiceWorld.Lounge); break;
                    case 2: tested.Voice.SessionEnded(user, $"s{user}"); break;
                    case 3 or 4: tested.Voice.WantMove(slot); break;
                    case 5: tested.LoseNode(slot); break;
                    case 6:
                        tested.Change(VoiceWorld.Games, channel => channel with { RtcRegion = channel.RtcRegion is null ? "eu" : null });
                        tested.Voice.Refresh();
                        break;
                    case 7:
                        tested.NodeAnswers = which > 0;
                        tested.Voice.Touch(); // as the pump tries again
                        break;
                    case 8: tested.Pass(TimeSpan.FromSeconds(1 << which)); break;
                    default: tested.HasNode = which > 0; break;
                }

                tested.Settle();
                Check(tested);
            }
        });

    private static void Check(VoiceWorld world)
    {
        foreach (var told in world.Told.GroupBy(one => one.VoiceSession))
        {
            var updates = told.ToArray();
            foreach (var (before, after) in updates.Zip(updates.Skip(1)))
            {
                Assert.NotEqual((before.Slot, before.Epoch), (after.Slot, after.Epoch));
                if (before.Slot == after.Slot && after.Epoch > 0) Assert.True(after.Epoch > before.Epoch);
            }
        }

        foreach (var one in world.Voice.Participants)
        {
            var served = world.ServedBy(one.User.Value);
            var last = world.Told.LastOrDefault(told => told.VoiceSession == one.SessionId);
            if (last.Epoch == 0) continue; // nobody tells them anything yet, or there is no node
            var isCalm = world.NodeAnswers && world.Now - last.At >= SlotCall.Overlap && one.Slot == last.Slot && world.Voice.Slot(one.Slot)!.Assignment?.Epoch == last.Epoch;
            if (isCalm) Assert.Equal([last.Epoch], served);
            Assert.InRange(served.Length, 0, 4); // two slots, each on the move
        }
    }
}
