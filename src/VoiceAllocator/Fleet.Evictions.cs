namespace Voice.VoiceAllocator;

/// <summary>Decides by the observers' votes which nodes lose their guilds, and where those go.</summary>
public sealed partial class Fleet
{
    /// <summary>A fleet that has just begun does not know whom it could believe yet: nodes report and observers vote within a second.</summary>
    public static readonly TimeSpan LearnFor = TimeSpan.FromSeconds(3);

    /// <summary>A node that no gateway has had a link to for so long is given up, though nobody is left who could vote on it.</summary>
    public static readonly TimeSpan OrphanedAfter = TimeSpan.FromSeconds(10);

    /// <summary>A node without links and guilds is remembered for so long.</summary>
    public static readonly TimeSpan RememberFor = TimeSpan.FromMinutes(1);

    /// <summary>Voice sessions that are sent to one node in a second after the death of another: handshakes that it does beside its calls.</summary>
    public const int SessionsPerSecond = 1000;

    /// <summary>Nobody is kept waiting longer for that.</summary>
    public static readonly TimeSpan LongestStagger = TimeSpan.FromSeconds(1);

    /// <summary>What a guild that nobody talks in is taken to cost.</summary>
    private const double IdleCost = VoiceNode.AssignmentCost / 10;

    private readonly Votes votes = new();
    private readonly HashSet<VoiceNode> fallen = [];
    private readonly Dictionary<(ulong Guild, string Slot), Assignment> untold = [];
    private readonly PriorityQueue<(ulong Guild, string Slot), TimeSpan> tellings = new();
    private readonly HashSet<string> relinked = [];

    private readonly List<Eviction> evictions = [];

    /// <summary>Times that votes against a node were ignored, because no node looked healthy, or too early after the start.</summary>
    public long EvictionsIgnored { get; private set; }

    /// <summary>Every node that is there has had the time to say so.</summary>
    public bool HasLearned(TimeSpan now) => now - start >= LearnFor;

    /// <summary>What an observer says counts at once.</summary>
    public void Vote(VoteSheet sheet, TimeSpan now)
    {
        votes.Put(sheet, now);
        foreach (var vote in sheet.Votes)
        {
            if (Find(vote.NodeId) is { } node) Look(node, now);
        }

        EvictFallen(now);
    }

    /// <summary>Notices what the time brings: votes and reports grow old. Call it every second.</summary>
    public void Tick(TimeSpan now)
    {
        foreach (var observer in votes.TakeGone(now))
        {
            foreach (var node in nodes.Values)
            {
                if (node.ObserverGone(observer, now)) relinked.Add(node.Identity.Id);
            }
        }

        foreach (var node in nodes.Values)
        {
            Look(node, now);
            if (!node.IsLinked && node.Assigned == 0 && now - node.UnlinkedAt >= RememberFor) Forget(node, now);
        }

        EvictFallen(now);
    }

    /// <summary>Slots that lost their node, as they are due to be told: not all at once, so that their new nodes are not stampeded.</summary>
    public LostSlot[] TakeLost(TimeSpan now)
    {
        List<LostSlot> due = [];
        while (tellings.TryPeek(out var key, out var when) && when <= now)
        {
            tellings.Dequeue();
            if (!untold.Remove(key, out var lost)) continue; // it has found its way meanwhile
            var offer = assignments.GetValueOrDefault(key);
            due.Add(new LostSlot(lost, offer?.Assignment));
            if (offer is not null) TellOf(offer);
        }

        return [.. due];
    }

    /// <summary>When <see cref="TakeLost"/> has something next; null: nothing waits.</summary>
    public TimeSpan? NextLost => tellings.TryPeek(out _, out var when) ? when : null;

    /// <summary>Nodes that were given up since the last call.</summary>
    public Eviction[] TakeEvicted() => Take(evictions);

    /// <summary>Nodes that lost some of their links: their guilds may hold on to one of those.</summary>
    public string[] TakeRelinked()
    {
        string[] taken = [.. relinked];
        relinked.Clear();
        return taken;
    }

    /// <summary>Draws from all that is known of a node what it may be given, and whether it has fallen.</summary>
    private void Look(VoiceNode node, TimeSpan now)
    {
        node.Verdict = votes.Verdict(node.Identity.Id, now);
        if (node.Verdict == NodeHealth.Healthy) node.IsOut = false;
        var isOrphan = !node.IsLinked && node.Verdict is null && now - node.UnlinkedAt >= OrphanedAfter;
        var isDown = isOrphan || node.Verdict is NodeHealth.Dead or NodeHealth.Grey;
        if (isDown && !node.IsOut) fallen.Add(node);
        else fallen.Remove(node);
        List(node, node.Judge(now));
    }

    /// <summary>Takes from the fallen nodes what they have. Not if no node is healthy: there is nowhere to go, and it is the probing, or the
    /// network that it goes over, which is broken; calls may well go on.</summary>
    private void EvictFallen(TimeSpan now)
    {
        if (fallen.Count == 0) return;
        if (!HasLearned(now) || trusted.All.Count == 0)
        {
            EvictionsIgnored += fallen.Count;
            return;
        }

        VoiceNode[] evicted = [.. fallen];
        fallen.Clear();
        foreach (var node in evicted)
        {
            evictions.Add(new Eviction(node.Identity.Id, node.Verdict is { } verdict ? verdict.ToString() : "Orphaned", node.Assigned));
            node.IsOut = true;
            List(node, node.Judge(now));
        }

        Relocate(evicted, now);
    }

    /// <summary>Another incarnation has its name, or nobody needs to know of it any more.</summary>
    private void Forget(VoiceNode node, TimeSpan now)
    {
        List(node, NodeStanding.Unusable);
        fallen.Remove(node);
        nodes.Remove(node.Identity.Id);
        Relocate([node], now);
    }

    private void Relocate(VoiceNode[] gone, TimeSpan now)
    {
        List<(HeldSlot Slot, double Cost)> lost = [];
        foreach (var node in gone)
        {
            foreach (var held in node.Held.ToArray())
            {
                lost.Add((held, Math.Max(held.Sessions * node.SessionCost, IdleCost)));
                var first = untold.GetValueOrDefault(held.Key) ?? held.Assignment; // what the guild knows of
                Remove(held);
                node.Release(held);
                untold[held.Key] = first;
            }
        }

        var ahead = new Dictionary<VoiceNode, int>();
        Relocation.Plan(lost, trusted, neighbours, random, (slot, cost, node) =>
        {
            var offer = Put(node, slot.Key, slot.Assignment.Epoch + 1, slot.Wanted, cost, now);
            (offer.IsOffer, offer.Sessions) = (true, slot.Sessions);
            var before = ahead.GetValueOrDefault(node);
            ahead[node] = before + Math.Max(slot.Sessions, 1);
            tellings.Enqueue(slot.Key, now + Stagger(before));
        });
        foreach (var (slot, _) in lost)
        {
            if (!assignments.ContainsKey(slot.Key)) tellings.Enqueue(slot.Key, now);
        }
    }

    private static TimeSpan Stagger(int sessionsBefore) =>
        TimeSpan.FromSeconds(Math.Min((double)sessionsBefore / SessionsPerSecond, LongestStagger.TotalSeconds));
}
