using Voice.VoiceAllocator;

namespace Voice.Load.Simulation;

internal enum Condition : byte
{
    Works,

    /// <summary>Its process is gone: the kernel closes its connections.</summary>
    Killed,

    /// <summary>Frozen, or its packets go nowhere: nothing comes, and nothing says so.</summary>
    Silent,

    /// <summary>Its media process forwards nothing; everything else works.</summary>
    Grey,
}

/// <summary>A node that does not work for a while; in milliseconds of its window.</summary>
/// <param name="IsFailure">It should be noticed, and how fast is measured.</param>
internal sealed record Trouble(int Node, Condition Condition, int From, int Until, bool IsFailure);

/// <summary>An observer that stands still, or that nothing reaches; in milliseconds of its window.</summary>
internal sealed record Outage(int Observer, int From, int Until, bool IsCutOff);

internal enum WindowKind
{
    Loss,
    FrozenObservers,
    LateObserver,
    CutOffObserver,
    CutOffObservers,
    Silences,
    Flaps,
    Killed,
    Frozen,
    Grey,
    Racks,
    Region,
    LossAndFailures,
}

/// <summary>A while in which health is simulated at its full rate.</summary>
/// <param name="Loss">Share of packets lost, each way, on both paths.</param>
internal sealed record HealthWindow(WindowKind Kind, string Name, int Seconds, double Loss, IReadOnlyList<Trouble> Troubles, IReadOnlyList<Outage> Outages)
{
    /// <summary>Before anything is broken: the fleet believes nobody at first.</summary>
    public const int Calm = 6000;

    private const double UsualLoss = 0.01;
    private const int Short = 60;
    private const int Long = 120;

    private readonly Dictionary<int, Trouble[]> byNode = Troubles.GroupBy(trouble => trouble.Node).ToDictionary(group => group.Key, group => group.ToArray());

    public int Milliseconds => Seconds * 1000;

    public static IReadOnlyList<HealthWindow> All(World world, int observers, int lossMinutes, Random random)
    {
        var sample = Math.Max(20, world.Nodes / 100);
        var dark = world.Nodes / 4; // more than half at once would be the observers' fault
        var racks = world.Racks.Take(5).SelectMany(rack => rack).Take(dark);
        return
        [
            new(WindowKind.Loss, $"20 % loss, {lossMinutes} minutes", lossMinutes * 60, 0.2, [], []),
            new(WindowKind.FrozenObservers, "each observer frozen for 2 s, in turn", Long, UsualLoss, [], [.. Frozen(observers)]),
            new(WindowKind.LateObserver, "an observer that is late all the time", Long, UsualLoss, [], [.. Late(random)]),
            new(WindowKind.CutOffObserver, "an observer cut off for 30 s", Short, UsualLoss, [], [new(0, 10_000, 40_000, true)]),
            new(WindowKind.CutOffObservers, "all observers cut off for 10 s", Short, UsualLoss, [], [.. CutOff(observers)]),
            new(WindowKind.Silences, "short silences, up to 0.45 s", Long, UsualLoss, [.. Silences(world, sample, random)], []),
            new(WindowKind.Flaps, "flapping, 3 s down and 3 s up", Long, UsualLoss, [.. Flaps(world, sample / 2, random)], []),
            new(WindowKind.Killed, "nodes killed", Short, UsualLoss, [.. Single(world, sample, Condition.Killed, random)], []),
            new(WindowKind.Frozen, "nodes frozen", Short, UsualLoss, [.. Single(world, sample, Condition.Silent, random)], []),
            new(WindowKind.Grey, "nodes grey", Short, UsualLoss, [.. Single(world, sample, Condition.Grey, random)], []),
            new(WindowKind.Racks, "racks dark", Short, UsualLoss, [.. Dark(racks)], []),
            new(WindowKind.Region, "a region dark", Short, UsualLoss, [.. Dark(world.InRegion[0].Take(dark))], []),
            new(
                WindowKind.LossAndFailures, "nodes killed and frozen, 20 % loss", Short, 0.2,
                [.. Single(world, sample, Condition.Killed, random), .. Single(world, sample, Condition.Silent, random)], []),
        ];
    }

    /// <summary>Whether a node had given a reason by then.</summary>
    public bool IsDown(int node, int at)
    {
        const int afterwards = 3000; // votes are on their way
        var least = HealthProbe.DeadAfter.TotalMilliseconds;
        return byNode.TryGetValue(node, out var troubles) && troubles.Any(trouble => trouble.Until - trouble.From >= least && trouble.From <= at && at <= trouble.Until + afterwards);
    }

    public Condition ConditionOf(int node, int at)
    {
        if (Troubles.Count == 0 || !byNode.TryGetValue(node, out var troubles)) return Condition.Works;
        foreach (var trouble in troubles)
        {
            if (trouble.From <= at && at < trouble.Until) return trouble.Condition;
        }

        return Condition.Works;
    }

    private static IEnumerable<Outage> Frozen(int observers)
    {
        for (var (at, turn) = (Calm, 0); at + 2000 < Long * 1000; at += 10_000) yield return new(turn++ % observers, at, at + 2000, IsCutOff: false);
    }

    private static IEnumerable<Outage> Late(Random random)
    {
        for (var at = Calm; at < Long * 1000;)
        {
            var until = at + random.Next(50, 700);
            yield return new(0, at, until, IsCutOff: false);
            at = until + random.Next(200, 2000);
        }
    }

    private static IEnumerable<Outage> CutOff(int observers) => Enumerable.Range(0, observers).Select(observer => new Outage(observer, 10_000, 20_000, IsCutOff: true));

    private static IEnumerable<Trouble> Dark(IEnumerable<int> nodes) => nodes.Select(node => new Trouble(node, Condition.Silent, 20_000, Short * 1000, IsFailure: true));

    private static IEnumerable<Trouble> Silences(World world, int nodes, Random random)
    {
        for (var i = 0; i < nodes; i++)
        {
            var node = Spread(i, nodes, world);
            for (var at = Calm + random.Next(5000); at < Long * 1000; at += random.Next(2000, 8000))
            {
                var until = at + random.Next(200, 450);
                yield return new(node, Condition.Silent, at, until, false);
                at = until;
            }
        }
    }

    private static IEnumerable<Trouble> Flaps(World world, int nodes, Random random)
    {
        for (var i = 0; i < nodes; i++)
        {
            var node = Spread(i, nodes, world);
            for (var at = Calm + random.Next(6000); at + 3000 < Long * 1000; at += 6000) yield return new(node, Condition.Silent, at, at + 3000, false);
        }
    }

    private static IEnumerable<Trouble> Single(World world, int nodes, Condition condition, Random random)
    {
        // Killed ones and frozen ones of the same window are different nodes.
        for (var i = 0; i < nodes; i++) yield return new((Spread(i, nodes, world) + (int)condition) % world.Nodes, condition, Calm + random.Next(30_000), Short * 1000, true);
    }

    private static int Spread(int i, int of, World world) => (int)((long)i * world.Nodes / of);
}
