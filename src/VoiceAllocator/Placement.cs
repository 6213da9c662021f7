namespace Voice.VoiceAllocator;

/// <summary>How nodes are compared. docs/simulation.md shows what others than the usual one do.</summary>
/// <param name="Choices">Nodes that are drawn, of which the best is taken; at least 2.</param>
/// <param name="Noise">Difference in utilisation that is taken for noise of the measurement; below it, fewer guilds is better.</param>
public sealed record PlacementRule(int Choices, double Noise)
{
    public static PlacementRule Usual { get; } = new(Choices: 3, Noise: 0.02);
}

/// <summary>Which node a guild goes to.</summary>
internal static class Placement
{
    /// <summary>A node that does nothing may report so much: below it reports say nothing about its guilds.</summary>
    public const double Idle = 0.1;

    /// <summary>Utilisation from which on a node of the next region is better.</summary>
    public const double Full = 0.9;

    /// <summary>The best of a few nodes drawn at random, so that what is decided on the same reports does not all go to the same one; null if there
    /// is none.</summary>
    /// <param name="region">Wanted region; others are taken, nearest first, only if it has no node or is full. Null: any.</param>
    /// <param name="avoid">Node that just failed the guild. Null: none.</param>
    /// <param name="current">Node that the guild wants to leave. Null: none.</param>
    public static VoiceNode? Choose(NodeIndex nodes, Neighbours neighbours, string? region, string? avoid, string? current, PlacementRule rule, Random random)
    {
        if (region is null) return Draw(nodes.All, avoid, current, rule, random);
        VoiceNode? least = null;
        foreach (var next in neighbours.From(region, nodes.Regions))
        {
            if (Draw(nodes.In(next), avoid, current, rule, random) is not { } found) continue;
            if (found.Utilisation < Full) return found;

            // All are full: then in the wanted region, or in the nearest that has any.
            least ??= found;
        }

        return least;
    }

    private static VoiceNode? Draw(IReadOnlyList<VoiceNode> nodes, string? avoid, string? current, PlacementRule rule, Random random)
    {
        // Different ones: of few nodes all are always compared. Two may be out of the question.
        Span<int> drawn = stackalloc int[Math.Min(rule.Choices + 2, nodes.Count)];
        var (best, compared) = ((VoiceNode?)null, 0);
        for (var i = 0; i < drawn.Length && compared < rule.Choices; i++)
        {
            do drawn[i] = random.Next(nodes.Count);
            while (drawn[..i].Contains(drawn[i]));
            var node = nodes[drawn[i]];
            if (node.Identity.Id == avoid || node.Identity.Id == current) continue;
            best = best is null ? node : Better(best, node, rule);
            compared++;
        }

        return best;
    }

    private static VoiceNode Better(VoiceNode a, VoiceNode b, PlacementRule rule)
    {
        var difference = Load(a) - Load(b);
        if (Math.Abs(difference) < rule.Noise) difference = a.Assigned - b.Assigned;
        return difference <= 0 ? a : b;
    }

    private static double Load(VoiceNode node) => node.Utilisation + Math.Max(0, Idle - node.Reported);
}
