using System.Collections.Concurrent;
using Voice.Load.Drills.People;
using Voice.Load.Drills.Servers;
using Voice.Load.Generator;

namespace Voice.Load.Drills;

/// <summary>What a break finds: servers and people in the middle of their calls.</summary>
internal sealed record Scene(DrillCluster Cluster, Crowd Crowd, DrillOptions Options)
{
    private readonly ConcurrentQueue<(long At, string What)> marks = new();

    /// <summary>The node to break: the one that is apart, or has the most guilds.</summary>
    public NodeServer Node { get; } = Cluster.Network is not null
        ? Cluster.Nodes[0]
        : Cluster.Nodes.MaxBy(node => Crowd.Guilds.Count(guild => guild.NodeAt(long.MaxValue) == node.Id))!;

    public IReadOnlyCollection<(long At, string What)> Marks => marks;

    /// <summary>When it broke: the first mark.</summary>
    public long BrokenAt => marks.TryPeek(out var first) ? first.At : throw new InvalidOperationException("nothing is broken yet");

    /// <summary>Something is done to the servers now.</summary>
    public void Mark(string what) => marks.Enqueue((LoadGenerator.Now, what));
}
