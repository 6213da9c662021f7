using Voice.Load.Generator;
using Voice.Load.Results;

namespace Voice.Load.Scenarios;

/// <summary>Holds what listeners heard of a room's loudest against what was said.</summary>
internal static class ClippedSpeech
{
    private const double FrameMillis = Talker.FrameNanoseconds / 1e6;

    /// <param name="onsets">Those that count.</param>
    /// <param name="listeners">Each with its own slot as a talker.</param>
    public static LoudestResult Of(int loudest, IReadOnlyCollection<Onset> onsets, IReadOnlyCollection<(int Slot, Hearing Hearing)> listeners)
    {
        var clipped = new List<double>();
        foreach (var (slot, hearing) in listeners)
        {
            var runs = hearing.Runs.ToLookup(run => run.Slot);
            clipped.AddRange(onsets.Where(onset => onset.Slot != slot).Select(onset => FrameMillis * Clipped(onset, runs[onset.Slot])));
        }

        var (expected, received) = (listeners.Sum(listener => listener.Hearing.Expected), listeners.Sum(listener => listener.Hearing.Received));
        return new(loudest, onsets.Count, PercentilesOf(clipped), listeners.Max(listener => MostAtOnce(listener.Hearing.Runs)), expected, received);
    }

    /// <summary>Frames of a spurt before the first that came; all of them, if none did.</summary>
    internal static int Clipped(Onset onset, IEnumerable<Run> runs)
    {
        var first = runs.FirstOrDefault(run => run.Last >= onset.First)?.First ?? ulong.MaxValue;
        return (int)(Math.Clamp(first, onset.First, onset.Last + 1) - onset.First);
    }

    /// <summary>Streams that a listener got at one time, for longer than it takes to change places.</summary>
    internal static int MostAtOnce(IReadOnlyList<Run> runs)
    {
        var (now, most) = (0, 0);
        foreach (var (_, change) in runs.Select(run => (At: run.From, Change: 1)).Concat(runs.Select(run => (At: run.To, Change: -1))).OrderBy(one => one.At).ThenByDescending(one => one.Change))
            most = Math.Max(most, now += change);
        return most;
    }

    private static Percentiles? PercentilesOf(List<double> values)
    {
        if (values.Count == 0) return null;
        values.Sort();
        return new(At(0.5), At(0.99), At(0.999), values[^1]);

        double At(double share) => values[(int)Math.Ceiling(share * values.Count) - 1];
    }
}
