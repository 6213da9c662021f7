using Voice.Protocol.Links;

namespace Voice.VoiceAllocator;

/// <summary>A slot whose node is gone, and where a place is kept for it; null: nowhere.</summary>
public sealed record LostSlot(Assignment Lost, Assignment? Next);

/// <summary>A node that was given up.</summary>
/// <param name="Reason">The observers' verdict, or "Orphaned".</param>
/// <param name="Slots">Guild slots that it had.</param>
public sealed record Eviction(string NodeId, string Reason, int Slots);

/// <summary>Every node and every assignment. Plain and told the time; <see cref="AllocatorGrain"/> is its shell.
/// What follows from a call is kept until it is taken: <see cref="TakeEvents"/>, <see cref="TakeLost"/>, <see cref="TakeWaiting"/>,
/// <see cref="TakeRelinked"/>. What it does about nodes that fall is in Fleet.Evictions.cs.</summary>
/// <param name="neighbours">Which region comes next when one has no node.</param>
/// <param name="random">Decides between nodes that are alike.</param>
/// <param name="start">When it begins.</param>
/// <param name="rule">Null: the usual one.</param>
public sealed partial class Fleet(Neighbours neighbours, Random random, TimeSpan start, PlacementRule? rule = null)
{
    /// <summary>People of one draining node whose guilds are asked to move in a second: what they move to has to let them in, and has their
    /// media twice for a while. More, if else it took more than a minute.</summary>
    public const int MovedPerSecond = 25;

    private const int MovedShare = 15;

    /// <summary>A guild that was asked to move and is still there is asked again after this time.</summary>
    public static readonly TimeSpan AskAgain = TimeSpan.FromSeconds(10);

    /// <summary>What a node was given, and has not reported for so long, is not there: the guild is done, and nobody could say so.</summary>
    public static readonly TimeSpan UnseenFor = TimeSpan.FromMinutes(1);

    private readonly PlacementRule rule = rule ?? PlacementRule.Usual;
    private readonly Dictionary<string, VoiceNode> nodes = [];
    private readonly NodeIndex trusted = new();
    private readonly NodeIndex doubtful = new();
    private readonly Dictionary<(ulong Guild, string Slot), HeldSlot> assignments = [];
    private readonly HashSet<string> drained = [];
    private readonly HashSet<(ulong Guild, string Slot)> displaced = [];
    private readonly HashSet<ulong> waiting = [];
    private readonly List<AssignmentEvent> events = [];

    public IReadOnlyCollection<VoiceNode> Nodes => nodes.Values;

    public VoiceNode? Find(string nodeId) => nodes.GetValueOrDefault(nodeId);

    /// <summary>What is assigned to a node.</summary>
    public IEnumerable<Assignment> On(string nodeId) => Find(nodeId)?.Held.Select(held => held.Assignment) ?? [];

    /// <summary>A link of the node came up. A new incarnation has forgotten everything: what the old one hosted is lost.</summary>
    /// <param name="observer">Who holds the link.</param>
    /// <returns>False: another node of this name lives and is linked. Two that share a name would take turns for ever.</returns>
    public bool Register(NodeIdentity identity, string link, string observer, TimeSpan now)
    {
        if (!nodes.TryGetValue(identity.Id, out var node) || node.Identity != identity)
        {
            if (node is { IsLinked: true, IsOut: false } && now - node.HeardAt < VoiceNode.ReportFreshFor) return false;
            if (node is not null) Forget(node, now);
            nodes[identity.Id] = node = new VoiceNode(identity) { DrainedByOperator = drained.Contains(identity.Id) };
        }

        node.LinkUp(link, observer, now);
        Look(node, now);
        return true;
    }

