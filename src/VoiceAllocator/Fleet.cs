using Voice.Protocol.Links;

namespace Voice.VoiceAllocator;

/// <summary>Every node and every assignment. Plain and told the time; <see cref="AllocatorGrain"/> is its shell.
/// What follows from a call is kept until it is taken: <see cref="TakeEvents"/>, <see cref="TakeLost"/>, <see cref="TakeWaiting"/>.</summary>
public sealed class Fleet
{
    private readonly Dictionary<string, VoiceNode> nodes = [];
    private readonly Dictionary<(ulong Guild, string Slot), Assignment> assignments = [];
    private readonly HashSet<(ulong Guild, string Slot)> displaced = [];
    private readonly HashSet<ulong> waiting = [];
    private readonly List<AssignmentEvent> events = [];
    private readonly List<Assignment> lost = [];

    public IReadOnlyCollection<VoiceNode> Nodes => nodes.Values;

    public VoiceNode? Find(string nodeId) => nodes.GetValueOrDefault(nodeId);

    /// <summary>What is assigned to a node.</summary>
    public IEnumerable<Assignment> On(string nodeId) => assignments.Values.Where(assignment => assignment.NodeId == nodeId);

    /// <summary>A link of the node came up. A new incarnation has forgotten everything: what the old one hosted is lost.</summary>
    /// <returns>False: another node of this name lives and is linked. Two that share a name would take turns for ever.</returns>
    public bool Register(NodeIdentity identity, string link, TimeSpan now)
    {
        if (!nodes.TryGetValue(identity.Id, out var node) || node.Identity != identity)
        {
            if (node is not null && node.Health.IsLinked && node.Health.IsAlive(now)) return false;
            if (node is not null) Remove(node);
            nodes[identity.Id] = node = new VoiceNode(identity);
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
        return [.. report.Hosted.Where(hosted =>
            !assignments.TryGetValue((hosted.Guild, hosted.Slot), out var known) || known.NodeId != nodeId || known.Epoch != hosted.Epoch)];
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

    /// <summary>Puts a guild's slot on a node, in place of any that it had. Null: no node is usable; the guild waits.</summary>
    /// <param name="epoch">Higher than any the guild used before; the guild counts them.</param>
    /// <inheritdoc cref="Placement.Choose"/>
    public Assignment? Assign(ulong guild, string slot, string? region, long epoch, string? avoid, TimeSpan now, Random random)
    {
        if (assignments.Remove((guild, slot), out var former))
        {
            Uncount(former);
            displaced.Add((guild, slot));
        }

        if (Placement.Choose(nodes.Values, region, avoid, now, random) is not { Identity: var chosen } node)
        {
            waiting.Add(guild);
            return null;
        }

        var assignment = new Assignment(guild, slot, chosen.Id, chosen.Endpoint, chosen.Region, epoch);
        assignments[(guild, slot)] = assignment;
        node.Assign();
        var kind = displaced.Remove((guild, slot)) ? AssignmentChange.Moved : AssignmentChange.Assigned;
        events.Add(new AssignmentEvent(kind, assignment));
        return assignment;
    }

    /// <summary>A guild that holds an assignment which this fleet does not know (it was started anew) says so.</summary>
    /// <returns>False: its node is not here.</returns>
    public bool Claim(Assignment assignment)
    {
        if (!nodes.TryGetValue(assignment.NodeId, out var node)) return false;
        var key = (assignment.Guild, assignment.Slot);
        if (assignments.TryGetValue(key, out var known))
        {
            if (known.Epoch >= assignment.Epoch) return known == assignment;
            Uncount(known);
        }

        assignments[key] = assignment;
        node.Claim();
        return true;
    }

    public void Release(ulong guild, string slot, long epoch)
    {
        displaced.Remove((guild, slot));
        if (!assignments.TryGetValue((guild, slot), out var assignment) || assignment.Epoch != epoch) return;
        assignments.Remove((guild, slot));
        Uncount(assignment);
        events.Add(new AssignmentEvent(AssignmentChange.Released, assignment));
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
        nodes.Remove(node.Identity.Id);
        foreach (var assignment in On(node.Identity.Id).ToArray())
        {
            assignments.Remove((assignment.Guild, assignment.Slot));
            displaced.Add((assignment.Guild, assignment.Slot));
            lost.Add(assignment);
        }
    }

    private void Uncount(Assignment assignment)
    {
        if (nodes.TryGetValue(assignment.NodeId, out var node)) node.Release();
    }

    private static T[] Take<T>(List<T> list)
    {
        T[] taken = [.. list];
        list.Clear();
        return taken;
    }
}
