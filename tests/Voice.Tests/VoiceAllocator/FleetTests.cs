using CsCheck;
using Voice.Protocol.Links;
using Voice.VoiceAllocator;
using Xunit;
using static Voice.Tests.VoiceAllocator.Nodes;

namespace Voice.Tests.VoiceAllocator;

public class FleetTests
{
    private static readonly Random Random = new(1);
    private readonly Fleet fleet = new();

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
    public void What_was_on_a_silent_node_is_lost_and_moves()
    {
        Arrive("a");
        var first = Assign(1, epoch: 1)!;
        fleet.Tick(Seconds(3));
        Assert.Empty(fleet.TakeLost());
        fleet.Tick(Seconds(3.1));

        Assert.Equal([first], fleet.TakeLost());
        Assert.Empty(fleet.TakeLost());
        Arrive("b", now: Seconds(4));
        var second = Assign(1, epoch: 2, now: Seconds(4))!;
        Assert.Equal(new AssignmentEvent(AssignmentChange.Moved, second), fleet.TakeEvents()[^1]);
    }

    [Fact]
    public void A_node_that_started_anew_has_lost_everything_at_once()
    {
        Arrive("a");
        var assignment = Assign(1, epoch: 1)!;
        fleet.LinkLost("a", "1", "link", Seconds(0));
        Assert.True(fleet.Register(Identity("a", incarnation: "2"), "other", Seconds(0)));

        Assert.Equal([assignment], fleet.TakeLost());
        Assert.Null(fleet.Report("a", "1", Report(), Seconds(0)));
        Assert.NotNull(fleet.Report("a", "2", Report(), Seconds(0)));
    }

    [Fact]
    public void A_second_node_of_the_same_name_is_refused_while_the_first_lives()
    {
        Arrive("a");
        Assert.False(fleet.Register(Identity("a", incarnation: "2"), "other", Seconds(3)));
        Assert.True(fleet.Register(Identity("a", incarnation: "2"), "other", Seconds(3.1)));
    }

    [Fact]
    public void A_link_lost_for_a_moment_moves_nothing()
    {
        Arrive("a");
        Assign(1, epoch: 1);
        fleet.LinkLost("a", "1", "link", Seconds(1));
        fleet.Register(Identity("a"), "again", Seconds(2));
        fleet.Tick(Seconds(4));
        Assert.Empty(fleet.TakeLost());
        Assert.Single(fleet.On("a"));
    }

    [Fact]
    public void Who_was_refused_is_told_once_when_a_node_can_be_used()
    {
        Assert.Null(Assign(1, epoch: 1));
        Assert.Null(Assign(2, epoch: 1));
        fleet.Register(Identity("a"), "link", Seconds(0));
        Assert.Empty(fleet.TakeWaiting(Seconds(0)));
        fleet.Report("a", "1", Report(mediaReady: false), Seconds(0));
        Assert.Empty(fleet.TakeWaiting(Seconds(0)));
        fleet.Report("a", "1", Report(), Seconds(0));
        Assert.Equal([1ul, 2ul], fleet.TakeWaiting(Seconds(0)).Order());
        Assert.Empty(fleet.TakeWaiting(Seconds(0)));
    }

    [Fact]
    public void What_a_node_hosts_without_being_assigned_it_is_named()
    {
        Arrive("a");
        Assign(1, epoch: 2);
        HostedGuild[] hosted = [new(1, "", 2), new(1, "", 1), new(1, "eu", 2), new(9, "", 1)];
        Assert.Equal(hosted[1..], fleet.Report("a", "1", Report(hosted: hosted), Seconds(0)));
    }

    [Fact]
    public void A_guild_claims_what_a_new_fleet_does_not_know()
    {
        Arrive("a");
        var held = new Assignment(1, "", "a", "a.example:2048", "local", 7);
        Assert.True(fleet.Claim(held));
        Assert.True(fleet.Claim(held));
        Assert.Equal(1, fleet.Find("a")!.Assigned);
        Assert.False(fleet.Claim(held with { Epoch = 6 }));
        Assert.False(fleet.Claim(held with { NodeId = "gone", Epoch = 8 }));
        Assert.Empty(fleet.Report("a", "1", Report(hosted: new HostedGuild(1, "", 7)), Seconds(0))!);
    }

