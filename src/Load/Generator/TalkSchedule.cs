namespace Voice.Load.Generator;

/// <summary>Who sends when: each talker once in 20 ms, at its own phase. Told the time, and keeps none.</summary>
/// <param name="start">Nanoseconds; the first round begins here.</param>
internal sealed class TalkSchedule(IEnumerable<Talker> talkers, long start)
{
    /// <summary>Later than this, what was missed is left out: nobody is served by all of it at once.</summary>
    private const long MaxLate = 200_000_000;

    private readonly Talker[] byPhase = [.. talkers.OrderBy(talker => talker.Phase)];
    private long round = start;
    private int next;

    public ReadOnlySpan<Talker> Talkers => byPhase;

    /// <summary>Times that the schedule had to move.</summary>
    public int Stalls { get; private set; }

    /// <summary>The next that is due, if one is.</summary>
    public bool TryNext(long now, out Talker talker, out long due)
    {
        (talker, due) = (null!, 0);
        if (byPhase.Length == 0) return false;
        talker = byPhase[next];
        due = round + talker.Phase;
        if (due > now) return false;
        if (now - due > MaxLate)
        {
            Stalls++;
            // In whole frames, so that timestamps stay on their grid.
            round += (now - due) / Talker.FrameNanoseconds * Talker.FrameNanoseconds;
            due = round + talker.Phase;
        }

        if (++next < byPhase.Length) return true;
        next = 0;
        round += Talker.FrameNanoseconds;
        return true;
    }
}
