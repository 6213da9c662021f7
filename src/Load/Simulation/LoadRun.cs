using Voice.Protocol.Links;
using Voice.VoiceAllocator;

namespace Voice.Load.Simulation;

/// <summary>Hours and days of a fleet in coarse steps: the real <see cref="Fleet"/> places every call of <see cref="Traffic"/> and relocates what failures
/// leave behind. Who lives is not probed here (<see cref="HealthRun"/> is for that): a node that dies loses its links, and the fleet gives it up by itself.</summary>
internal sealed class LoadRun
{
    /// <summary>Mean utilisation in the evening.</summary>
    private const double EveningUtilisation = 0.6;

    /// <summary>Until what is placed no longer remembers how it began.</summary>
    private const int SettlingHours = 5;

    private const int StepsPerHour = 3600 / Traffic.StepSeconds;
    /// <summary>Nodes report once a second; what they host changes in hours. A node that dies alone is given up when it is next looked at all.</summary>
    private const int StepsPerReport = 120 / Traffic.StepSeconds;

    private const int StepsPerSample = StepsPerHour / 6;

    /// <summary>A node that was down this lately is still being filled.</summary>
    private const int FillingSteps = StepsPerHour;

    /// <summary>Of what a node reports of its load: processors are busy with other things.</summary>
    private const double ReportNoise = 0.02;

    private const string Gateway = "gateway";

    private readonly SimulationOptions options;
    private readonly IProgress<LoadProgress> progress;
    private readonly CancellationToken cancel;
    private readonly World world;
    private readonly Traffic traffic;
    private readonly FailurePlan failures;
    private readonly Random random;
    private readonly Fleet fleet;
    private readonly NodeState[] nodes;
    private readonly HashSet<int> takers = [];
    private readonly int[] nodeOf;
    private readonly int[] epochs;
    private readonly double capacity;
    private readonly double reportShare = 1 - Math.Exp(-Traffic.StepSeconds / VoiceNode.LoadAveragedOver.TotalSeconds);
    private readonly HashSet<int> givingUpAt = [];
    private TimeSpan now;
    private int reportsDue;
    private int step;
    private long placements;
    private long moves;
    private long unplaced;

    public LoadRun(SimulationOptions options, IProgress<LoadProgress> progress, PlacementRule? rule = null, CancellationToken cancel = default)
    {
        (this.options, this.progress, this.cancel) = (options, progress, cancel);
        world = new World(options.Nodes, options.Regions);
        random = new Random(options.Seed);
        traffic = new Traffic(world, options.Guilds, new Random(options.Seed + 1));
        failures = new FailurePlan(world, options.Hours, new Random(options.Seed + 2));
        fleet = new Fleet(Geography.NeighboursOf(world.Regions), new Random(options.Seed + 3), now, rule);
        nodes = [.. Enumerable.Range(0, world.Nodes).Select(_ => new NodeState())];
        (nodeOf, epochs) = (new int[options.Guilds], new int[options.Guilds]);
        Array.Fill(nodeOf, -1);
        capacity = PeopleExpected(options) / world.Nodes / EveningUtilisation;
        for (var node = 0; node < world.Nodes; node++) Rise(node);
    }

    /// <summary>Only where it is evening everywhere.</summary>
    public Skew RunSteadyOnly() => RunSteady().Skew.ToSkew();

    public LoadResult Run()
    {
        var (steady, peakPeople, peakGuilds) = RunSteady();
        var (day, samples, failed) = RunDay();
        return new(steady.ToSkew(), day.ToSkew(), peakPeople, peakGuilds, placements, moves, unplaced, samples, failed);
    }

    /// <summary>Everywhere it is evening, for ever.</summary>
    private (Histogram Skew, int People, int Guilds) RunSteady()
    {
        var skew = new Histogram();
        for (var i = 0; i < (SettlingHours + 1) * StepsPerHour; i++)
        {
            if (i % StepsPerSample == 0) progress.Report(new("load", "evening everywhere", 0.3 * i / ((SettlingHours + 1) * StepsPerHour)));
            Step();
            if (i >= SettlingHours * StepsPerHour && i % (StepsPerHour / 60) == 0) Sample(skew);
        }

        var inVoice = 0;
        foreach (var people in traffic.People) inVoice += people > 0 ? 1 : 0;
        return (skew, nodes.Sum(node => node.People), inVoice);
    }

