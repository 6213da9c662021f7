using System.Diagnostics;

namespace Voice.Load.Simulation;

/// <summary>A large fleet on virtual time: the real allocator and the real observers, and a world that is modelled around them. docs/simulation.md.</summary>
public static class Simulation
{
    /// <summary>Load and health beside each other, after what is timed by the wall clock.</summary>
    public static async Task<SimulationResult> RunAsync(SimulationOptions options, IProgress<LoadProgress> progress, CancellationToken cancel)
    {
        var began = Stopwatch.GetTimestamp();
        progress.Report(new("placing", "every guild, by the wall clock", 0));
        var (median, worst, bytes) = await Task.Run(() => Throughput.Measure(options), cancel);
        progress.Report(new("placing", "done", 1));
        var load = Task.Run(() => new LoadRun(options, progress, cancel: cancel).Run(), cancel);
        var health = Task.Run(() => Health(options, progress, cancel), cancel);
        await Task.WhenAll(load, health);
        return new(
            options.Nodes, options.Regions, options.Guilds, options.Gateways, options.Seed, await load, await health,
            new(Math.Round(median), Math.Round(worst), bytes, Math.Round((double)bytes / options.Guilds), Math.Round(Stopwatch.GetElapsedTime(began).TotalSeconds)));
    }

    private static HealthResult[] Health(SimulationOptions options, IProgress<LoadProgress> progress, CancellationToken cancel)
    {
        var world = new World(options.Nodes, options.Regions);
        var windows = HealthWindow.All(world, options.Gateways, options.LossMinutes, new Random(options.Seed));
        var (all, before) = (windows.Sum(window => window.Seconds), 0);
        var results = new List<HealthResult>();
        foreach (var window in windows)
        {
            results.Add(new HealthRun(world, window, options.Gateways, Pace.Usual, options.Seed).Run(seconds =>
            {
                cancel.ThrowIfCancellationRequested();
                if (seconds % 10 == 0) progress.Report(new("health", window.Name, (double)(before + seconds) / all));
            }));
            before += window.Seconds;
        }

        progress.Report(new("health", "done", 1));
        return [.. results];
    }
}
