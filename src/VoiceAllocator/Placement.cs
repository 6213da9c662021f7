namespace Voice.VoiceAllocator;

/// <summary>Which node a guild goes to.</summary>
public static class Placement
{
    /// <summary>Difference in utilisation that is taken for noise of the measurement; below it, fewer guilds is better.</summary>
    public const double Noise = 0.1;

    /// <summary>The better of two usable nodes drawn at random, so that many gateways deciding on the same reports do not
    /// all pick the same one; null if there is none.</summary>
    /// <param name="region">Wanted region; nodes elsewhere are taken only if it has none. Null: any.</param>
    /// <param name="avoid">Node that just failed the guild, taken only if there is no other. Null: none.</param>
    public static VoiceNode? Choose(IEnumerable<VoiceNode> nodes, string? region, string? avoid, TimeSpan now, Random random)
    {
        var usable = nodes.Where(node => node.IsUsable(now)).ToArray();
        usable = PreferWhere(usable, node => node.Identity.Id != avoid);
        usable = PreferWhere(usable, node => region is null || node.Identity.Region == region);
        if (usable.Length < 2) return usable.FirstOrDefault();

        // Two different ones: of two nodes both are always compared.
        var first = random.Next(usable.Length);
        var second = (first + 1 + random.Next(usable.Length - 1)) % usable.Length;
        return Better(usable[first], usable[second]);
    }

    private static VoiceNode Better(VoiceNode a, VoiceNode b)
    {
        var difference = a.Utilisation - b.Utilisation;
        if (Math.Abs(difference) < Noise) difference = a.Assigned - b.Assigned;
        return difference <= 0 ? a : b;
    }

    private static VoiceNode[] PreferWhere(VoiceNode[] nodes, Func<VoiceNode, bool> wanted)
    {
        var preferred = nodes.Where(wanted).ToArray();
        return preferred.Length > 0 ? preferred : nodes;
    }
}