    private (Histogram Skew, List<LoadSample> Samples, List<FailureResult> Failures) RunDay()
    {
        (placements, moves, unplaced) = (0, 0, 0);
        var (skew, samples, failed) = (new Histogram(), new List<LoadSample>(), new List<FailureResult>());
        var begin = step;
        for (var i = 0; i < options.Hours * StepsPerHour; i++)
        {
            var hour = (double)i / StepsPerHour;
            for (var region = 0; region < world.Regions.Count; region++) traffic.SetActivity(region, Geography.Activity(world.Regions[region], hour));
            foreach (var node in failures.Returning(i).Where(node => !nodes[node].IsUp && nodes[node].DownUntil <= i)) Rise(node);
            foreach (var failure in failures.Failing(i)) Fall(failure, hour, failed);
            Step();
            foreach (var failure in failures.Failing(i - GivenUpAfterSteps - 1)) NoteFullest(failure, failed);
            if (i % (StepsPerHour / 60) == 0) Sample(skew);
            if (i % StepsPerSample == 0)
            {
                samples.Add(TakeSample(hour));
                progress.Report(new("load", $"{hour:0} of {options.Hours} hours, {fleet.Nodes.Count} nodes", 0.3 + 0.7 * (step - begin) / (options.Hours * StepsPerHour)));
            }
        }

        return (skew, samples, [.. failed.Where(failure => failure.Nodes > 1)]);
    }

    /// <summary>Nodes report, people come and go, and what the fleet decides is done.</summary>
    private void Step()
    {
        cancel.ThrowIfCancellationRequested();
        now += TimeSpan.FromSeconds(Traffic.StepSeconds);
        step++;
        foreach (var node in nodes) node.Share += reportShare * (node.People / capacity - node.Share);
        if (step >= reportsDue || givingUpAt.Remove(step)) ReportAll();
        foreach (var lost in fleet.TakeLost(now)) Follow(lost);
        foreach (var guild in fleet.TakeWaiting()) Assign((int)guild);
        traffic.Step(Change);
        fleet.TakeEvents();
        fleet.TakeEvicted();
        fleet.TakeRelinked();
    }

    private void Change(int guild, int before, int after)
    {
        if (nodeOf[guild] >= 0) nodes[nodeOf[guild]].People += after - before;
        if (before == 0)
        {
            Assign(guild);
        }
        else if (after == 0)
        {
            fleet.Release((ulong)guild, "", epochs[guild]);
            nodeOf[guild] = -1;
        }
    }

    private void Assign(int guild)
    {
        if (traffic.People[guild] == 0) return;
        placements++;
        var region = world.Regions[traffic.RegionOf(guild)].Name;
        Settle(guild, fleet.Assign((ulong)guild, "", region, ++epochs[guild], avoid: null, now));
    }

    /// <summary>The guild's node is gone: it goes where a place is kept, as its grain does.</summary>
    private void Follow(LostSlot lost)
    {
        var guild = (int)lost.Lost.Guild;
        if (traffic.People[guild] == 0) return;
        Leave(guild);
        if (lost.Next is not { } next)
        {
            Assign(guild);
            return;
        }

        moves++;
        takers.Add(world.Numbers[next.NodeId]);
        epochs[guild] = (int)next.Epoch;
        Settle(guild, next);
    }

    private void Settle(int guild, Assignment? assignment)
    {
        if (assignment is null)
        {
            unplaced++;
            return;
        }

        var node = world.Numbers[assignment.NodeId];
        nodeOf[guild] = node;
        nodes[node].People += traffic.People[guild];
    }

    private void Leave(int guild)
    {
        if (nodeOf[guild] >= 0) nodes[nodeOf[guild]].People -= traffic.People[guild];
        nodeOf[guild] = -1;
    }

    private void ReportAll()
    {
        for (var node = 0; node < nodes.Length; node++)
        {
            if (nodes[node].IsUp) Report(node);
        }

        fleet.Tick(now);
        reportsDue = step + StepsPerReport;
    }

    /// <summary>With all that it hosts.</summary>
    private void Report(int number)
    {
        var node = nodes[number];
        var hosted = fleet.On(world.Names[number]).Select(held => new HostedGuild(held.Guild, "", held.Epoch, traffic.People[(int)held.Guild])).ToArray();
        var noise = 1 + ReportNoise * (2 * random.NextDouble() - 1);
        fleet.Report(world.Names[number], node.Identity!.Incarnation, LinkOf(node), new(node.Share * noise, 0, 0, node.People, 0, MediaReady: true, hosted), now);
    }

