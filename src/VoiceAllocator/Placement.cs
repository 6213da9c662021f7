namespace Voice.VoiceAllocator;

/// <summary>Which node a guild goes to.</summary>
internal static class Placement
{
    /// <summary>Difference in utilisation that is taken for noise of the measurement; below it, fewer guilds is better.</summary>
    public const double Noise = 0.1;

    /// <summary>Utilisation from which on a node of the next region is better.</summary>
    public const double Full = 0.9;

    /// <summary>The better of two nodes drawn at random, so that what is decided on the same reports does not all go to the same one; null if there
    /// is none.</summary>
    /// <param name="region">Wanted region; others are taken, nearest first, only if it has no node or is full. Null: any.</param>
    /// <param name="avoid">Node that just failed the guild. Null: none.</param>
    /// <param name="current">Node that the guild wants to leave. Null: none.</param>
    public static VoiceNode? Choose(NodeIndex nodes, Neighbours neighbours, string? region, string? avoid, string? current, Random random)
    {
        if (region is null) return Draw(nodes.All, avoid, current, random);
        VoiceNode? least = null;
        foreach (var next in neighbours.From(region, nodes.Regions))
        {
            if (Draw(nodes.In(next), avoid, current, random) is not { } found) continue;
            if (found.Utilisation < Full) return found;

            // All are full: then in the wanted region, or in the nearest that has any.
            least ??= found;
        }

        return least;
    }

    private static VoiceNode? Draw(IReadOnlyList<VoiceNode> nodes, string? avoid, string? current, Random random)
    {
        // Two different ones: of two nodes both are always compared.
        if (Next(except: null) is not { } first) return null;
        return Next(first) is { } second ? Better(first, second) : first;

        VoiceNode? Next(VoiceNode? except)
        {
            var start = random.Next(Math.Max(nodes.Count, 1));
            for (var i = 0; i < nodes.Count; i++)
            {
                var node = nodes[(start + i) % nodes.Count];
                if (node != except && node.Identity.Id != avoid && node.Identity.Id != current) return node;
            }

            return null;
        }
    }

    private static VoiceNode Better(VoiceNode a, VoiceNode b)
    {
        var difference = a.Utilisation - b.Utilisation;
        if (Math.Abs(difference) < Noise) difference = a.Assigned - b.Assigned;
        return difference <= 0 ? a : b;
    }
}
