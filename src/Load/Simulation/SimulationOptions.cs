namespace Voice.Load.Simulation;

/// <summary>What a simulation is told.</summary>
public sealed record SimulationOptions
{
    public int Nodes { get; init; } = 10_000;

    /// <summary>1 to <see cref="MostRegions"/>.</summary>
    public int Regions { get; init; } = MostRegions;

    public int Guilds { get; init; } = 1_000_000;

    /// <summary>Observers that vote.</summary>
    public int Gateways { get; init; } = 3;

    /// <summary>Of the day with failures.</summary>
    public int Hours { get; init; } = 24;

    /// <summary>Of lossy probing.</summary>
    public int LossMinutes { get; init; } = 10;

    /// <summary>The same seed gives the same result, but for what a clock measured.</summary>
    public int Seed { get; init; } = 1;

    public const int MostRegions = 13;

    /// <summary>Seconds instead of minutes: shows that it works, not what it says of ten thousand nodes.</summary>
    public static SimulationOptions Quick { get; } = new() { Nodes = 400, Regions = 4, Guilds = 40_000, Hours = 6, LossMinutes = 1 };
}
