namespace Voice.Media.Loudest;

/// <summary>Chooses, of talkers who all send at once, the few who are heard. Speech must not be clipped at its start, so whoever is clearly louder than the
/// weakest of those heard takes its place with one packet, as does any sound the place of one who has fallen silent; what lies between changes
/// nothing, so that equals do not take turns. Told of every packet with its time; asks and allocates nothing.</summary>
internal sealed class LoudestSpeakers(int count)
{
    /// <summary>Decibels by which one is clearly louder than another.</summary>
    public const int Margin = 6;

    /// <summary>Who was not <see cref="Audible"/> for this long has fallen silent: longer than the pauses within words, and shorter than those
    /// between people who take turns.</summary>
    public static readonly TimeSpan Hold = TimeSpan.FromMilliseconds(200);

    /// <summary>In which past loudness counts a decibel less, 20 a second: syllables differ, and sentences end. So loudness is the time that it takes to
    /// fade, and who fades later is louder, whenever one asks.</summary>
    public static readonly TimeSpan Decibel = TimeSpan.FromMilliseconds(50);

    /// <summary>Decibels of a sound that is more than a room's noise: -65 dBov.</summary>
    public const int Audible = Silence - 65;

    /// <summary>RFC 6464 section 3: 127 is digital silence, or less than can be told.</summary>
    public const byte Silence = 127;

    /// <summary>What a packet that does not tell its level counts as: native clients send while they speak, so it is speech, -30 dBov.</summary>
    public const byte Untold = 30;

    private readonly List<Speaker> heard = new(count);

    /// <summary>How many are heard, besides those who are <see cref="Speaker.First"/>.</summary>
    public int Count { get; private set; } = count;

    public void Resize(int to, TimeSpan now)
    {
        Count = to;
        while (heard.Count > to) Remove(Weakest(now));
    }

    /// <summary>A packet of the speaker's: whether it is heard.</summary>
    /// <param name="level">RFC 6464: 0 to 127 below overload, with the voice activity bit, which is not looked at: not everybody's tells the truth.</param>
    public bool Hear(Speaker speaker, byte? level, TimeSpan now)
    {
        var loudness = Silence - (level & 0x7F ?? Untold);
        speaker.Note(loudness, now);
        if (speaker.First)
        {
            Remove(speaker);
            return true;
        }
        if (speaker.IsHeard) return true;
        if (heard.Count >= Count)
        {
            var weakest = Weakest(now);
            if (!Beats(loudness, weakest, now)) return false;
            Remove(weakest);
        }
        heard.Add(speaker);
        return speaker.IsHeard = true;
    }

    /// <summary>The speaker is gone, or nobody listens.</summary>
    public void Remove(Speaker speaker)
    {
        if (!speaker.IsHeard) return;
        speaker.IsHeard = false;
        heard.Remove(speaker);
    }

    private static bool Beats(double loudness, Speaker weakest, TimeSpan now) =>
        now + (loudness - Margin) * Decibel >= weakest.Fades || (loudness >= Audible && weakest.IsSilent(now));

    /// <summary>The silent before the others, the quietest before the louder.</summary>
    private Speaker Weakest(TimeSpan now)
    {
        var weakest = heard[0];
        foreach (var speaker in heard)
        {
            var (silent, other) = (speaker.IsSilent(now), weakest.IsSilent(now));
            if (silent != other ? silent : speaker.Fades < weakest.Fades) weakest = speaker;
        }
        return weakest;
    }
}
