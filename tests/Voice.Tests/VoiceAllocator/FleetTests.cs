using CsCheck;
using Voice.Protocol.Links;
using Voice.VoiceAllocator;
using Xunit;
using static Voice.Tests.VoiceAllocator.Nodes;

namespace Voice.Tests.VoiceAllocator;

public class FleetTests
{
    private readonly Fleet fleet = NewFleet();

    [Fact]
    public void An_assignment_lasts_until_it_is_released()
    {
        Arrive("a");
        var assignment = Assign(1, epoch: 5)!;

        fleet.Release(1, "", 4);
        Assert.Equal(1, fleet.Find("a")!.Assigned);
        fleet.Release(1, "", 5);

        Assert.Equal(0, fleet.Find("a")!.Assigned);
        Assert.Equal(
            [new AssignmentEvent(AssignmentChange.Assigned, assignment), new AssignmentEvent(AssignmentChange.Released, assignment)],
            fleet.TakeEvents());
    }

    [Fact]
    public void A_node_that_started_anew_has_lost_everything_at_once()
    {
        Arrive("a");
        var assignment = Assign(1, epoch: 1)!;
        fleet.LinkLost("a", "1", "link", Seconds(0));
        Assert.True(fleet.Register(Identity("a", incarnation: "2"), "other", "observer", Seconds(0)));

        Assert.Equal([new LostSlot(assignment, null)], fleet.TakeLost(Seconds(0)));
        Assert.Null(fleet.Report("a", "1", "link", Report(), Seconds(0)));
        Assert.NotNull(fleet.Report("a", "2", "other", Report(), Seconds(0)));
    }

    [Fact]
    public void A_second_node_of_the_same_name_is_refused_while_the_first_lives()
    {
        Arrive("a");
        Assert.False(fleet.Register(Identity("a", incarnation: "2"), "other", "observer", Seconds(2.9)));
        Assert.True(fleet.Register(Identity("a", incarnation: "2"), "other", "observer", Seconds(3)));
    }

    [Fact]
    public void A_link_lost_for_a_moment_moves_nothing()
    {
        Arrive("a");
        Assign(1, epoch: 1);
        fleet.LinkLost("a", "1", "link", Seconds(1));
        fleet.Register(Identity("a"), "again", "observer", Seconds(2));
        fleet.Tick(Seconds(4));
        Assert.Empty(fleet.TakeLost(Seconds(4)));
        Assert.Single(fleet.On("a"));
    }

    [Fact]
    public void Who_was_refused_is_told_once_when_a_node_can_be_used()
    {
        Assert.Null(Assign(1, epoch: 1));
        Assert.Null(Assign(2, epoch: 1));
        fleet.Register(Identity("a"), "link", "observer", Seconds(0));
        Assert.Empty(fleet.TakeWaiting());
        fleet.Report("a", "1", "link", Report(mediaReady: false), Seconds(0));
        Assert.Empty(fleet.TakeWaiting());
        fleet.Report("a", "1", "link", Report(), Seconds(0));
        Assert.Equal([1ul, 2ul], fleet.TakeWaiting().Order());
        Assert.Empty(fleet.TakeWaiting());
    }

    [Fact]
    public void What_a_node_hosts_without_being_assigned_it_is_named()
    {
        Arrive("a");
        Assign(1, epoch: 2);
        HostedGuild[] hosted = [new(1, "", 2), new(1, "", 1), new(1, "eu", 2), new(9, "", 1)];
        Assert.Equal(hosted[1..], fleet.Report("a", "1", "link", Report(hosted: hosted), Seconds(0)));
    }

    [Fact]
    public void A_guild_claims_what_a_new_fleet_does_not_know()
    {
        Arrive("a");
        var held = new Assignment(1, "", "a", "a.example:2048", "local", 7);
        Assert.True(fleet.Claim(held, Seconds(0)));
        Assert.True(fleet.Claim(held, Seconds(0)));
        Assert.Equal(1, fleet.Find("a")!.Assigned);
        Assert.False(fleet.Claim(held with { Epoch = 6 }, Seconds(0)));
        Assert.False(fleet.Claim(held with { NodeId = "gone", Epoch = 8 }, Seconds(0)));
        Assert.False(fleet.Claim(held with { Endpoint = "a.example:443", Epoch = 8 }, Seconds(0))); // it was started anew on another port
        Assert.Empty(fleet.Report("a", "1", "link", Report(hosted: new HostedGuild(1, "", 7)), Seconds(0))!);
    }

    [Fact]
    public void A_node_that_drains_gets_nothing_new_and_its_guilds_are_asked_to_move_those_with_the_fewest_people_first()
    {
        Arrive("a");
        for (var guild = 1ul; guild <= 30; guild++) Assign(guild, epoch: 1);
        Arrive("b");
        var hosted = fleet.On("a").Select(held => new HostedGuild(held.Guild, "", 1, Sessions: (int)(30 - held.Guild) / 10)).ToArray();
        fleet.Report("a", "1", "link", Report() with { Hosted = hosted, Drain = NodeDrain.Stopping }, Seconds(0));

        static IEnumerable<ulong> Guilds(ulong first, int count) => Enumerable.Range(0, count).Select(i => first + (ulong)i);
        Assert.Equal([.. Guilds(21, 10), .. Guilds(11, 10), .. Guilds(1, 3)], fleet.TakeMoves(Seconds(1)).Select(moving => moving.Guild)); // of none, one, two people
        Assert.Equal(Guilds(4, 7), fleet.TakeMoves(Seconds(2)).Select(moving => moving.Guild));
        Assert.Empty(fleet.TakeMoves(Seconds(3)));
        Assert.Equal("b", Assign(99, epoch: 1)!.NodeId);

        // Who does not move is asked again; who moved is not.
        Assert.Equal("b", Move(30, epoch: 2)!.NodeId);
        fleet.Report("b", "1", "link", Report(), Seconds(10));
        Assert.Equal(22, fleet.TakeMoves(Seconds(11)).Length);
        fleet.Report("a", "1", "link", Report(hosted: hosted), Seconds(11));
        Assert.Empty(fleet.TakeMoves(Seconds(30)));
    }

