using Voice.VoiceAllocator;

namespace Voice.Load.Simulation;

/// <summary>The nodes that there are: by regions as their guilds are, in racks of forty.</summary>
internal sealed class World
{
    public const int NodesPerRack = 40;

    private readonly int[] regionOf;

    public World(int nodes, int regions)
    {
        Regions = [.. Geography.Regions.Take(regions)];
        regionOf = new int[nodes];
        var (all, sum, next) = (Regions.Sum(region => region.Weight), 0.0, 0);
        for (var region = 0; region < regions; region++)
        {
            sum += Regions[region].Weight;
            for (; next < (int)Math.Round(nodes * sum / all); next++) regionOf[next] = region;
        }

        Names = [.. Enumerable.Range(0, nodes).Select(node => $"node-{node}")];
        Numbers = Names.Select((name, number) => (name, number)).ToDictionary(one => one.name, one => one.number);
        InRegion = [.. Enumerable.Range(0, regions).Select(region => Enumerable.Range(0, nodes).Where(node => regionOf[node] == region).ToArray())];
        Racks = [.. InRegion.SelectMany(region => region.Chunk(NodesPerRack))];
    }

    public IReadOnlyList<Region> Regions { get; }

    public string[] Names { get; }

    public Dictionary<string, int> Numbers { get; }

    /// <summary>Nodes, by region.</summary>
    public int[][] InRegion { get; }

    /// <summary>Nodes, by rack.</summary>
    public int[][] Racks { get; }

    public int Nodes => Names.Length;

    public int RegionOf(int node) => regionOf[node];

    /// <summary>As the node says of itself when it comes up for the n-th time.</summary>
    public NodeIdentity Identity(int node, int incarnation) =>
        new(Names[node], $"{Names[node]}/{incarnation}", Regions[regionOf[node]].Name, $"{Names[node]}.example:443");

    /// <summary>A guild's region, drawn by weight.</summary>
    public int Draw(Random random)
    {
        var at = random.NextDouble() * Regions.Sum(region => region.Weight);
        for (var region = 0; region < Regions.Count - 1; region++)
        {
            if ((at -= Regions[region].Weight) < 0) return region;
        }

        return Regions.Count - 1;
    }
}
