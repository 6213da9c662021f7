namespace Voice.Load.Simulation;

/// <summary>Nodes that fail together.</summary>
internal sealed record Failure(string What, int[] Nodes, int UntilStep);

/// <summary>What fails in a day: nodes by themselves, every few hours a rack, and once, in its evening, the largest region.</summary>
internal sealed class FailurePlan
{
    private const double DaysBetweenFailuresOfANode = 30;
    private const double HoursBetweenRacks = 3;
    private const double NodeDownMinutes = 10;
    private const double RackDownMinutes = 45;
    private const double RegionDownMinutes = 60;
    private const int StepsPerHour = 3600 / Traffic.StepSeconds;

    private readonly ILookup<int, Failure> failing;
    private readonly ILookup<int, int> returning;

    public FailurePlan(World world, int hours, Random random)
    {
        var plan = new List<(int Step, Failure Failure)>();
        void Add(double hour, double minutes, string what, int[] nodes)
        {
            var at = (int)(hour * StepsPerHour);
            plan.Add((at, new($"{what} at {hour:0.0} h", nodes, at + (int)(minutes / 60 * StepsPerHour))));
        }

        var perHour = world.Nodes / DaysBetweenFailuresOfANode / 24;
        for (var hour = Next(perHour); hour < hours; hour += Next(perHour))
        {
            var node = random.Next(world.Nodes);
            Add(hour, NodeDownMinutes, world.Names[node], [node]);
        }

        for (var hour = HoursBetweenRacks / 2; hour < hours; hour += HoursBetweenRacks)
        {
            var rack = random.Next(world.Racks.Length);
            Add(hour, RackDownMinutes, $"a rack of {world.Regions[world.RegionOf(world.Racks[rack][0])].Name}", world.Racks[rack]);
        }

        if (world.Regions.Count > 1)
        {
            var region = Enumerable.Range(0, world.Regions.Count).MaxBy(region => world.InRegion[region].Length);
            var evening = (20 - world.Regions[region].UtcHours + 24) % 24;
            Add(evening < hours ? evening : hours / 2.0, RegionDownMinutes, world.Regions[region].Name, world.InRegion[region]);
        }

        failing = plan.ToLookup(one => one.Step, one => one.Failure);
        returning = plan.SelectMany(one => one.Failure.Nodes.Select(node => (one.Failure.UntilStep, node))).ToLookup(one => one.UntilStep, one => one.node);

        double Next(double rate) => -Math.Log(1 - random.NextDouble()) / rate;
    }

    public IEnumerable<Failure> Failing(int step) => failing[step];

    /// <summary>Nodes of failures that end now; one that failed again meanwhile is among them.</summary>
    public IEnumerable<int> Returning(int step) => returning[step];
}
