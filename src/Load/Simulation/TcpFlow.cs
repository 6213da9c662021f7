namespace Voice.Load.Simulation;

/// <summary>One direction of a TCP connection that carries little: a lost segment is sent again after a timeout that doubles, and what is written meanwhile waits
/// for it (RFC 6298; a pause between messages leaves nothing for faster ways to notice).</summary>
internal struct TcpFlow
{
    /// <summary>Nothing comes through any more.</summary>
    public const int Never = int.MaxValue;

    private const int LeastTimeout = 200;
    private const int Attempts = 8;

    private int blockedUntil;

    /// <summary>When the other end gets what is written now; in milliseconds.</summary>
    /// <param name="oneWay">Milliseconds.</param>
    /// <param name="works">Whether the other end gets what arrives then.</param>
    public int Arrive(int now, int oneWay, double loss, Func<int, bool> works, Random random)
    {
        if (now < blockedUntil) return blockedUntil;
        var (at, timeout) = (now, LeastTimeout + 2 * oneWay);
        for (var i = 0; i < Attempts; i++)
        {
            if (random.NextDouble() >= loss && works(at + oneWay))
            {
                if (at > now) blockedUntil = at + oneWay;
                return at + oneWay;
            }

            at += timeout;
            timeout *= 2;
        }

        return blockedUntil = Never;
    }
}
