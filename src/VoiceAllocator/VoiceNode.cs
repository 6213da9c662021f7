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

    private TimeSpan? reportedAt;

    public NodeIdentity Identity { get; } = identity;

    public HealthProbe Health { get; } = new();

    public NodeReport? LastReport { get; private set; }

    /// <summary>Guild slots assigned to it at present.</summary>
    public int Assigned { get; internal set; }

    /// <summary>Assignments made since <see cref="LastReport"/>.</summary>
    public int Pending { get; internal set; }

    /// <summary>0 idle to 1 full: the largest reported share, and what was assigned since.</summary>
    public double Utilisation
    {
        get
        {
            var reported = LastReport is { } report ? Math.Max(report.CpuShare, Math.Max(report.EgressShare, report.ConnectionShare)) : 0;
            return reported + (Pending * AssignmentCost);
        }
    }

    public void Report(NodeReport report, TimeSpan now)
    {
        Health.Heard(now);
        LastReport = report;
        reportedAt = now;
        Pending = 0;
    }

    /// <summary>May be given new guilds: alive, linked, reported lately, and able to forward media.</summary>
    public bool IsUsable(TimeSpan now) =>
        Health.IsLinked && Health.IsAlive(now) && LastReport is { MediaReady: true } && now - reportedAt < ReportFreshFor;
}
