namespace Voice.VoiceAllocator;

/// <summary>An assignment as the fleet keeps it.</summary>
/// <param name="wanted">Region that the guild asked for; null: any.</param>
/// <param name="cost">Share of a node that it is taken to need until a report shows what it does need.</param>
/// <param name="seenAt">Now.</param>
internal sealed class HeldSlot(Assignment assignment, string? wanted, double cost, TimeSpan seenAt)
{
    public (ulong Guild, string Slot) Key => (Assignment.Guild, Assignment.Slot);

    public Assignment Assignment { get; } = assignment;

    public string? Wanted { get; } = wanted;

    public double Cost { get; } = cost;

    /// <summary>Voice sessions, as its node reported last.</summary>
    public int Sessions { get; set; }

    /// <summary>When its node last reported it.</summary>
    public TimeSpan SeenAt { get; set; } = seenAt;

    /// <summary>When the guild was last asked to move off a node that drains.</summary>
    public TimeSpan? AskedToMove { get; set; }

    /// <summary>A place that is kept for a guild which has not come yet.</summary>
    public bool IsOffer { get; set; }
}
