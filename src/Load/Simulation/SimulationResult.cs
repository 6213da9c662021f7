namespace Voice.Load.Simulation;

/// <summary>What came out. The same options and seed give the same, but for <see cref="Measured"/>.</summary>
public sealed record SimulationResult(
    int Nodes, int Regions, int Guilds, int Gateways, int Seed, LoadResult Load, IReadOnlyList<HealthResult> Health, Measured Measured)
{
    /// <summary>In all windows together.</summary>
    public int FalseEvictions => Health.Sum(window => window.FalseEvictions);
}

/// <summary>Utilisation of nodes by the mean of their region's.</summary>
public sealed record Skew(double P50, double P99, double Max);

/// <param name="Steady">Everywhere it is evening, for an hour.</param>
/// <param name="Day">Over a day with its nights and failures, nodes that were down within the last hour left out.</param>
/// <param name="PeakPeople">In voice at one time.</param>
/// <param name="PeakGuilds">In voice at one time.</param>
/// <param name="Placements">Decisions in the day.</param>
/// <param name="Moves">Guilds that went to another node in the day, because theirs failed.</param>
/// <param name="Unplaced">Times that a guild found no node.</param>
/// <param name="Samples">Of the day, every ten minutes.</param>
/// <param name="Failures">Of the day.</param>
public sealed record LoadResult(
    Skew Steady, Skew Day, int PeakPeople, int PeakGuilds, long Placements, long Moves, long Unplaced, IReadOnlyList<LoadSample> Samples, IReadOnlyList<FailureResult> Failures);

/// <param name="Hours">Since the day began, at midnight in Greenwich.</param>
/// <param name="Utilisation">Mean by region; 0 while it is down.</param>
/// <param name="P99">By the region's mean.</param>
/// <param name="Away">Share of guilds in voice that are not in the region that they want.</param>
public sealed record LoadSample(double Hours, IReadOnlyList<double> Utilisation, double P99, double Max, double Away, long Moves);

/// <param name="Fullest">The fullest of the nodes that took them in, right after, by its region's mean then.</param>
public sealed record FailureResult(string What, double Hours, int Nodes, int GuildsMoved, double Fullest);

/// <param name="Window">What was broken.</param>
/// <param name="Failures">Failures that should have been noticed.</param>
/// <param name="Missed">Of those.</param>
/// <param name="DetectMs">From the failure until the fleet took the node's guilds away; null where nothing failed.</param>
/// <param name="FalseEvictions">Of nodes that worked.</param>
public sealed record HealthResult(string Window, double Seconds, int Failures, int Missed, DetectionTimes? DetectMs, int Evictions, int FalseEvictions);

/// <param name="Quantiles">From 0 to 100 %, in steps of 5.</param>
public sealed record DetectionTimes(double P50, double P99, double Max, IReadOnlyList<double> Quantiles);

/// <summary>What depends on the machine.</summary>
/// <param name="PlacementsPerSecond">Decisions of the real fleet on one thread, with all that it writes down for each.</param>
/// <param name="FleetBytes">Of the fleet with every guild placed.</param>
public sealed record Measured(double PlacementsPerSecond, double PlacementsPerSecondWorst, long FleetBytes, double BytesPerGuild, double Seconds);
