using Voice.Protocol.Links;

namespace Voice.VoiceAllocator;

/// <summary>Every node and every assignment. Plain and told the time; <see cref="AllocatorGrain"/> is its shell.
/// What follows from a call is kept until it is taken: <see cref="TakeEvents"/>, <see cref="TakeLost"/>, <see cref="TakeWaiting"/>.</summary>
public sealed class Fleet
{
    /// <summary>Guild slots of one draining node that are asked to move in a second: what they move to has to let their clients in.</summary>
    public const int MovesPerSecond = 20;

    /// <summary>A guild that was asked to move and is still there is asked again after this time.</summary>
    public static readonly TimeSpan AskAgain = TimeSpan.FromSeconds(10);

    private readonly Dictionary<string, VoiceNode> nodes = [];
    private readonly Dictionary<(ulong Guild, string Slot), HeldSlot> assignments = [];
    private readonly HashSet<string> drained = [];
    private readonly HashSet<(ulong Guild, string Slot)> displaced = [];
    private readonly HashSet<ulong> waiting = [];
    private readonly List<AssignmentEvent> events = [];
    private readonly List<Assignment> lost = [];

    public IReadOnlyCollection<VoiceNode> Nodes => nodes.Values;

    public VoiceNode? Find(string nodeId) => nodes.GetValueOrDefault(nodeId);

    /// <summary>What is assigned to a node.</summary>
    public IEnumerable<Assignment> On(string nodeId) => nodes.TryGetValue(nodeId, out var node) ? node.Held.Select(held => held.Assignment) : [];

    /// <summary>A link of the node came up. A new incarnation has forgotten everything: what the old one hosted is lost.</summary>
    /// <returns>False: another node of this name lives and is linked. Two that share a name would take turns for ever.</returns>
    public bool Register(NodeIdentity identity, string link, TimeSpan now)
    {
        if (!nodes.TryGetValue(identity.Id, out var node) || node.Identity != identity)
        {
            if (node is not null && node.Health.IsLinked && node.Health.IsAlive(now)) return false;
            if (node is not null) Remove(node);
            nodes[identity.Id] = node = new VoiceNode(identity) { DrainedByOperator = drained.Contains(identity.Id) };
        }

        node.Health.LinkUp(link, now);
        return true;
    }

    /// <summary>The node's load, and what it hosts.</summary>
    /// <returns>What it hosts that is not assigned to it here, for each guild to judge; null if the node is not known
    /// and has to register again.</returns>
    public IReadOnlyList<HostedGuild>? Report(string nodeId, string incarnation, NodeReport report, TimeSpan now)
    {
        if (Known(nodeId, incarnation) is not { } node) return null;
        node.Report(report, now);
        List<HostedGuild> unknown = [];
        foreach (var hosted in report.Hosted)
        {
            if (assignments.TryGetValue((hosted.Guild, hosted.Slot), out var known)
                && known.Assignment.NodeId == nodeId && known.Assignment.Epoch == hosted.Epoch)
                known.Sessions = hosted.Sessions;
            else
                unknown.Add(hosted);
        }

        return unknown;
    }

    public void Heard(string nodeId, string incarnation, TimeSpan now) => Known(nodeId, incarnation)?.Health.Heard(now);

    public void LinkLost(string nodeId, string incarnation, string link, TimeSpan now)
    {
        Known(nodeId, incarnation)?.Health.LinkLost(link, now);
        Tick(now);
    }

    /// <summary>Removes nodes that have fallen silent. Call it every second.</summary>
    public void Tick(TimeSpan now)
    {
        foreach (var node in nodes.Values.Where(node => !node.Health.IsAlive(now)).ToArray()) Remove(node);
    }

    /// <summary>An operator's word. It holds for whichever node has this name, also for one that comes later.</summary>
    public void Drain(string nodeId, bool on)
    {
        if (on) drained.Add(nodeId);
        else drained.Remove(nodeId);
        if (Find(nodeId) is { } node) node.DrainedByOperator = on;
    }

