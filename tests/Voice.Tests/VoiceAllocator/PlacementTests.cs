using System.Globalization;
using CsCheck;
using Voice.VoiceAllocator;
using Xunit;
using static Voice.Tests.VoiceAllocator.Nodes;

namespace Voice.Tests.VoiceAllocator;

public class PlacementTests
{
    private readonly Fleet fleet = NewFleet();

    [Fact]
    public void Without_nodes_there_is_none() => Assert.Null(Choose());

    [Fact]
    public void The_wanted_region_comes_first_and_any_other_is_better_than_none()
    {
        fleet.Arrive("a", region: "us");
        fleet.Arrive("b", utilisation: 0.8, region: "eu");
        fleet.Arrive("c", region: "us");
        Assert.Equal("b", Choose(region: "eu"));
        Assert.NotNull(Choose(region: "mars"));
    }

    [Fact]
    public void The_nearest_region_with_room_comes_next()
    {
        var neighbours = Neighbours.FromLatencies(new Dictionary<(string, string), double> { [("eu", "us")] = 80, [("asia", "eu")] = 160, [("us", "asia")] = 90 });
        var tested = NewFleet(neighbours);
        tested.Arrive("full", utilisation: 0.95, region: "eu");
        tested.Arrive("near", utilisation: 0.5, region: "us");
        tested.Arrive("far", region: "asia");
        Assert.Equal("near", tested.Assign(1, "", "eu", 1, null, Seconds(0))!.NodeId);

        tested.Report("near", "1", "link", Report(0.95), Seconds(0));
        Assert.Equal("far", tested.Assign(1, "", "eu", 2, null, Seconds(0))!.NodeId);

        // All are full: then it is at home.
        tested.Report("far", "1", "link", Report(0.95), Seconds(0));
        Assert.Equal("full", tested.Assign(1, "", "eu", 3, null, Seconds(0))!.NodeId);
    }

    [Fact]
    public void A_node_that_failed_the_guild_is_taken_only_if_alone()
    {
        fleet.Arrive("a");
        Assert.Equal("a", Choose(avoid: "a"));
        fleet.Arrive("b", utilisation: 0.8, region: "far");
        Assert.Equal("b", Choose(region: "local", avoid: "a"));
    }

    [Fact]
    public void Stale_unlinked_and_mediumless_nodes_are_never_taken()
    {
        fleet.Arrive("stale");
        fleet.Arrive("unlinked", now: Seconds(5));
        fleet.LinkLost("unlinked", "1", "link", Seconds(5));
        fleet.Register(Identity("mediumless"), "link", "observer", Seconds(5));
        fleet.Report("mediumless", "1", "link", Report(mediaReady: false), Seconds(5));
        fleet.Register(Identity("unreported"), "link", "observer", Seconds(5));
        fleet.Tick(Seconds(5));

        Assert.Null(Choose(now: Seconds(5)));
    }

    [Theory]
    [InlineData(NodeHealth.Suspect)]
    [InlineData(NodeHealth.Probation)]
    public void A_doubtful_node_is_taken_only_where_there_is_no_better_one_in_any_region(NodeHealth health)
    {
        fleet.Arrive("a");
        fleet.Vote(Seconds(0), ("a", health));
        Assert.Equal("a", Choose(region: "local"));
        fleet.Arrive("b", region: "far");
        Assert.Equal("b", Choose(region: "local"));
    }

    [Fact]
    public void Of_two_nodes_the_clearly_less_utilised_one_is_taken()
    {
        fleet.Arrive("busy", utilisation: 0.4);
        fleet.Arrive("idle", utilisation: 0.2);
        for (var guild = 0ul; guild < 10; guild++) Assert.Equal("idle", fleet.Assign(guild, "", null, 1, null, Seconds(0))!.NodeId);
    }

    [Fact]
    public void The_worst_of_many_is_never_taken() =>
        Gen.Double[0, 1].Array[2, 20].Sample(loads =>
        {
            var tested = NewFleet();
            for (var i = 0; i < loads.Length; i++) tested.Arrive($"{i}", loads[i]);
            var chosen = int.Parse(tested.Assign(1, "", null, 1, null, Seconds(0))!.NodeId, CultureInfo.InvariantCulture);
            var worst = Array.IndexOf(loads, loads.Max());
            var gap = loads[worst] - Math.Max(Placement.Idle, loads.Where((_, i) => i != worst).Max());
            return chosen != worst || gap < PlacementRule.Usual.Noise;
        });

    [Theory]
    [InlineData(0, 0)]
    [InlineData(0.02, 0.09)]
    public void Two_hundred_guilds_spread_evenly_over_two_idle_nodes(double first, double second)
    {
        fleet.Arrive("a");
        fleet.Arrive("b");
        for (var guild = 0ul; guild < 200; guild++)
        {
            // The reports' noise must not count.
            if (guild % 17 == 0) fleet.Report("a", "1", "link", Report(first), Seconds(0));
            if (guild % 23 == 0) fleet.Report("b", "1", "link", Report(second), Seconds(0));
            Assert.NotNull(fleet.Assign(guild, "", null, 1, null, Seconds(0)));
        }

        Assert.All(fleet.Nodes, node => Assert.InRange(node.Assigned, 95, 105));
    }

    [Theory]
    [InlineData(50)]
    [InlineData(100)]
    [InlineData(150)]
    public void The_node_that_reports_amid_a_burst_does_not_draw_the_rest_of_it(ulong when)
    {
        fleet.Arrive("a");
        fleet.Arrive("b");
        for (var guild = 0ul; guild < 200; guild++)
        {
            if (guild == when) fleet.Report("a", "1", "link", Report(), Seconds(1));
            fleet.Assign(guild, "", null, 1, null, Seconds(1));
        }

        Assert.All(fleet.Nodes, node => Assert.InRange(node.Assigned, 95, 105));
    }

    [Fact]
    public void What_came_and_went_is_not_expected_any_more()
    {
        fleet.Arrive("a", 0.25);
        for (var epoch = 1L; epoch <= 100; epoch++)
        {
            fleet.Assign(1, "", null, epoch, null, Seconds(0));
            fleet.Release(1, "", epoch);
        }

        Assert.Equal(0.25, Assert.Single(fleet.Nodes).Utilisation);
    }

    [Fact]
    public void Many_guilds_spread_over_many_nodes_without_any_report_between()
    {
        for (var i = 0; i < 10; i++) fleet.Arrive($"{i}");
        for (var guild = 0ul; guild < 1000; guild++) fleet.Assign(guild, "", null, 1, null, Seconds(0));
        Assert.All(fleet.Nodes, node => Assert.InRange(node.Assigned, 85, 115));
    }

    private string? Choose(string? region = null, string? avoid = null, TimeSpan now = default) =>
        fleet.Assign(1, "", region, 1, avoid, now)?.NodeId;
}
