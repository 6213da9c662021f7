using Voice.VoiceAllocator;

namespace Voice.Load.Simulation;

/// <summary>What other thresholds would do, in a smaller fleet.</summary>
public sealed record AlternativesResult(int Nodes, int Guilds, IReadOnlyList<PlacementAlternative> Placement, IReadOnlyList<HealthAlternative> Health);

/// <param name="Steady">Where it is evening everywhere.</param>
public sealed record PlacementAlternative(int Choices, double Noise, Skew Steady);

/// <param name="LossEvictions">Of nodes that worked, in two minutes in which a fifth of the packets is lost.</param>
/// <param name="SilenceEvictions">Of nodes that stood still for 0.2 to 0.45 s.</param>
/// <param name="FlapEvictions">Of a node that is down for three seconds and up for three, in two minutes.</param>
/// <param name="Packets">A second, of a gateway to one node that nobody doubts.</param>
public sealed record HealthAlternative(
    string What, int LossEvictions, int SilenceEvictions, double FlapEvictions, DetectionTimes? KilledMs, DetectionTimes? FrozenMs, DetectionTimes? GreyMs, double Packets);

/// <summary>Tries what could have been chosen.</summary>
public static class Alternatives
{
    private const int LossMinutes = 2;

    private static readonly PlacementRule[] Rules =
    [
        new(2, 0.1), new(2, 0.05), new(2, 0.02), new(2, 0), new(3, 0.1), new(3, 0.05), new(3, 0.02), new(3, 0), new(4, 0.02),
    ];

    private static readonly (string What, HealthTimes Times, Pace Pace)[] Choices =
    [
        ("as chosen", HealthTimes.Usual, Pace.Usual),
        ("pings every 125 ms", HealthTimes.Usual, Pace.Usual with { Ping = 125, Media = 125 }),
        ("pings every 500 ms", HealthTimes.Usual, Pace.Usual with { Ping = 500, Media = 500 }),
        ("no more probes for the doubted", HealthTimes.Usual, Pace.Usual with { DoubtedMedia = Pace.Usual.Media }),
        ("dead after 500 ms", HealthTimes.Usual with { DeadAfter = Milliseconds(500) }, Pace.Usual),
        ("dead after 1000 ms", HealthTimes.Usual with { DeadAfter = Milliseconds(1000) }, Pace.Usual),
        ("dead after 1500 ms", HealthTimes.Usual with { DeadAfter = Milliseconds(1500) }, Pace.Usual),
        ("doubted after 300 ms", HealthTimes.Usual with { DoubtedAfter = Milliseconds(300) }, Pace.Usual),
        ("doubted after 600 ms", HealthTimes.Usual with { DoubtedAfter = Milliseconds(600) }, Pace.Usual),
        ("grey after 1 s", HealthTimes.Usual with { GreyAfter = Milliseconds(1000) }, Pace.Usual),
        ("grey after 3 s", HealthTimes.Usual with { GreyAfter = Milliseconds(3000) }, Pace.Usual),
        ("probation of 1 s", HealthTimes.Usual with { FirstProbation = Milliseconds(1000) }, Pace.Usual),
        ("probation of 16 s", HealthTimes.Usual with { FirstProbation = Milliseconds(16_000) }, Pace.Usual),
    ];

    public static AlternativesResult Run(SimulationOptions options, IProgress<LoadProgress> progress, CancellationToken cancel)
    {
        var placement = new List<PlacementAlternative>();
        foreach (var rule in Rules)
        {
            progress.Report(new("alternatives", $"{rule.Choices} choices, noise {rule.Noise}", (double)placement.Count / (Rules.Length + Choices.Length)));
            placement.Add(new(rule.Choices, rule.Noise, new LoadRun(options, new Progress<LoadProgress>(), rule, cancel).RunSteadyOnly()));
        }

        var health = new List<HealthAlternative>();
        foreach (var (what, times, pace) in Choices)
        {
            progress.Report(new("alternatives", what, (double)(Rules.Length + health.Count) / (Rules.Length + Choices.Length)));
            health.Add(Try(options, what, times, pace, cancel));
        }

        progress.Report(new("alternatives", "done", 1));
        return new(options.Nodes, options.Guilds, placement, health);
    }

    private static HealthAlternative Try(SimulationOptions options, string what, HealthTimes times, Pace pace, CancellationToken cancel)
    {
        var world = new World(options.Nodes, options.Regions);
        var windows = HealthWindow.All(world, options.Gateways, LossMinutes, new Random(options.Seed)).ToDictionary(window => window.Kind);
        var flapping = Run(WindowKind.Flaps);
        return new(
            what,
            Run(WindowKind.Loss).FalseEvictions,
            Run(WindowKind.Silences).FalseEvictions,
            Math.Round((double)flapping.Evictions / windows[WindowKind.Flaps].Troubles.Select(trouble => trouble.Node).Distinct().Count(), 1),
            Run(WindowKind.Killed).DetectMs,
            Run(WindowKind.Frozen).DetectMs,
            Run(WindowKind.Grey).DetectMs,
            Math.Round(1000.0 / pace.Ping + 1000.0 / pace.Media, 1));

        HealthResult Run(WindowKind kind) =>
            new HealthRun(world, windows[kind], options.Gateways, pace, options.Seed, times).Run(_ => cancel.ThrowIfCancellationRequested());
    }

    private static TimeSpan Milliseconds(int count) => TimeSpan.FromMilliseconds(count);
}
