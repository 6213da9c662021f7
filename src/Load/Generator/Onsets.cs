namespace Voice.Load.Generator;

/// <summary>A spurt of speech from where it must be heard.</summary>
/// <param name="First">The stamp of the packet from which on it is loud enough.</param>
internal sealed record Onset(int Slot, ulong First)
{
    /// <summary>The stamp of its last packet so far.</summary>
    public ulong Last { get; set; } = First;
}

/// <summary>What a room of which only the loudest are heard owes its listeners, judged by what its talkers send: when somebody who had been silent speaks loud enough.
/// The rule is docs/decisions/0008's, written anew and with a doubt in the server's favour, for packets take different times to it: who fell silent holds a
/// frame longer, and louder is a decibel more.</summary>
/// <param name="loudest">How many are heard.</param>
internal sealed class Onsets(int talkers, int loudest)
{
    private const int Silence = 127; // RFC 6464 section 3
    private const int Audible = Silence - 65;
    private const int Margin = 6 + 1;
    private const long Hold = 200_000_000 + Talker.FrameNanoseconds;
    private const long Decibel = 50_000_000; // what was louder before counts 20 dB less each second

    private readonly Speech[] talking = [.. Enumerable.Repeat(new Speech(-Hold, 0, null, false), talkers)];
    private readonly long[] fades = new long[talkers];
    private readonly List<Onset> all = [];

    public IReadOnlyList<Onset> All => all;

    /// <summary>A packet that is sent.</summary>
    /// <param name="level">dB below overload.</param>
    /// <param name="now">Nanoseconds.</param>
    public void Say(int slot, ulong stamp, int level, long now)
    {
        ref var speech = ref talking[slot];
        var loudness = Silence - level;
        if (loudness >= Audible)
        {
            if (now - speech.HeardAt >= Hold) speech = speech with { Onset = null, Waits = true };
            if (speech.Waits && IsOwed(slot, loudness, now))
            {
                speech = speech with { Onset = new(slot, stamp), Waits = false };
                all.Add(speech.Onset);
            }

            speech.Onset?.Last = stamp;
            speech = speech with { HeardAt = now };
        }

        speech = speech with { Fades = Math.Max(speech.Fades, now + loudness * Decibel) };
    }

    /// <summary>Fewer others than are heard speak, or it is louder than the least of as many of them: whoever is heard, one of them is no louder than that.</summary>
    private bool IsOwed(int slot, int loudness, long now)
    {
        var others = 0;
        for (var i = 0; i < talking.Length; i++)
        {
            if (i != slot && now - talking[i].HeardAt < Hold) fades[others++] = talking[i].Fades;
        }

        if (others < loudest) return true;
        Array.Sort(fades, 0, others);
        return now + (loudness - Margin) * Decibel >= fades[others - loudest];
    }

    /// <param name="HeardAt">When it last was more than noise.</param>
    /// <param name="Fades">When the loudest of what was said has faded to silence.</param>
    /// <param name="Waits">It began to speak, and is not loud enough yet.</param>
    private readonly record struct Speech(long HeardAt, long Fades, Onset? Onset, bool Waits);
}
