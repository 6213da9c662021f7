namespace Voice.VoiceAllocator;

/// <summary>The nodes that operators took out of service. Stored as JSON.</summary>
public sealed class DrainRecord
{
    public HashSet<string> Drained { get; init; } = [];
}