    /// <summary>The node's load, and what it hosts.</summary>
    /// <returns>What it hosts that is not assigned to it here, for each guild to judge; null if the node or its link is not known
    /// (any more) and has to register again.</returns>
    public IReadOnlyList<HostedGuild>? Report(string nodeId, string incarnation, string link, NodeReport report, TimeSpan now)
    {
        if (Known(nodeId, incarnation) is not { } node || !node.HasLink(link)) return null;
        node.Report(report, now);
        Look(node, now);
        List<HostedGuild> unknown = [];
        foreach (var hosted in report.Hosted)
        {
            if (assignments.TryGetValue((hosted.Guild, hosted.Slot), out var known)
                && known.Assignment.NodeId == nodeId && known.Assignment.Epoch == hosted.Epoch)
                (known.Sessions, known.SeenAt, known.IsOffer) = (hosted.Sessions, now, false);
            else
                unknown.Add(hosted);
        }

        if (node.Assigned > report.Hosted.Length - unknown.Count) ForgetUnseen(node, now);
        return unknown;
    }

    public void LinkLost(string nodeId, string incarnation, string link, TimeSpan now)
    {
        if (Known(nodeId, incarnation) is not { } node || !node.LinkLost(link, now)) return;
        if (node.IsLinked) relinked.Add(nodeId);
        Look(node, now);
    }

    /// <summary>An operator's word. It holds for whichever node has this name, also for one that comes later.</summary>
    public void Drain(string nodeId, bool on, TimeSpan now)
    {
        if (on) drained.Add(nodeId);
        else drained.Remove(nodeId);
        if (Find(nodeId) is not { } node) return;
        node.DrainedByOperator = on;
        Look(node, now);
    }

    /// <summary>Puts a guild's slot on a node, in place of any that it had. Null: no node is usable; the guild waits.</summary>
    /// <param name="epoch">Higher than any the guild used before; the guild counts them.</param>
    /// <param name="move">The slot is served, and asks for another node than its own; null: there is no better one, and it keeps what it has.</param>
    /// <inheritdoc cref="Placement.Choose"/>
    public Assignment? Assign(ulong guild, string slot, string? region, long epoch, string? avoid, TimeSpan now, bool move = false)
    {
        var key = (guild, slot);
        var former = assignments.GetValueOrDefault(key);
        if (!move) Remove(former);
        var node = Placement.Choose(trusted, neighbours, region, avoid, move ? former?.Assignment.NodeId : null, rule, random);

        // Somebody is served badly by a doubtful node, and not at all by none.
        if (!move) node ??= Placement.Choose(doubtful, neighbours, region, avoid, null, rule, random);
        if (!move) node ??= Placement.Choose(trusted, neighbours, region, null, null, rule, random) ?? Placement.Choose(doubtful, neighbours, region, null, null, rule, random);
        if (node is null)
        {
            if (!move) waiting.Add(guild);
            return null;
        }

        if (move) Remove(former);
        var held = Put(node, key, epoch, region, VoiceNode.AssignmentCost, now);
        TellOf(held);
        return held.Assignment;
    }

    /// <summary>A guild that holds an assignment which this fleet does not know (it was started anew, or the guild gave it another epoch) says so.</summary>
    /// <returns>False: its node is not here, or no longer where clients were sent.</returns>
    public bool Claim(Assignment assignment, TimeSpan now)
    {
        if (Find(assignment.NodeId) is not { IsOut: false } node || node.Identity.Endpoint != assignment.Endpoint) return false;
        var key = (assignment.Guild, assignment.Slot);
        var known = assignments.GetValueOrDefault(key);

        // What the guild says of an epoch goes before what is only kept for it.
        var isOlder = known is { IsOffer: true } ? known.Assignment.Epoch > assignment.Epoch : known?.Assignment.Epoch >= assignment.Epoch;
        if (isOlder || known?.Assignment == assignment) return known!.Assignment == assignment;
        var held = new HeldSlot(assignment, known?.Wanted, known?.Cost ?? VoiceNode.AssignmentCost, now) { Sessions = known?.Sessions ?? 0 };
        var isOffered = known is { IsOffer: true };
        Remove(known);
        assignments[key] = held;
        node.Claim(held);
        Look(node, now);
        if (isOffered) TellOf(held);
        else displaced.Remove(key);
        return true;
    }

    /// <summary>The assignment's node is here, and not where clients were sent: it was started anew, and knows nothing of it.</summary>
    public bool HasMoved(Assignment assignment) => Find(assignment.NodeId) is { } node && node.Identity.Endpoint != assignment.Endpoint;

