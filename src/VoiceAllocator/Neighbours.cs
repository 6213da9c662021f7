namespace Voice.VoiceAllocator;

/// <summary>Which region comes next when one has no node to give. Thread safe as long as nothing is set.</summary>
public sealed class Neighbours
{
    private readonly Dictionary<string, string[]> orders = [];

    /// <summary>The regions after <paramref name="region"/>, nearest first. Those that are not named come after them, by name.</summary>
    public void Set(string region, params string[] nearestFirst) => orders[region] = nearestFirst;

    /// <summary>From lists of which each begins with the region that it is for.</summary>
    public static Neighbours Of(IEnumerable<string[]> orders)
    {
        var neighbours = new Neighbours();
        foreach (var order in orders) neighbours.Set(order[0], order[1..]);
        return neighbours;
    }

    /// <summary>From the round-trip times between regions, in any one unit; a pair needs to be there once.</summary>
    public static Neighbours FromLatencies(IReadOnlyDictionary<(string From, string To), double> latencies)
    {
        var neighbours = new Neighbours();
        var pairs = latencies.SelectMany(pair => new[] { (pair.Key.From, pair.Key.To, pair.Value), (From: pair.Key.To, To: pair.Key.From, pair.Value) })
            .Where(pair => pair.From != pair.To);
        foreach (var region in pairs.GroupBy(pair => pair.From))
        {
            neighbours.Set(
                region.Key,
                [.. region.OrderBy(pair => pair.Value).ThenBy(pair => pair.To, StringComparer.Ordinal).Select(pair => pair.To).Distinct()]);
        }

        return neighbours;
    }

    /// <summary><paramref name="region"/> itself, then the others of <paramref name="known"/>, nearest first.</summary>
    internal IEnumerable<string> From(string region, IReadOnlyCollection<string> known)
    {
        yield return region;
        var named = orders.GetValueOrDefault(region) ?? [];
        foreach (var next in named) yield return next;
        foreach (var next in known.Where(one => one != region && !named.Contains(one)).Order(StringComparer.Ordinal)) yield return next;
    }
}