    [Fact]
    public void A_crowded_node_is_emptied_in_less_than_a_minute()
    {
        Arrive("a");
        for (var guild = 1ul; guild <= 1000; guild++) Assign(guild, epoch: 1);
        Arrive("b");
        Host();
        for (var (second, left) = (1, 1000); left > 0; second++)
        {
            Assert.True(second < 60);
            var moving = fleet.TakeMoves(Seconds(second));
            foreach (var one in moving) fleet.Release(one.Guild, "", 1);
            left -= moving.Length;
            Host();
        }

        void Host() => fleet.Report(
            "a", "1", "link", Report() with { Hosted = [.. fleet.On("a").Select(held => new HostedGuild(held.Guild, "", 1, Sessions: 5))], Drain = NodeDrain.Stopping }, Seconds(0));
    }

    [Fact]
    public void What_an_operator_drained_stays_so_over_restarts_of_the_node()
    {
        fleet.Drain("a", true, Seconds(0));
        Arrive("a");
        Assert.Null(Assign(1, epoch: 1));
        fleet.Drain("a", false, Seconds(0));
        Assert.NotNull(Assign(1, epoch: 2));
    }

    [Fact]
    public void A_slot_that_finds_nothing_better_keeps_what_it_has()
    {
        Arrive("a");
        var held = Assign(1, epoch: 1)!;
        Assert.Null(Move(1, epoch: 2));
        fleet.Drain("a", true, Seconds(0));
        Assert.Null(Move(1, epoch: 3));
        Assert.Equal([held], fleet.On("a"));
        Assert.Empty(fleet.TakeWaiting());

        Arrive("b");
        Assert.Null(fleet.Assign(1, "", null, 4, "b", Seconds(0), move: true)); // where it has just failed
        Assert.Equal("b", Move(1, epoch: 4)!.NodeId);
        Assert.Empty(fleet.On("a"));
        Assert.Equal(AssignmentChange.Moved, fleet.TakeEvents()[^1].Change);
    }

    /// <summary>Whatever happens in whatever order: counts add up, and every guild knows where it is, or has been told that it is nowhere.</summary>
    [Fact]
    public void Counts_add_up_and_nothing_is_lost_silently() =>
        Gen.Select(Gen.Int[0, 8], Gen.Int[0, 2], Gen.ULong[1, 4]).Array[0, 80].Sample(steps =>
        {
            var tested = NewFleet();
            var now = TimeSpan.Zero;
            var epochs = new Dictionary<ulong, long>();
            var held = new Dictionary<ulong, Assignment>();
            foreach (var (step, which, guild) in steps)
            {
                var id = $"{which}";
                var incarnation = tested.Find(id)?.Identity.Incarnation ?? "1";
                switch (step)
                {
                    case 0: tested.Register(Identity(id, incarnation: incarnation), "link", "observer", now); break;
                    case 1: tested.Report(id, incarnation, "link", Report(), now); break;
                    case 2: tested.LinkLost(id, incarnation, "link", now); break;
                    case 3: now += Seconds(0.7); tested.Tick(now); break;
                    case 4: tested.Register(Identity(id, incarnation: $"{now}"), "link", "observer", now); break;
                    case 5: tested.Vote(now, (id, NodeHealth.Dead)); break;
                    case 6: tested.Vote(now, (id, NodeHealth.Healthy)); break;
                    case 7:
                        var epoch = epochs[guild] = epochs.GetValueOrDefault(guild) + 1;
                        if (tested.Assign(guild, "", null, epoch, null, now) is { } made) held[guild] = made;
                        else held.Remove(guild);
                        break;
                    default:
                        tested.Release(guild, "", held.Remove(guild, out var ended) ? ended.Epoch : 0);
                        break;
                }

                // As a guild does: whoever has a higher epoch already gives the place one that is higher still.
                foreach (var (lost, next) in tested.TakeLost(now + Fleet.LongestStagger))
                {
                    if (!held.Remove(lost.Guild, out var mine) || mine != lost) return false;
                    if (next is null) continue;
                    var mineEpoch = epochs[lost.Guild] = Math.Max(epochs.GetValueOrDefault(lost.Guild) + 1, next.Epoch);
                    var mineNow = next with { Epoch = mineEpoch };
                    if (tested.Claim(mineNow, now)) held[lost.Guild] = mineNow;
                }
            }

            var known = tested.Nodes.SelectMany(node => tested.On(node.Identity.Id)).ToHashSet();
            return known.SetEquals(held.Values)
                && tested.Nodes.All(node => node.Assigned == tested.On(node.Identity.Id).Count() && node.Utilisation >= -1e-9);
        });

    private void Arrive(string id, TimeSpan now = default) => fleet.Arrive(id, now: now);

    private Assignment? Move(ulong guild, long epoch) => fleet.Assign(guild, "", null, epoch, null, Seconds(0), move: true);

    private Assignment? Assign(ulong guild, long epoch, TimeSpan now = default) => fleet.Assign(guild, "", null, epoch, null, now);
}