    [Fact]
    public void A_node_that_drains_gets_nothing_new_and_its_guilds_are_asked_to_move_those_with_the_fewest_people_first()
    {
        Arrive("a");
        for (var guild = 1ul; guild <= 30; guild++) Assign(guild, epoch: 1);
        Arrive("b");
        var hosted = fleet.On("a").Select(held => new HostedGuild(held.Guild, "", 1, Sessions: (int)(31 - held.Guild))).ToArray();
        fleet.Report("a", "1", Report() with { Hosted = hosted, Drain = NodeDrain.Stopping }, Seconds(0));

        Assert.Equal(Enumerable.Range(0, Fleet.MovesPerSecond).Select(i => 30 - (ulong)i), fleet.TakeMoves(Seconds(1)).Select(moving => moving.Guild));
        Assert.Equal(10, fleet.TakeMoves(Seconds(2)).Length);
        Assert.Empty(fleet.TakeMoves(Seconds(3)));
        Assert.Equal("b", Assign(99, epoch: 1)!.NodeId);

        // Who does not move is asked again; who moved is not.
        Assert.Equal("b", Move(30, epoch: 2)!.NodeId);
        fleet.Report("b", "1", Report(), Seconds(10));
        Assert.Equal(19, fleet.TakeMoves(Seconds(11)).Length);
        fleet.Report("a", "1", Report(hosted: hosted), Seconds(11));
        Assert.Empty(fleet.TakeMoves(Seconds(30)));
    }

    [Fact]
    public void What_an_operator_drained_stays_so_over_restarts_of_the_node()
    {
        fleet.Drain("a", true);
        Arrive("a");
        Assert.Null(Assign(1, epoch: 1));
        fleet.Drain("a", false);
        Assert.NotNull(Assign(1, epoch: 2));
    }

    [Fact]
    public void A_slot_that_finds_nothing_better_keeps_what_it_has()
    {
        Arrive("a");
        var held = Assign(1, epoch: 1)!;
        Assert.Null(Move(1, epoch: 2));
        fleet.Drain("a", true);
        Assert.Null(Move(1, epoch: 3));
        Assert.Equal([held], fleet.On("a"));
        Assert.Empty(fleet.TakeWaiting(Seconds(0)));

        Arrive("b");
        Assert.Equal("b", Move(1, epoch: 4)!.NodeId);
        Assert.Empty(fleet.On("a"));
        Assert.Equal(AssignmentChange.Moved, fleet.TakeEvents()[^1].Change);
    }

    /// <summary>Whatever happens in whatever order: counts add up, and every assignment ends up on a node that is there, or
    /// released, or told as lost exactly once.</summary>
    [Fact]
    public void Counts_add_up_and_nothing_is_lost_silently() =>
        Gen.Select(Gen.Int[0, 6], Gen.Int[0, 2], Gen.ULong[1, 4]).Array[0, 60].Sample(steps =>
        {
            var tested = new Fleet();
            var now = TimeSpan.Zero;
            var epoch = 0L;
            var held = new Dictionary<ulong, Assignment>();
            foreach (var (step, which, guild) in steps)
            {
                var id = $"{which}";
                switch (step)
                {
                    case 0: tested.Register(Identity(id), "link", now); break;
                    case 1: tested.Report(id, "1", Report(), now); break;
                    case 2: tested.LinkLost(id, "1", "link", now); break;
                    case 3: now += Seconds(0.7); tested.Tick(now); break;
                    case 4: tested.Register(Identity(id, incarnation: $"{epoch}"), "link", now); break;
                    case 5:
                        if (tested.Assign(guild, "", null, ++epoch, null, now, Random) is { } made) held[guild] = made;
                        else held.Remove(guild);
                        break;
                    default:
                        if (held.Remove(guild, out var ended)) tested.Release(guild, "", ended.Epoch);
                        break;
                }

                foreach (var lost in tested.TakeLost())
                {
                    if (held.TryGetValue(lost.Guild, out var mine) && mine == lost) held.Remove(lost.Guild);
                }
            }

            var known = tested.Nodes.SelectMany(node => tested.On(node.Identity.Id)).ToHashSet();
            return known.SetEquals(held.Values)
                && tested.Nodes.All(node => node.Assigned == tested.On(node.Identity.Id).Count() && node.Utilisation >= 0);
        });

    private void Arrive(string id, TimeSpan now = default)
    {
        fleet.Register(Identity(id), "link", now);
        fleet.Report(id, "1", Report(), now);
    }

    private Assignment? Move(ulong guild, long epoch) => fleet.Assign(guild, "", null, epoch, null, Seconds(0), Random, move: true);

    private Assignment? Assign(ulong guild, long epoch, TimeSpan now = default) => fleet.Assign(guild, "", null, epoch, null, now, Random);
}
