using System.Diagnostics;
using Voice.VoiceAllocator;

namespace Voice.Load.Simulation;

/// <summary>What a decision costs: every guild is placed once, timed by the wall clock, on one thread.</summary>
internal static class Throughput
{
    private const int Batches = 10;
    private const string Gateway = "gateway";

    /// <returns>Decisions a second in the median batch and the worst, and the bytes of a fleet with every guild placed.</returns>
    public static (double Median, double Worst, long Bytes) Measure(SimulationOptions options)
    {
        var world = new World(options.Nodes, options.Regions);
        var random = new Random(options.Seed);
        string[] wanted = [.. Enumerable.Range(0, options.Guilds).Select(_ => world.Regions[world.Draw(random)].Name)];
        var before = GC.GetTotalMemory(forceFullCollection: true);
        var fleet = new Fleet(Geography.NeighboursOf(world.Regions), random, TimeSpan.Zero);
        string[] incarnations = [.. Enumerable.Range(0, world.Nodes).Select(node => world.Identity(node, 1).Incarnation)];
        for (var node = 0; node < world.Nodes; node++)
        {
            var identity = world.Identity(node, 1);
            fleet.Register(identity, identity.Incarnation, Gateway, TimeSpan.Zero);
        }

        var rates = new List<double>();
        for (var batch = 0; batch < Batches; batch++)
        {
            var now = TimeSpan.FromSeconds(batch + 1);
            for (var node = 0; node < world.Nodes; node++)
                fleet.Report(world.Names[node], incarnations[node], incarnations[node], new(0.3 + 0.2 * random.NextDouble(), 0, 0, 0, 0, MediaReady: true, []), now);
            var (from, to) = ((int)((long)options.Guilds * batch / Batches), (int)((long)options.Guilds * (batch + 1) / Batches));
            var began = Stopwatch.GetTimestamp();
            for (var guild = from; guild < to; guild++) fleet.Assign((ulong)guild, "", wanted[guild], 1, avoid: null, now);
            rates.Add((to - from) / Stopwatch.GetElapsedTime(began).TotalSeconds);
            fleet.TakeEvents();
        }

        var bytes = GC.GetTotalMemory(forceFullCollection: true) - before;
        GC.KeepAlive(fleet);
        rates.Sort();
        return (rates[Batches / 2], rates[0], bytes);
    }
}
