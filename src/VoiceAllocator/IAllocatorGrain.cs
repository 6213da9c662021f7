using Orleans.Concurrency;
using Voice.Protocol.Links;

namespace Voice.VoiceAllocator;

/// <summary>All voice nodes of the cluster and who is on them. One activation, key 0. Nothing but what operators said is
/// stored: nodes report again, and guilds keep their own assignments.</summary>
public interface IAllocatorGrain : IGrainWithIntegerKey
{
    /// <summary>A node's link came up at some gateway.</summary>
    /// <param name="link">Names the link; unique.</param>
    /// <param name="observer">Names the gateway that holds it, as its votes do.</param>
    /// <param name="reference">How to reach the link's holder.</param>
    /// <returns>False: another node of this name is there.</returns>
    Task<bool> Register(NodeIdentity node, string link, string observer, INodeLink reference);

    /// <summary>The node's load. False: the node or the link is not known (any more), register it again.</summary>
    Task<bool> Report(string nodeId, string incarnation, string link, NodeReport report);

    /// <summary>What an observer thinks of the nodes that it is linked to; every second, and when it changes.</summary>
    [OneWay]
    Task Vote(VoteSheet sheet);

    Task LinkLost(string nodeId, string incarnation, string link);

    /// <summary>Puts a guild's slot on a node; null while there is none, and the guild is told when that changes.</summary>
    Task<Placed?> Assign(AssignmentRequest request);

    /// <summary>The guild holds this assignment, whatever the allocator remembers. Null: its node is gone.</summary>
    Task<Placed?> Claim(Assignment assignment);

    /// <inheritdoc cref="Fleet.HasMoved"/>
    Task<bool> HasMoved(Assignment assignment);

    Task Release(ulong guild, string slot, long epoch);

    /// <summary>Somebody doubts the node. It is not believed; all observers ping the node at once, and vote as usual.</summary>
    /// <returns>False: there is no such node, or it was given up.</returns>
    Task<bool> Probe(string nodeId);

    /// <summary>An operator takes a node out of service, its guilds moving away without a gap, or puts it back. Stored.</summary>
    /// <returns>False: no such node.</returns>
    Task<bool> Drain(string nodeId, bool on);

    Task<NodeStatus[]> Nodes();

    /// <summary>Renews interest in assignment events for 60 s.</summary>
    Task Subscribe(IAssignmentObserver observer);

    Task Unsubscribe(IAssignmentObserver observer);
}

/// <summary>What the allocator tells a guild. Key: the guild id, as a long.</summary>
public interface IAssignedGuild : IGrainWithIntegerKey
{
    /// <summary>The guild was refused a node before, and now there is one.</summary>
    [OneWay]
    Task NodesArrived();

    /// <summary>The assignment's node is gone.</summary>
    /// <param name="next">Where the slot goes; a place is kept there. Its epoch is the least that it may have: the guild numbers its
    /// assignments, and if it gives this one a higher epoch, it claims it. Null: the guild asks for a node itself.</param>
    [OneWay]
    Task NodeLost(string slot, long epoch, Placed? next);

    /// <summary>The assignment's node wants to be rid of it while it still serves: <see cref="IAllocatorGrain.Assign"/> with
    /// <see cref="AssignmentRequest.Move"/> finds another. Said again after a while as long as the assignment stays.</summary>
    [OneWay]
    Task Move(string slot, long epoch);

    /// <summary>The assignment's node has a new link; what was sent over the old one may be lost.</summary>
    [OneWay]
    Task Relinked(string slot, long epoch, INodeLink link);

    /// <summary>A node says that it hosts this, which the allocator does not know: claim it, or drop it from the node.</summary>
    [OneWay]
    Task Hosted(HostedGuild hosted, string nodeId, INodeLink link);
}

/// <summary>A node's link at the gateway that holds it. Calls are one-way and keep their order; answers come back to the
/// guild. A call into a broken link is lost, and its silence is the news.</summary>
public interface INodeLink : IGrainObserver
{
    [OneWay]
    Task Push(GuildUpdate update);

    [OneWay]
    Task Drop(GuildDrop drop);

    [OneWay]
    Task Ping();
}

/// <summary>Hears of assignments, in order.</summary>
public interface IAssignmentObserver : IGrainObserver
{
    [OneWay]
    Task OnAssignment(AssignmentEvent change);
}

/// <inheritdoc cref="Fleet.Assign"/>
[GenerateSerializer, Immutable]
public sealed record AssignmentRequest(ulong Guild, string Slot, string? Region, long Epoch, string? Avoid, bool Move = false);

[GenerateSerializer, Immutable]
public sealed record Placed(Assignment Assignment, INodeLink Link);

public enum AssignmentChange
{
    Assigned,
    Moved,
    Released,
}

[GenerateSerializer, Immutable]
public sealed record AssignmentEvent(AssignmentChange Change, Assignment Assignment);

/// <param name="Utilisation">0 idle to 1 full.</param>
/// <param name="Assigned">Guild slots assigned to it.</param>
/// <param name="Usable">May be given new guilds.</param>
/// <param name="Draining">Its guilds are moved away, on the operator's word or its own.</param>
/// <param name="Echo">address:port of its media, which answers IP discovery; "": it does not say.</param>
/// <param name="State">What the observers think of it (<see cref="NodeHealth"/>), "out" if it was given up, "unjudged" if they say nothing.</param>
[GenerateSerializer, Immutable]
public sealed record NodeStatus(
    string NodeId, string Region, string Endpoint, double Utilisation, int Sessions, int Assigned, bool Usable, bool Draining = false, string State = "healthy", string Echo = "");
