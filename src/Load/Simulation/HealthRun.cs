using Voice.Protocol.Links;
using Voice.VoiceAllocator;

namespace Voice.Load.Simulation;

/// <summary>How often nodes are probed, in milliseconds.</summary>
internal sealed record Pace(int Ping, int Media, int DoubtedMedia)
{
    public static Pace Usual { get; } = new(
        (int)HealthProbe.ProbePeriod.TotalMilliseconds, (int)HealthProbe.ProbePeriod.TotalMilliseconds, (int)HealthProbe.DoubtedPeriod.TotalMilliseconds);
}

/// <summary>A window of health at its full rate: the real observers of all gateways watch all nodes, and the real fleet counts their votes.</summary>
internal sealed class HealthRun
{
    private const int Slice = 1000;
    private const int VoteMilliseconds = 5;

    private readonly World world;
    private readonly HealthWindow window;
    private readonly Watcher[] watchers;
    private readonly Fleet fleet;
    private readonly NodeIdentity[] identities;
    private readonly Dictionary<int, int> evictedAt = [];
    private int evictions;
    private int falseEvictions;

    public HealthRun(World world, HealthWindow window, int observers, Pace pace, int seed, HealthTimes? times = null)
    {
        (this.world, this.window) = (world, window);
        watchers = [.. Enumerable.Range(0, observers).Select(observer => new Watcher(observer, world, window, pace, seed + observer, times))];
        fleet = new Fleet(Geography.NeighboursOf(world.Regions), new Random(seed), TimeSpan.Zero);
        identities = [.. Enumerable.Range(0, world.Nodes).Select(node => world.Identity(node, 1))];
        for (var node = 0; node < world.Nodes; node++)
        {
            for (var observer = 0; observer < observers; observer++)
                fleet.Register(identities[node], Watcher.LinkOf(node, observer), Watcher.Name(observer), TimeSpan.Zero);
        }
    }

    /// <param name="progress">Told the seconds that are over.</param>
    public HealthResult Run(Action<int> progress)
    {
        for (var at = 0; at < window.Milliseconds; at += Slice)
        {
            progress(at / 1000);
            Report(at);
            var said = new List<Said>[watchers.Length];
            Parallel.For(0, watchers.Length, watcher => said[watcher] = watchers[watcher].Run(at + Slice));
            foreach (var one in said.SelectMany(list => list).OrderBy(one => one.At).ThenBy(one => one.Observer)) Take(one);
        }

        var failures = window.Troubles.Where(trouble => trouble.IsFailure).ToArray();
        var times = failures.Where(failure => evictedAt.ContainsKey(failure.Node)).Select(failure => (double)(evictedAt[failure.Node] - failure.From)).Order().ToArray();
        return new(window.Name, window.Seconds, failures.Length, failures.Length - times.Length, Times(times), evictions, falseEvictions);
    }

    /// <summary>Nodes say each second that they are there.</summary>
    private void Report(int at)
    {
        var now = TimeSpan.FromMilliseconds(at);
        var report = new NodeReport(0.5, 0, 0, 0, 0, MediaReady: true, []);
        for (var node = 0; node < world.Nodes; node++)
        {
            if (window.ConditionOf(node, at) is not (Condition.Works or Condition.Grey)) continue;
            var (identity, link) = (identities[node], Watcher.LinkOf(node, 0));
            if (fleet.Report(identity.Id, identity.Incarnation, link, report, now) is not null) continue;
            fleet.Register(identity, link, Watcher.Name(0), now); // its gateway seemed gone
            fleet.Report(identity.Id, identity.Incarnation, link, report, now);
        }

        fleet.Tick(now);
        NoteEvictions(at);
    }

    private void Take(Said said)
    {
        var at = said.At + VoteMilliseconds;
        var now = TimeSpan.FromMilliseconds(at);
        if (said.Sheet is { } sheet) fleet.Vote(sheet, now);
        else fleet.LinkLost(world.Names[said.LostNode], identities[said.LostNode].Incarnation, Watcher.LinkOf(said.LostNode, said.Observer), now);
        NoteEvictions(at);
    }

    private void NoteEvictions(int at)
    {
        foreach (var eviction in fleet.TakeEvicted())
        {
            var node = world.Numbers[eviction.NodeId];
            evictions++;
            evictedAt.TryAdd(node, at);
            if (!window.IsDown(node, at)) falseEvictions++;
        }
    }

    private static DetectionTimes? Times(double[] sorted)
    {
        return sorted.Length == 0 ? null : new(At(0.5), At(0.99), sorted[^1], [.. Enumerable.Range(0, 21).Select(i => At(i / 20.0))]);

        double At(double share) => sorted[Math.Max(0, (int)Math.Ceiling(share * sorted.Length) - 1)];
    }
}
