namespace Voice.VoiceAllocator;

/// <summary>The time as an observer lived it: it stands still while the observer itself did, so that nothing which happens to the observer is
/// taken for somebody else's silence. Told the real time, never asks.</summary>
/// <param name="period">Of the observer's tick.</param>
/// <param name="start">When it begins.</param>
public sealed class ObserverClock(TimeSpan period, TimeSpan start)
{
    /// <summary>A tick that comes this much later than it was due makes the observer late.</summary>
    public static readonly TimeSpan Tolerance = TimeSpan.FromMilliseconds(200);

    /// <summary>An observer that was late has no say for as long as it was late, and no longer than this: what was sent meanwhile has to be
    /// read first.</summary>
    public static readonly TimeSpan LongestSettling = TimeSpan.FromSeconds(1);

    private TimeSpan tickedAt = start;
    private TimeSpan lived = start;
    private TimeSpan lateUntil;

    /// <summary>The observer has been on time lately: what it thinks can be trusted.</summary>
    public bool IsOnTime => lived >= lateUntil;

    /// <summary>The observer's time at a moment after the last tick.</summary>
    public TimeSpan At(TimeSpan now) => lived + Min(now - tickedAt, period + Tolerance);

    /// <summary>The observer's timer came.</summary>
    /// <returns>The observer's time.</returns>
    public TimeSpan Tick(TimeSpan now)
    {
        var slip = now - tickedAt - period;
        lived = At(now);
        tickedAt = now;
        if (slip > Tolerance) lateUntil = lived + Min(slip, LongestSettling);
        return lived;
    }

    private static TimeSpan Min(TimeSpan a, TimeSpan b) => a < b ? a : b;
}
