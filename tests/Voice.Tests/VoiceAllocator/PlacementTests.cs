using CsCheck;
using Voice.VoiceAllocator;
using Xunit;
using static Voice.Tests.VoiceAllocator.Nodes;

namespace Voice.Tests.VoiceAllocator;

public class PlacementTests
{
    private static readonly Random Random = new(1);

    [Fact]
    public void Without_nodes_there_is_none() => Assert.Null(Choose([]));

    [Fact]
    public void The_wanted_region_comes_first_and_any_other_is_better_than_none()
    {
        VoiceNode[] nodes = [Make("a", region: "us"), Make("b", utilisation: 0.9, region: "eu"), Make("c", region: "us")];
        Assert.Equal("b", Choose(nodes, region: "eu")?.Identity.Id);
        Assert.NotNull(Choose(nodes, region: "mars"));
    }

    [Fact]
    public void A_node_that_failed_the_guild_is_taken_only_if_alone()
    {
        VoiceNode[] nodes = [Make("a"), Make("b", utilisation: 0.9, region: "far")];
        Assert.Equal("b", Choose(nodes, region: "local", avoid: "a")?.Identity.Id);
        Assert.Equal("a", Choose(nodes[..1], avoid: "a")?.Identity.Id);
    }

    [Fact]
    public void Stale_silent_unlinked_and_mediumless_nodes_are_never_taken()
    {
        var stale = Make("stale");
        stale.Health.Heard(Seconds(5));
        var silent = Make("silent");
        var unlinked = Make("unlinked", now: Seconds(5));
        unlinked.Health.LinkLost("link", Seconds(5));
        var mediumless = Make("mediumless", now: Seconds(5));
        mediumless.Report(Report(mediaReady: false), Seconds(5));
        var unreported = new VoiceNode(Identity("unreported"));
        unreported.Health.LinkUp("link", Seconds(5));

        Assert.Null(Choose([stale, silent, unlinked, mediumless, unreported], now: Seconds(5)));
    }

    [Fact]
    public void Of_two_nodes_the_clearly_less_utilised_one_is_taken()
    {
        VoiceNode[] nodes = [Make("busy", utilisation: 0.4), Make("idle", utilisation: 0.2)];
        for (var i = 0; i < 100; i++) Assert.Equal("idle", Choose(nodes)?.Identity.Id);
    }

    [Fact]
    public void The_worst_of_many_is_never_taken() =>
        Gen.Double[0, 1].Array[2, 20].Sample(loads =>
        {
            var nodes = loads.Select((load, i) => Make($"{i}", load)).ToArray();
            var chosen = Choose(nodes)!;
            var worst = nodes.MaxBy(node => node.Utilisation)!;
            var gap = worst.Utilisation - nodes.Where(node => node != worst).Max(node => node.Utilisation);
            return chosen != worst || gap < Placement.Noise;
        });

    [Theory]
    [InlineData(0, 0)]
    [InlineData(0.02, 0.09)]
    public void Two_hundred_guilds_spread_evenly_over_two_idle_nodes(double first, double second)
    {
        var fleet = new Fleet();
        fleet.Register(Identity("a"), "link", Seconds(0));
        fleet.Register(Identity("b"), "link", Seconds(0));
        for (var guild = 0ul; guild < 200; guild++)
        {
            // The reports' noise must not count.
            if (guild % 17 == 0) fleet.Report("a", "1", Report(first), Seconds(0));
            if (guild % 23 == 0) fleet.Report("b", "1", Report(second), Seconds(0));
            Assert.NotNull(fleet.Assign(guild, "", null, 1, null, Seconds(0), Random));
        }

        Assert.All(fleet.Nodes, node => Assert.InRange(node.Assigned, 95, 105));
    }

    [Theory]
    [InlineData(50)]
    [InlineData(100)]
    [InlineData(150)]
    public void The_node_that_reports_amid_a_burst_does_not_draw_the_rest_of_it(ulong when)
    {
        var fleet = new Fleet();
        foreach (var id in (string[])["a", "b"])
        {
            fleet.Register(Identity(id), "link", Seconds(0));
            fleet.Report(id, "1", Report(), Seconds(0));
        }

        for (var guild = 0ul; guild < 200; guild++)
        {
            if (guild == when) fleet.Report("a", "1", Report(), Seconds(1));
            fleet.Assign(guild, "", null, 1, null, Seconds(1), Random);
        }

        Assert.All(fleet.Nodes, node => Assert.InRange(node.Assigned, 95, 105));
    }

    [Fact]
    public void What_came_and_went_is_not_expected_any_more()
    {
        var fleet = new Fleet();
        fleet.Register(Identity("a"), "link", Seconds(0));
        fleet.Report("a", "1", Report(0.25), Seconds(0));
        for (var epoch = 1L; epoch <= 100; epoch++)
        {
            fleet.Assign(1, "", null, epoch, null, Seconds(0), Random);
            fleet.Release(1, "", epoch);
        }

        Assert.Equal(0.25, Assert.Single(fleet.Nodes).Utilisation);
    }

    [Fact]
    public void Many_guilds_spread_over_many_nodes_without_any_report_between()
    {
        var fleet = new Fleet();
        for (var i = 0; i < 10; i++)
        {
            fleet.Register(Identity($"{i}"), "link", Seconds(0));
            fleet.Report($"{i}", "1", Report(), Seconds(0));
        }

        for (var guild = 0ul; guild < 1000; guild++) fleet.Assign(guild, "", null, 1, null, Seconds(0), Random);
        Assert.All(fleet.Nodes, node => Assert.InRange(node.Assigned, 85, 115));
    }

    private static VoiceNode? Choose(VoiceNode[] nodes, string? region = null, string? avoid = null, TimeSpan now = default) =>
        Placement.Choose(nodes, region, avoid, now, Random);
}
