namespace Voice.VoiceAllocator;

/// <summary>What an observer says of a node; null: nothing any more.</summary>
[GenerateSerializer, Immutable]
public sealed record NodeVote(string NodeId, NodeHealth? Health);

/// <summary>What an observer says.</summary>
/// <param name="Observer">Unique among the gateways.</param>
/// <param name="Whole">True: of nodes that are not named it says nothing. False: it says what it said before.</param>
[GenerateSerializer, Immutable]
public sealed record VoteSheet(string Observer, bool Whole, NodeVote[] Votes);

/// <summary>Watches the nodes that are linked to one gateway, and says what it thinks of them, unless it has reason to doubt itself. Told the
/// real time; not thread safe.</summary>
/// <param name="start">When it begins.</param>
public sealed class Observer(string id, TimeSpan start)
{
    /// <summary>Of <see cref="Tick"/>.</summary>
    public static readonly TimeSpan Period = TimeSpan.FromMilliseconds(50);

    /// <summary>What it says is said again after this time, though nothing changed.</summary>
    public static readonly TimeSpan Repeat = TimeSpan.FromSeconds(1);

    /// <summary>An observer has a say about a node that was linked to it within this time.</summary>
    public static readonly TimeSpan LinkedLately = TimeSpan.FromSeconds(30);

    /// <summary>If more than half of the nodes fall within this time, it is more likely the observer's network that fell. It says nothing of
    /// them until it has been so for this long.</summary>
    public static readonly TimeSpan HoldBack = TimeSpan.FromSeconds(5);

    private readonly ObserverClock clock = new(Period, start);
    private readonly Dictionary<string, Watched> nodes = [];
    private readonly Dictionary<string, NodeHealth> said = [];
    private TimeSpan saidAllAt;

    public bool IsOnTime => clock.IsOnTime;

    /// <summary>Votes that it did not give because it was late itself.</summary>
    public long WithheldLate { get; private set; }

    /// <summary>Votes that it did not give because too many nodes fell at once.</summary>
    public long WithheldMany { get; private set; }

    public void LinkUp(string node, string incarnation, string link, TimeSpan now)
    {
        var at = clock.At(now);
        if (!nodes.TryGetValue(node, out var watched)) nodes[node] = watched = new Watched(incarnation);
        else if (watched.Incarnation != incarnation) watched.Restart(incarnation, at);
        watched.Probe.LinkUp(link, at);
    }

    public void LinkLost(string node, string link, TimeSpan now) => Find(node)?.LinkLost(link, clock.At(now));

    public void Heard(string node, TimeSpan now) => Find(node)?.Heard(clock.At(now));

    public void MediaOpened(string node, int workers, TimeSpan now) => Find(node)?.MediaOpened(workers, clock.At(now));

    public void MediaHeard(string node, int worker, TimeSpan now) => Find(node)?.MediaHeard(worker, clock.At(now));

    public void MediaClosed(string node) => Find(node)?.MediaClosed();

    public NodeHealth? HealthOf(string node) => Find(node)?.Health;

    /// <summary>Judges all nodes.</summary>
    /// <returns>What there is to say now; null: nothing.</returns>
    public VoteSheet? Tick(TimeSpan now)
    {
        var at = clock.Tick(now);
        foreach (var (node, watched) in nodes)
        {
            watched.Probe.Tick(at);
            if (at - watched.Probe.LinkedAt(at) >= HealthProbe.FallsForgottenAfter) nodes.Remove(node);
        }

        var isWhole = at - saidAllAt >= Repeat;
        var thinks = Opinion(at);
        List<NodeVote> votes = [];
        foreach (var (node, health) in thinks)
        {
            if (isWhole || !said.TryGetValue(node, out var before) || before != health) votes.Add(new NodeVote(node, health));
            said[node] = health;
        }

        foreach (var node in said.Keys.Where(node => !thinks.ContainsKey(node)).ToArray())
        {
            said.Remove(node);
            if (!isWhole) votes.Add(new NodeVote(node, null));
        }

        if (isWhole) saidAllAt = at;
        return isWhole || votes.Count > 0 ? new VoteSheet(id, isWhole, [.. votes]) : null;
    }

    /// <summary>Everything that it stands for.</summary>
    private Dictionary<string, NodeHealth> Opinion(TimeSpan at)
    {
        var known = nodes.Where(one => at - one.Value.Probe.LinkedAt(at) < LinkedLately).ToDictionary(one => one.Key, one => one.Value.Probe);
        if (!clock.IsOnTime)
        {
            WithheldLate += known.Count;
            return [];
        }

        var down = known.Where(one => one.Value.Health is NodeHealth.Dead or NodeHealth.Grey).ToArray();
        var lately = down.Where(one => at - one.Value.FellAt < HoldBack).ToArray();

        // Nobody is healthy: it is the probing that is broken, for however long.
        var doubted = down.Length == known.Count ? down : lately.Length * 2 > known.Count ? lately : [];
        WithheldMany += doubted.Length;
        foreach (var (node, _) in doubted) known.Remove(node);
        return known.ToDictionary(one => one.Key, one => one.Value.Health);
    }

    private HealthProbe? Find(string node) => nodes.GetValueOrDefault(node)?.Probe;

    private sealed class Watched(string incarnation)
    {
        public HealthProbe Probe { get; } = new();

        public string Incarnation { get; private set; } = incarnation;

        public void Restart(string next, TimeSpan now)
        {
            Incarnation = next;
            Probe.Restarted(now);
        }
    }
}
