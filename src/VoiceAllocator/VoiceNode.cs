using Voice.Protocol.Links;

namespace Voice.VoiceAllocator;

/// <summary>What a node says of itself when its link comes up.</summary>
/// <param name="Incarnation">Differs at each start: a new one has forgotten what the old one hosted.</param>
/// <param name="Endpoint">host:port of its voice WebSocket, as clients are told.</param>
/// <param name="Echo">address:port of a media socket, which answers whoever measures the way there; "": none.</param>
[GenerateSerializer, Immutable]
public sealed record NodeIdentity(string Id, string Incarnation, string Region, string Endpoint, string Echo = "");

/// <summary>How far a node may be given guilds.</summary>
internal enum NodeStanding
{
    /// <summary>Not at all.</summary>
    Unusable,

    /// <summary>Where there is no better one, in any region.</summary>
    Doubtful,

    Trusted,
}

/// <summary>One voice node as the allocator sees it. Owned by <see cref="Fleet"/>.</summary>
public sealed class VoiceNode(NodeIdentity identity)
{
    /// <summary>Share of a node that one more guild is taken to need until a report shows what it does need.</summary>
    public const double AssignmentCost = 0.01;

    /// <summary>Age at which a report says nothing about the load any more. Nodes report every second.</summary>
    public static readonly TimeSpan ReportFreshFor = TimeSpan.FromSeconds(3);

    /// <summary>A node reports its processor use as an average over about this time: a second's burst, such as compiling at the
    /// start or a collection, says nothing about the guilds that it can take.</summary>
    public static readonly TimeSpan LoadAveragedOver = TimeSpan.FromSeconds(10);

    private readonly HashSet<HeldSlot> held = [];
    private readonly Dictionary<string, string> observers = [];
    private TimeSpan reportedAt;
    private double pending;
    private double heldCost;

    public NodeIdentity Identity { get; } = identity;

    public NodeReport? LastReport { get; private set; }

    /// <summary>Guild slots assigned to it at present.</summary>
    public int Assigned => held.Count;

    /// <summary>What the observers think of it together; null: they say nothing.</summary>
    public NodeHealth? Verdict { get; internal set; }

    /// <summary>Its guilds were taken from it, and it gets none until the observers think it healthy.</summary>
    public bool IsOut { get; internal set; }

    public bool DrainedByOperator { get; internal set; }

    /// <summary>Gets no new guilds, and its own are asked to move: an operator wants it so, or the node itself, or nobody can join there.</summary>
    public bool IsDraining => DrainedByOperator || Verdict == NodeHealth.Mute || LastReport is { Drain: not NodeDrain.None };

    /// <summary>False: nothing can be sent to it.</summary>
    public bool IsLinked => observers.Count > 0;

    /// <summary>0 idle to 1 full: the largest reported share, and what was assigned too lately for a report to show it.</summary>
    public double Utilisation => Reported + Math.Min(pending, heldCost);

    internal double Reported => LastReport is { } report ? Math.Max(report.CpuShare, Math.Max(report.EgressShare, report.ConnectionShare)) : 0;

    /// <summary>Share of it that a voice session takes.</summary>
    internal double SessionCost => LastReport is { Sessions: > 0 and var sessions } ? Reported / sessions : 0;

    internal IReadOnlyCollection<HeldSlot> Held => held;

    /// <summary>When it lost its last link.</summary>
    internal TimeSpan UnlinkedAt { get; private set; }

    internal NodeStanding Standing { get; set; }

    /// <summary>Where it is in the lists of its standing: in its region's, in everybody's. <see cref="NodeIndex"/> only.</summary>
    internal (int InRegion, int InAll) Place { get; set; }

    internal bool HasLink(string link) => observers.ContainsKey(link);

    /// <summary>When it last said that it is there.</summary>
    internal TimeSpan HeardAt { get; private set; }

    internal void LinkUp(string link, string observer, TimeSpan now)
    {
        observers[link] = observer;
        HeardAt = now;
    }

    internal bool LinkLost(string link, TimeSpan now)
    {
        if (!observers.Remove(link)) return false;
        UnlinkedAt = now;
        return true;
    }

    /// <summary>A gateway is gone: so are the links that it held. False: there was none.</summary>
    internal bool ObserverGone(string observer, TimeSpan now)
    {
        string[] gone = [.. observers.Where(link => link.Value == observer).Select(link => link.Key)];
        foreach (var link in gone) LinkLost(link, now);
        return gone.Length > 0;
    }

    internal void Report(NodeReport report, TimeSpan now)
    {
        // At the pace at which the reported average takes them in. Were they forgotten at once, whichever node reports first
        // would look empty beside the others and get everything until they report too.
        if (LastReport is not null) pending *= Math.Exp(-(now - reportedAt) / LoadAveragedOver);
        LastReport = report;
        reportedAt = HeardAt = now;
    }

    /// <summary>A guild slot was put on it now.</summary>
    internal void Assign(HeldSlot slot)
    {
        Claim(slot);
        pending += slot.Cost;
    }

    /// <summary>It hosts a guild slot that a former allocator put on it, and reports what that costs.</summary>
    internal void Claim(HeldSlot slot)
    {
        held.Add(slot);
        heldCost += slot.Cost;
    }

    internal void Release(HeldSlot slot)
    {
        if (!held.Remove(slot)) return;
        heldCost = held.Count == 0 ? 0 : heldCost - slot.Cost;
    }

    internal NodeStanding Judge(TimeSpan now)
    {
        if (!IsLinked || LastReport is not { MediaReady: true } report || now - reportedAt >= ReportFreshFor) return NodeStanding.Unusable;
        if (DrainedByOperator || report.Drain == NodeDrain.Stopping || Verdict is NodeHealth.Dead or NodeHealth.Grey) return NodeStanding.Unusable;
        return !IsOut && !IsDraining && Verdict is null or NodeHealth.Healthy ? NodeStanding.Trusted : NodeStanding.Doubtful;
    }
}
