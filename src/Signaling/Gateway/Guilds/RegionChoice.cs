namespace Voice.Signaling.Gateway.Guilds;

/// <summary>The region for a call that names none, by the latencies that its people's clients measured: the one that is best for whoever has it
/// worst. Clients tell the order and no figures (protocol/gateway.md section 5), so what counts is the place in it.</summary>
public static class RegionChoice
{
    /// <param name="preferences">Of each member whose client measured: regions, best first. One that is left out comes after all others.</param>
    /// <returns>Null: nobody measured.</returns>
    public static string? Choose(IEnumerable<IReadOnlyList<string>> preferences)
    {
        var lists = preferences.Where(list => list.Count > 0).ToArray();
        return lists.SelectMany(list => list).Distinct()
            .OrderBy(region => lists.Max(list => Place(list, region)))
            .ThenBy(region => lists.Sum(list => Place(list, region)))
            .ThenBy(region => region, StringComparer.Ordinal)
            .FirstOrDefault();
    }

    private static int Place(IReadOnlyList<string> list, string region)
    {
        for (var i = 0; i < list.Count; i++)
        {
            if (list[i] == region) return i;
        }

        return list.Count;
    }
}
