using Voice.Load.Drills.People;

namespace Voice.Load.Drills;

/// <summary>A listener's longest silence.</summary>
internal static class Silence
{
    /// <summary>Below this, every receiver's buffer hides it.</summary>
    public const double HiddenMs = 40;

    /// <summary>Milliseconds beyond the 20 that packets are apart; packets of before <paramref name="from"/> count as where the silence began.</summary>
    /// <param name="heard">In the order in which they came.</param>
    /// <param name="stalls">When nobody talked, in order, apart from each other.</param>
    public static double Longest(IEnumerable<Heard> heard, long from, long to, IReadOnlyList<(long From, long To)> stalls)
    {
        var longest = 0L;
        long? last = null;
        foreach (var packet in heard)
        {
            if (packet.At > to) break;
            if (packet.At >= from) longest = Math.Max(longest, Between(last ?? from, packet.At, stalls));
            last = packet.At;
        }

        longest = Math.Max(longest, Between(Math.Max(last ?? from, from), to, stalls));
        return Math.Max(0, longest - Talking.Frame) / 1e6;
    }

    /// <summary>Of many listeners.</summary>
    /// <param name="hides">What a buffer hides counts as nothing.</param>
    public static Gap Gap(IEnumerable<double> silences, bool hides = true)
    {
        double[] ordered = [.. silences.Select(silence => hides && silence < HiddenMs ? 0 : silence).Order()];
        return ordered.Length == 0 ? new(0, 0, 0) : new(At(0.5), At(0.99), Round(ordered[^1]));

        double At(double share) => Round(ordered[Math.Max(0, (int)Math.Ceiling(share * ordered.Length) - 1)]);
    }

    private static double Round(double milliseconds) => Math.Round(milliseconds, 1);

    private static long Between(long from, long to, IReadOnlyList<(long From, long To)> stalls)
    {
        var silence = to - from;
        if (silence <= 2 * Talking.Frame) return silence; // most are: nothing to look up
        foreach (var stall in stalls) silence -= Math.Max(0, Math.Min(to, stall.To) - Math.Max(from, stall.From));
        return silence;
    }
}
