namespace Voice.Load;

/// <summary>What a bench, a drill or a simulation is doing.</summary>
/// <param name="Name">Of the scenario, the drill, or the part of the simulation.</param>
/// <param name="Done">0 to 1, of that.</param>
public readonly record struct LoadProgress(string Name, string Step, double Done);
