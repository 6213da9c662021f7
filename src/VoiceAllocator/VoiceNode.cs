using Voice.Protocol.Links;

namespace Voice.VoiceAllocator;

/// <summary>What a node says of itself when its link comes up.</summary>
/// <param name="Incarnation">Differs at each start: a new one has forgotten what the old one hosted.</param>
/// <param name="Endpoint">host:port of its voice WebSocket, as clients are told.</param>
[GenerateSerializer, Immutable]
public sealed record NodeIdentity(string Id, string Incarnation, string Region, string Endpoint);

/// <summary>One voice node as the allocator sees it. Owned by <see cref="Fleet"/>.</summary>
public sealed class VoiceNode(NodeIdentity identity)
{
    /// <summary>Share of a node that one more guild is taken to need until a report shows what it does need.</summary>
    public const double AssignmentCost = 0.01;

    /// <summary>Age at which a report says nothing about the load any more.</summary>
    public static readonly TimeSpan ReportFreshFor = TimeSpan.FromSeconds(5);

    /// <summary>A node reports its processor use as an average over about this time: a second's burst, such as compiling at the
    /// start or a collection, says nothing about the guilds that it can take.</summary>
    public static readonly TimeSpan LoadAveragedOver = TimeSpan.FromSeconds(10);

    private readonly HashSet<HeldSlot> held = [];
    private TimeSpan? reportedAt;
    private double pending;

    public NodeIdentity Identity { get; } = identity;

    public HealthProbe Health { get; } = new();

    public NodeReport? LastReport { get; private set; }

    /// <summary>Guild slots assigned to it at present.</summary>
    public int Assigned => held.Count;

    /// <summary>Gets no new guilds, and its own are asked to move: an operator wants it so, or the node itself.</summary>
    public bool IsDraining => DrainedByOperator || LastReport is { Drain: not NodeDrain.None };

    public bool DrainedByOperator { get; internal set; }

    internal IReadOnlyCollection<HeldSlot> Held => held;

    /// <summary>0 idle to 1 full: the largest reported share, and what was assigned too lately for a report to show it.</summary>
    public double Utilisation
    {
        get
        {
            var reported = LastReport is { } report ? Math.Max(report.CpuShare, Math.Max(report.EgressShare, report.ConnectionShare)) : 0;
            return reported + (Math.Min(pending, Assigned) * AssignmentCost);
        }
    }

    public void Report(NodeReport report, TimeSpan now)
    {
        // At the pace at which the reported average takes them in. Were they forgotten at once, whichever node reports first
        // would look empty beside the others and get everything until they report too.
        if (reportedAt is { } last) pending *= Math.Exp(-(now - last) / LoadAveragedOver);
        Health.Heard(now);
        LastReport = report;
        reportedAt = now;
    }

    /// <summary>A guild slot was put on it now.</summary>
    internal void Assign(HeldSlot slot)
    {
        held.Add(slot);
        pending++;
    }

    /// <summary>It hosts a guild slot that a former allocator put on it, and reports what that costs.</summary>
    internal void Claim(HeldSlot slot) => held.Add(slot);

    internal void Release(HeldSlot slot) => held.Remove(slot);

    /// <summary>May be given new guilds: alive, linked, reported lately, able to forward media, and not to be emptied.</summary>
    public bool IsUsable(TimeSpan now) =>
        !IsDraining && Health.IsLinked && Health.IsAlive(now) && LastReport is { MediaReady: true } && now - reportedAt < ReportFreshFor;
}
