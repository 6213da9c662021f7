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
/// <param name="times">Null: the usual ones.</param>
public sealed class Observer(string id, TimeSpan start, HealthTimes? times = null)
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
    private TimeSpan saidAllAt;

    public bool IsOnTime => clock.IsOnTime;

    /// <summary>Votes that it did not give because it was late itself.</summary>
    public long WithheldLate { get; private set; }

    /// <summary>Votes that it did not give because too many nodes fell at once.</summary>
    public long WithheldMany { get; private set; }

    public void LinkUp(string node, string incarnation, string link, TimeSpan now)
    {
        var at = clock.At(now);
        if (!nodes.TryGetValue(node, out var watched)) nodes[node] = watched = new Watched(incarnation, times);
        else if (watched.Incarnation != incarnation) watched.Restart(incarnation, at);
        watched.Probe.LinkUp(link, at);
    }

    public void LinkLost(string node, string link, TimeSpan now) => Find(node)?.LinkLost(link, clock.At(now));

    public void Heard(string node, TimeSpan now) => Find(node)?.Heard(clock.At(now));

    public void MediaOpened(string node, int workers, TimeSpan now) => Find(node)?.MediaOpened(workers, clock.At(now));

    public void MediaHeard(string node, int worker, TimeSpan now) => Find(node)?.MediaHeard(worker, clock.At(now));

    public void MediaClosed(string node) => Find(node)?.MediaClosed();

    public NodeHealth? HealthOf(string node) => Find(node)?.Health;

    /// <summary>Judges all nodes. Ten thousand of them twenty times a second: nothing is allocated for those of whom there is nothing to say.</summary>
    /// <returns>What there is to say now; null: nothing.</returns>
    public VoteSheet? Tick(TimeSpan now)
    {
        var at = clock.Tick(now);
        var (known, down, lately) = (0, 0, 0);
        foreach (var (node, watched) in nodes)
        {
            watched.Probe.Tick(at);
            if (at - watched.Probe.LinkedAt(at) >= HealthProbe.FallsForgottenAfter) nodes.Remove(node);
            if (!watched.IsKnown(at)) continue;
            known++;
            if (!watched.IsDown) continue;
            down++;
            if (watched.FellLately(at)) lately++;
        }

        // Nobody is healthy: it is the probing that is broken, for however long.
        var (isLate, isBlind, isShaken) = (!clock.IsOnTime, down == known, lately * 2 > known);
        if (isLate) WithheldLate += known;
        else WithheldMany += isBlind ? down : isShaken ? lately : 0;

        var isWhole = at - saidAllAt >= Repeat;
        List<NodeVote> votes = [];
        foreach (var (node, watched) in nodes)
        {
            var isDoubted = watched.IsDown && (isBlind || (isShaken && watched.FellLately(at)));
            NodeHealth? thinks = isLate || isDoubted || !watched.IsKnown(at) ? null : watched.Probe.Health;
            if (isWhole ? thinks is not null : thinks != watched.Said) votes.Add(new NodeVote(node, thinks));
            watched.Said = thinks;
        }

        if (isWhole) saidAllAt = at;
        return isWhole || votes.Count > 0 ? new VoteSheet(id, isWhole, [.. votes]) : null;
    }

    private HealthProbe? Find(string node) => nodes.GetValueOrDefault(node)?.Probe;

    private sealed class Watched(string incarnation, HealthTimes? times)
    {
        public HealthProbe Probe { get; } = new(times);

        public string Incarnation { get; private set; } = incarnation;

        /// <summary>What was said of it last; null: nothing.</summary>
        public NodeHealth? Said { get; set; }

        public bool IsDown => Probe.Health is NodeHealth.Dead or NodeHealth.Grey;

        /// <summary>It was linked here lately enough to have a say about it.</summary>
        public bool IsKnown(TimeSpan at) => at - Probe.LinkedAt(at) < LinkedLately;

        public bool FellLately(TimeSpan at) => at - Probe.FellAt < HoldBack;

        public void Restart(string next, TimeSpan now)
        {
            Incarnation = next;
            Probe.Restarted(now);
        }
    }
}
