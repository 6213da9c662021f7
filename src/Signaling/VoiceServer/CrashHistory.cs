namespace Voice.Signaling.VoiceServer;

/// <summary>How often media processes died. One that dies now and then has a successor at once. When several die in a row, something kills them that is
/// still there, such as a packet that somebody sends again and again: their successors wait longer and longer, and the node says that it wants to be
/// drained, until it has been quiet for a while. Told the time; one thread at a time writes, any reads.</summary>
internal sealed class CrashHistory
{
    /// <summary>Deaths within <see cref="Window"/> that are no accident.</summary>
    public const int Limit = 3;

    public static readonly TimeSpan Window = TimeSpan.FromSeconds(30);

    /// <summary>Without a death, before the node is fit for people again.</summary>
    public static readonly TimeSpan Quiet = TimeSpan.FromSeconds(60);

    private static readonly TimeSpan FirstDelay = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LongestDelay = TimeSpan.FromSeconds(10);

    private readonly Queue<TimeSpan> deaths = [];
    private long loopingUntil;
    private int waits;

    public bool IsLooping(TimeSpan now) => now.Ticks < Volatile.Read(ref loopingUntil);

    /// <returns>How long the successor has to wait.</returns>
    public TimeSpan Died(TimeSpan now)
    {
        while (deaths.TryPeek(out var first) && now - first >= Window) deaths.Dequeue();
        deaths.Enqueue(now);
        if (!IsLooping(now)) waits = 0;
        if (deaths.Count < Limit && !IsLooping(now)) return TimeSpan.Zero;
        Volatile.Write(ref loopingUntil, (now + Quiet).Ticks);
        var delay = FirstDelay * Math.Pow(2, Math.Min(waits++, 10));
        return delay < LongestDelay ? delay : LongestDelay;
    }
}
