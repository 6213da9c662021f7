namespace Voice.VoiceAllocator;

/// <summary>Times of a <see cref="HealthProbe"/> that were chosen among others. docs/simulation.md shows what those do.</summary>
public sealed record HealthTimes
{
    public static HealthTimes Usual { get; } = new();

    /// <inheritdoc cref="HealthProbe.DoubtedAfter"/>
    public TimeSpan DoubtedAfter { get; init; } = HealthProbe.DoubtedAfter;

    /// <inheritdoc cref="HealthProbe.DeadAfter"/>
    public TimeSpan DeadAfter { get; init; } = HealthProbe.DeadAfter;

    /// <inheritdoc cref="HealthProbe.GreyAfter"/>
    public TimeSpan GreyAfter { get; init; } = HealthProbe.GreyAfter;

    /// <inheritdoc cref="HealthProbe.FirstProbation"/>
    public TimeSpan FirstProbation { get; init; } = HealthProbe.FirstProbation;
}