    /// <summary>The guild is done with the slot.</summary>
    public void Release(ulong guild, string slot, long epoch)
    {
        displaced.Remove((guild, slot));
        if (!assignments.TryGetValue((guild, slot), out var held)) return;

        // A place that was kept for it: the guild is done, and will not come.
        if (held.Assignment.Epoch != epoch && !held.IsOffer) return;
        Remove(held);
        displaced.Remove(held.Key);
        events.Add(new AssignmentEvent(AssignmentChange.Released, held.Assignment));
    }

    /// <summary>Guild slots whose nodes drain, to be asked to move now: those with the fewest sessions first, and no more at a time
    /// than their new nodes take in. Call it every second.</summary>
    public Assignment[] TakeMoves(TimeSpan now)
    {
        if (trusted.All.Count == 0) return [];
        List<HeldSlot> moves = [];
        foreach (var node in nodes.Values.Where(node => node.IsDraining && node.Assigned > 0))
        {
            var people = Math.Max(MovedPerSecond, node.Held.Sum(held => held.Sessions) / MovedShare);
            foreach (var held in node.Held
                .Where(held => held.AskedToMove is not { } asked || now - asked >= AskAgain)
                .OrderBy(held => held.Sessions).ThenBy(held => held.Assignment.Guild))
            {
                moves.Add(held);
                held.AskedToMove = now;
                people -= Math.Max(1, held.Sessions);
                if (people <= 0) break;
            }
        }

        return [.. moves.Select(held => held.Assignment)];
    }

    /// <summary>What happened since the last call, in order.</summary>
    public AssignmentEvent[] TakeEvents() => Take(events);

    /// <summary>Guilds that were refused a node, as soon as there is one again; each is told once.</summary>
    public ulong[] TakeWaiting()
    {
        if (waiting.Count == 0 || trusted.All.Count + doubtful.All.Count == 0) return [];
        ulong[] taken = [.. waiting];
        waiting.Clear();
        return taken;
    }

    private VoiceNode? Known(string nodeId, string incarnation) => Find(nodeId) is { } node && node.Identity.Incarnation == incarnation ? node : null;

    private HeldSlot Put(VoiceNode node, (ulong Guild, string Slot) key, long epoch, string? wanted, double cost, TimeSpan now)
    {
        var at = new Assignment(key.Guild, key.Slot, node.Identity.Id, node.Identity.Endpoint, node.Identity.Region, epoch);
        var held = new HeldSlot(at, wanted, cost, now);
        assignments[key] = held;
        node.Assign(held);
        return held;
    }

    private void ForgetUnseen(VoiceNode node, TimeSpan now)
    {
        foreach (var held in node.Held.Where(held => now - held.SeenAt >= UnseenFor).ToArray())
        {
            Remove(held);
            displaced.Remove(held.Key);
        }
    }

    /// <summary>What follows for it is a move.</summary>
    private void Remove(HeldSlot? held)
    {
        if (held is null) return;
        assignments.Remove(held.Key);
        untold.Remove(held.Key);
        Find(held.Assignment.NodeId)?.Release(held);
        displaced.Add(held.Key);
    }

    private void TellOf(HeldSlot held)
    {
        var kind = displaced.Remove(held.Key) ? AssignmentChange.Moved : AssignmentChange.Assigned;
        events.Add(new AssignmentEvent(kind, held.Assignment));
    }

    /// <summary>Lists the node where it belongs now.</summary>
    private void List(VoiceNode node, NodeStanding standing)
    {
        if (node.Standing == standing) return;
        IndexOf(node.Standing)?.Remove(node);
        node.Standing = standing;
        IndexOf(standing)?.Add(node);
    }

    private NodeIndex? IndexOf(NodeStanding standing) => standing switch
    {
        NodeStanding.Trusted => trusted,
        NodeStanding.Doubtful => doubtful,
        _ => null,
    };

    private static T[] Take<T>(List<T> list)
    {
        T[] taken = [.. list];
        list.Clear();
        return taken;
    }
}
