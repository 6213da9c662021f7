namespace Voice.VoiceAllocator;

/// <summary>An assignment as the fleet keeps it.</summary>
/// <param name="wanted">Region that the guild asked for; null: any.</param>
internal sealed class HeldSlot(Assignment assignment, string? wanted)
{
    public Assignment Assignment { get; } = assignment;

    public string? Wanted { get; } = wanted;

    /// <summary>Voice sessions, as its node reported last.</summary>
    public int Sessions { get; set; }

    /// <summary>When the guild was last asked to move off a node that drains.</summary>
    public TimeSpan? AskedToMove { get; set; }
}