    /// <summary>Puts a guild's slot on a node, in place of any that it had. Null: no node is usable; the guild waits.</summary>
    /// <param name="epoch">Higher than any the guild used before; the guild counts them.</param>
    /// <param name="move">The slot is served, and asks for another node than its own; null: there is no better one, and it keeps what it has.</param>
    /// <inheritdoc cref="Placement.Choose"/>
    public Assignment? Assign(ulong guild, string slot, string? region, long epoch, string? avoid, TimeSpan now, Random random, bool move = false)
    {
        var key = (guild, slot);
        var former = assignments.GetValueOrDefault(key);
        if (!move) Remove(former);
        if (Placement.Choose(nodes.Values, region, avoid, now, random) is not { Identity: var chosen } node)
        {
            if (!move) waiting.Add(guild);
            return null;
        }

        if (move && chosen.Id == former?.Assignment.NodeId) return null;
        if (move) Remove(former);
        var held = new HeldSlot(new Assignment(guild, slot, chosen.Id, chosen.Endpoint, chosen.Region, epoch), region);
        assignments[key] = held;
        node.Assign(held);
        var kind = displaced.Remove(key) ? AssignmentChange.Moved : AssignmentChange.Assigned;
        events.Add(new AssignmentEvent(kind, held.Assignment));
        return held.Assignment;
    }

    /// <summary>A guild that holds an assignment which this fleet does not know (it was started anew) says so.</summary>
    /// <returns>False: its node is not here.</returns>
    public bool Claim(Assignment assignment)
    {
        if (!nodes.TryGetValue(assignment.NodeId, out var node)) return false;
        var key = (assignment.Guild, assignment.Slot);
        var known = assignments.GetValueOrDefault(key);
        if (known is not null && known.Assignment.Epoch >= assignment.Epoch) return known.Assignment == assignment;
        if (known is not null) NodeOf(known)?.Release(known);
        node.Claim(assignments[key] = new HeldSlot(assignment, known?.Wanted));
        return true;
    }

    public void Release(ulong guild, string slot, long epoch)
    {
        displaced.Remove((guild, slot));
        if (!assignments.TryGetValue((guild, slot), out var held) || held.Assignment.Epoch != epoch) return;
        Remove(held);
        displaced.Remove((guild, slot));
        events.Add(new AssignmentEvent(AssignmentChange.Released, held.Assignment));
    }

    /// <summary>Guild slots whose nodes drain, to be asked to move now: those with the fewest sessions first, and no more at a time
    /// than their new nodes take in. Call it every second.</summary>
    public Assignment[] TakeMoves(TimeSpan now)
    {
        List<HeldSlot> moves = [];
        foreach (var node in nodes.Values.Where(node => node.IsDraining && node.Assigned > 0))
        {
            if (!nodes.Values.Any(other => other.IsUsable(now))) break;
            moves.AddRange(node.Held
                .Where(held => held.AskedToMove is not { } asked || now - asked >= AskAgain)
                .OrderBy(held => held.Sessions).ThenBy(held => held.Assignment.Guild).Take(MovesPerSecond));
        }

        foreach (var held in moves) held.AskedToMove = now;
        return [.. moves.Select(held => held.Assignment)];
    }

    /// <summary>What happened since the last call, in order.</summary>
    public AssignmentEvent[] TakeEvents() => Take(events);

    /// <summary>Assignments whose node went, since the last call.</summary>
    public Assignment[] TakeLost() => Take(lost);

    /// <summary>Guilds that were refused a node, as soon as there is one again; each is told once.</summary>
    public ulong[] TakeWaiting(TimeSpan now)
    {
        if (waiting.Count == 0 || !nodes.Values.Any(node => node.IsUsable(now))) return [];
        ulong[] taken = [.. waiting];
        waiting.Clear();
        return taken;
    }

    private VoiceNode? Known(string nodeId, string incarnation) =>
        nodes.TryGetValue(nodeId, out var node) && node.Identity.Incarnation == incarnation ? node : null;

    private void Remove(VoiceNode node)
    {
        foreach (var held in node.Held.ToArray())
        {
            Remove(held);
            lost.Add(held.Assignment);
        }

        nodes.Remove(node.Identity.Id);
    }

    /// <summary>What follows for it is a move.</summary>
    private void Remove(HeldSlot? held)
    {
        if (held is null) return;
        var key = (held.Assignment.Guild, held.Assignment.Slot);
        assignments.Remove(key);
        NodeOf(held)?.Release(held);
        displaced.Add(key);
    }

    private VoiceNode? NodeOf(HeldSlot held) => Find(held.Assignment.NodeId);

    private static T[] Take<T>(List<T> list)
    {
        T[] taken = [.. list];
        list.Clear();
        return taken;
    }
}
