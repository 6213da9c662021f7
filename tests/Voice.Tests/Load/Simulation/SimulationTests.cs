using System.Text.Json;
using System.Xml.Linq;
using Voice.Load;
using Voice.Load.Simulation;
using Xunit;

namespace Voice.Tests.Load.Simulation;

/// <summary>A small fleet: what holds of it whatever its size.</summary>
public class SimulationTests
{
    private static readonly SimulationOptions Small = new() { Nodes = 60, Regions = 3, Guilds = 6000, Hours = 4, LossMinutes = 1 };
    private static readonly World World = new(Small.Nodes, Small.Regions);

    [Fact]
    public void At_steady_load_no_node_has_much_more_than_the_mean()
    {
        var load = RunLoad(Small);
        Assert.InRange(load.Steady.P99, 1, 1.2);
        Assert.InRange(load.Steady.P50, 0.95, 1.05);
    }

    [Fact]
    public void Every_guild_of_a_dead_node_finds_another_and_the_same_seed_gives_the_same_day()
    {
        var load = RunLoad(Small);
        Assert.Equal(0, load.Unplaced);
        Assert.True(load.Moves > 0);
        Assert.All(load.Failures, failure => Assert.InRange(failure.GuildsMoved, 1, load.Moves));
        Assert.Equal(JsonSerializer.Serialize(load), JsonSerializer.Serialize(RunLoad(Small)));
        Assert.NotEqual(JsonSerializer.Serialize(load), JsonSerializer.Serialize(RunLoad(Small with { Seed = 2 })));
    }

    public static TheoryData<string> Harmless => [nameof(WindowKind.Loss), nameof(WindowKind.FrozenObservers), nameof(WindowKind.LateObserver), nameof(WindowKind.CutOffObserver), nameof(WindowKind.CutOffObservers), nameof(WindowKind.Silences)];

    [Theory]
    [MemberData(nameof(Harmless))]
    public void Nothing_that_happens_to_probes_or_observers_evicts_a_node(string kind)
    {
        var result = RunHealth(kind);
        Assert.Equal((0, 0), (result.Evictions, result.FalseEvictions));
    }

    public static TheoryData<string, double> Harmful => new()
    {
        { nameof(WindowKind.Killed), 1000 },
        { nameof(WindowKind.Frozen), 1000 },
        { nameof(WindowKind.Grey), 3000 },
        { nameof(WindowKind.Racks), 1000 },
        { nameof(WindowKind.LossAndFailures), 2000 },
    };

    [Theory]
    [MemberData(nameof(Harmful))]
    public void What_fails_is_noticed_in_time_and_nothing_else_is(string kind, double withinMs)
    {
        var result = RunHealth(kind);
        Assert.Equal((0, 0), (result.Missed, result.FalseEvictions));
        Assert.True(result.Failures > 0);
        Assert.InRange(result.DetectMs!.Max, 1, withinMs);
    }

    [Fact]
    public void A_node_that_flaps_is_evicted_ever_more_rarely()
    {
        var window = WindowOf(nameof(WindowKind.Flaps));
        var result = RunHealth(nameof(WindowKind.Flaps));
        Assert.Equal(0, result.FalseEvictions);
        Assert.InRange(result.Evictions, 1, window.Troubles.Count / 3);
    }

    [Fact]
    public void The_same_seed_gives_the_same_health() =>
        Assert.Equal(JsonSerializer.Serialize(RunHealth(nameof(WindowKind.LossAndFailures))), JsonSerializer.Serialize(RunHealth(nameof(WindowKind.LossAndFailures))));

    [Fact]
    public void Every_plot_is_a_picture()
    {
        var result = new SimulationResult(Small.Nodes, Small.Regions, Small.Guilds, 3, 1, RunLoad(Small with { Hours = 1 }), [RunHealth(nameof(WindowKind.Killed))], new(1, 1, 1, 1, 1));
        Assert.All(SimulationReport.Plots(result), plot => Assert.NotEmpty(XElement.Parse(plot.Plot.ToSvgFile()).Elements()));
        Assert.NotEmpty(SimulationReport.Numbers(result));
    }

    private static LoadResult RunLoad(SimulationOptions options) => new LoadRun(options, new Progress<LoadProgress>()).Run();

    private static HealthResult RunHealth(string kind) => new HealthRun(World, WindowOf(kind), observers: 3, Pace.Usual, seed: 1).Run(_ => { });

    private static HealthWindow WindowOf(string kind) =>
        HealthWindow.All(World, observers: 3, lossMinutes: 1, new Random(1)).First(window => window.Kind.ToString() == kind);
}
