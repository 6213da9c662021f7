using Voice.VoiceAllocator;

namespace Voice.Load.Simulation;

/// <summary>One region of voice servers.</summary>
/// <param name="Weight">Of its guilds, beside the others'.</param>
/// <param name="UtcHours">Its clock's distance.</param>
internal sealed record Region(string Name, double Weight, double UtcHours, double Latitude, double Longitude);

/// <summary>Where regions are, how far apart, and what time it is there.</summary>
internal static class Geography
{
    /// <summary>Where gateways may be comes first.</summary>
    public static IReadOnlyList<Region> Regions { get; } =
    [
        new("us-east", 14, -5, 39, -77),
        new("europe-west", 15, 1, 52, 5),
        new("singapore", 8, 8, 1, 104),
        new("us-west", 9, -8, 37, -122),
        new("brazil", 10, -3, -23, -46),
        new("europe-north", 8, 2, 60, 25),
        new("us-central", 8, -6, 41, -93),
        new("india", 7, 5.5, 19, 73),
        new("japan", 6, 9, 36, 140),
        new("us-south", 5, -6, 33, -97),
        new("hongkong", 4, 8, 22, 114),
        new("sydney", 4, 10, -34, 151),
        new("south-africa", 2, 2, -26, 28),
    ];

    /// <summary>Of what people do in the evening, how much they do at this hour of their clock: least at eight in the morning.</summary>
    /// <param name="utcHours">Hours since midnight, in Greenwich.</param>
    public static double Activity(Region region, double utcHours)
    {
        const double least = 0.3;
        var hour = utcHours + region.UtcHours;
        var wave = (1 + Math.Cos(2 * Math.PI * (hour - 20) / 24)) / 2; // one at eight in the evening
        return least + (1 - least) * Math.Pow(wave, 0.8);
    }

    /// <summary>Round-trip time in milliseconds: fibre takes a third more time than light, and a third more way than a bird.</summary>
    public static double RoundTrip(Region a, Region b)
    {
        const double earthRadiusKm = 6371;
        const double kmPerMillisecond = 300 / 1.5;
        var (fromLatitude, toLatitude) = (Radians(a.Latitude), Radians(b.Latitude));
        var half = Math.Pow(Math.Sin((toLatitude - fromLatitude) / 2), 2)
            + Math.Cos(fromLatitude) * Math.Cos(toLatitude) * Math.Pow(Math.Sin(Radians(b.Longitude - a.Longitude) / 2), 2);
        return 1 + 2 * 1.35 * 2 * earthRadiusKm * Math.Asin(Math.Sqrt(half)) / kmPerMillisecond;
    }

    public static Neighbours NeighboursOf(IReadOnlyList<Region> regions) => Neighbours.FromLatencies(
        regions.SelectMany(a => regions.Where(b => b != a).Select(b => ((a.Name, b.Name), RoundTrip(a, b)))).ToDictionary(one => one.Item1, one => one.Item2));

    private static double Radians(double degrees) => degrees * Math.PI / 180;
}
