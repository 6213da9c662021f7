namespace Voice.Media.Loudest;

/// <summary>One talker among those of a <see cref="LoudestSpeakers"/>.</summary>
internal sealed class Speaker
{
    private TimeSpan audible = -LoudestSpeakers.Hold;

    /// <summary>Is heard whoever else talks, and takes nobody's place.</summary>
    public bool First { get; set; }

    /// <summary>Is one of the loudest.</summary>
    public bool IsHeard { get; set; }

    /// <summary>When the loudest of what it sent has faded to silence.</summary>
    public TimeSpan Fades { get; private set; }

    /// <param name="loudness">Decibels above digital silence.</param>
    public void Note(int loudness, TimeSpan now)
    {
        var fades = now + loudness * LoudestSpeakers.Decibel;
        if (fades > Fades) Fades = fades;
        if (loudness >= LoudestSpeakers.Audible) audible = now;
    }

    public bool IsSilent(TimeSpan now) => now - audible >= LoudestSpeakers.Hold;
}
