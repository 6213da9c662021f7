namespace Voice.Signaling.VoiceServer;

/// <summary>A rate limit with room for bursts.</summary>
/// <param name="burst">Takes that are possible at once.</param>
/// <param name="perSecond">Takes that come back each second.</param>
internal sealed class TokenBucket(double burst, double perSecond)
{
    private double taken;
    private TimeSpan last;

    public bool TryTake(TimeSpan now)
    {
        taken = Math.Max(0, taken - (now - last).TotalSeconds * perSecond);
        last = now;
        if (taken + 1 > burst) return false;
        taken++;
        return true;
    }
}
