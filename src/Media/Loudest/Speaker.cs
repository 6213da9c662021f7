namespace Voice.Media.Loudest;

/// <summary>One talker among those of a <see cref="LoudestSpeakers"/>.</summary>
internal sealed class Speaker
{
    private double peak;
    private TimeSpan audible = -LoudestSpeakers.Hold;

    /// <summary>Is heard whoever else talks, and takes nobody's place.</summary>
    public bool First { get; set; }

    /// <summary>Is one of the loudest.</summary>
    public bool IsHeard { get; set; }

    public TimeSpan LastPacket { get; private set; }

    public void Note(double loudness, TimeSpan now)
    {
        peak = Math.Max(loudness, LoudnessAt(now));
        LastPacket = now;
        if (loudness >= LoudestSpeakers.Audible) audible = now;
    }

    /// <summary>Decibels above digital silence: of what was loudest, less for what is long ago.</summary>
    public double LoudnessAt(TimeSpan now) => peak - (now - LastPacket).TotalSeconds * LoudestSpeakers.Decay;

    public bool IsSilent(TimeSpan now) => now - audible >= LoudestSpeakers.Hold;
}
