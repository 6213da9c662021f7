namespace Voice.Signaling.Gateway.Guilds;

/// <summary>Slows a client that asks for a voice server again and again because its sessions there end as soon as they begin: one that
/// a node closes for good would otherwise go round as fast as the network carries it. The first time it is answered at once, since
/// libraries come back like that after a session that is no longer valid (protocol/gateway.md section 5).</summary>
public sealed class RejoinDelay
{
    public static readonly TimeSpan First = TimeSpan.FromSeconds(0.5);
    public static readonly TimeSpan Longest = TimeSpan.FromSeconds(30);

    /// <summary>A session that lived so long was a good one: what comes after it starts at nothing.</summary>
    public static readonly TimeSpan Settled = TimeSpan.FromSeconds(10);

    /// <summary>So long after the last answer it is forgotten.</summary>
    public static readonly TimeSpan Memory = TimeSpan.FromMinutes(2);

    private const int MostDoublings = 6;

    private int answers;
    private TimeSpan last;

    /// <summary>Counts an answer, and says when it may be given: not before <paramref name="now"/>.</summary>
    public TimeSpan Next(TimeSpan now)
    {
        if (now - last > Memory) answers = 0;
        var wait = answers == 0 ? TimeSpan.Zero : First * (1 << Math.Min(answers - 1, MostDoublings));
        answers++;
        return last = now + (wait < Longest ? wait : Longest);
    }

    /// <summary>A voice session ended, after this time.</summary>
    public void Lived(TimeSpan duration)
    {
        if (duration >= Settled) answers = 0;
    }
}
