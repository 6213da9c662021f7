namespace Voice.Client;

/// <summary>How long to wait before the next attempt, and when a row of failures has ended.</summary>
internal static class Backoff
{
    /// <summary>What lasted this long ends a row of failures.</summary>
    public static readonly TimeSpan Settled = TimeSpan.FromSeconds(10);

    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(10);

    /// <summary>Doubles with each attempt. Half to one and a half times, so that clients which lost one server do not come back together.</summary>
    /// <param name="attempt">0: the first.</param>
    public static TimeSpan Wait(TimeSpan first, int attempt)
    {
        var wait = first * Math.Pow(2, attempt) * (0.5 + Random.Shared.NextDouble());
        return wait < Longest ? wait : Longest;
    }
}