    private void Rise(int number)
    {
        var node = nodes[number];
        node.Identity = world.Identity(number, ++node.Incarnations);
        (node.IsUp, node.Share, node.UpSince) = (true, 0, step);
        fleet.Register(node.Identity, LinkOf(node), Gateway, now);
    }

    private void Fall(Failure failure, double hour, List<FailureResult> failed)
    {
        var guilds = 0;
        foreach (var number in failure.Nodes.Where(number => !nodes[number].IsUp)) nodes[number].DownUntil = Math.Max(nodes[number].DownUntil, failure.UntilStep);
        foreach (var number in failure.Nodes.Where(number => nodes[number].IsUp))
        {
            var node = nodes[number];
            guilds += fleet.Find(world.Names[number])!.Assigned;
            Report(number);
            (node.IsUp, node.DownUntil) = (false, failure.UntilStep);
            fleet.LinkLost(world.Names[number], node.Identity!.Incarnation, LinkOf(node), now);
        }

        if (failure.Nodes.Length > 1) givingUpAt.Add(step + GivenUpAfterSteps);
        failed.Add(new(failure.What, Math.Round(hour, 2), failure.Nodes.Length, guilds, 0));
    }

    private static string LinkOf(NodeState node) => node.Identity!.Incarnation;

    /// <summary>Steps from a failure until its guilds are elsewhere.</summary>
    private static int GivenUpAfterSteps => (int)Fleet.OrphanedAfter.TotalSeconds / Traffic.StepSeconds + 1;

    private void NoteFullest(Failure failure, List<FailureResult> failed)
    {
        var at = failed.FindLastIndex(one => one.What == failure.What);
        EachSkew((node, skew, _) =>
        {
            if (takers.Contains(node)) failed[at] = failed[at] with { Fullest = Math.Max(failed[at].Fullest, Math.Round(skew, 3)) };
        });
        takers.Clear();
    }

    private void Sample(Histogram skew) => EachSkew((_, share, isFilling) =>
    {
        if (!isFilling) skew.Add(share);
    });

    /// <summary>Every node that is up, and its load by the mean of its region's.</summary>
    private void EachSkew(Action<int, double, bool> found)
    {
        foreach (var region in world.InRegion)
        {
            var up = region.Where(node => nodes[node].IsUp).ToArray();
            if (up.Length == 0) continue;
            var mean = up.Average(node => nodes[node].People);
            foreach (var node in up) found(node, nodes[node].People / mean, nodes[node].UpSince > 0 && step - nodes[node].UpSince < FillingSteps);
        }
    }

    private LoadSample TakeSample(double hour)
    {
        var skew = new Histogram();
        Sample(skew);
        var (away, inVoice) = (0, 0);
        for (var guild = 0; guild < nodeOf.Length; guild++)
        {
            if (nodeOf[guild] < 0) continue;
            inVoice++;
            if (world.RegionOf(nodeOf[guild]) != traffic.RegionOf(guild)) away++;
        }

        var utilisation = world.InRegion.Select(region => Math.Round(region.Sum(node => nodes[node].People) / capacity / region.Length, 4));
        var shape = skew.ToSkew();
        return new(Math.Round(hour, 3), [.. utilisation], shape.P99, shape.Max, Math.Round((double)away / Math.Max(1, inVoice), 5), moves);
    }

    /// <summary>In voice in the evening, from a part of the guilds that nobody places.</summary>
    private static double PeopleExpected(SimulationOptions options)
    {
        var guilds = Math.Min(options.Guilds, 20_000);
        var sample = new Traffic(new World(1, 1), guilds, new Random(options.Seed + 4));
        for (var i = 0; i < SettlingHours * StepsPerHour; i++) sample.Step((_, _, _) => { });
        var people = 0L;
        foreach (var inVoice in sample.People) people += inVoice;
        return (double)people / guilds * options.Guilds;
    }

    private sealed class NodeState
    {
        public NodeIdentity? Identity { get; set; }

        public int Incarnations { get; set; }

        public bool IsUp { get; set; }

        public int UpSince { get; set; }

        /// <summary>Step of the day.</summary>
        public int DownUntil { get; set; }

        public int People { get; set; }

        /// <summary>Of its processor, as it reports: an average over some time.</summary>
        public double Share { get; set; }
    }
}
