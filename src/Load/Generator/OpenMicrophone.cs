namespace Voice.Load.Generator;

/// <summary>A microphone that is never off: a quiet room, and speech, each spurt of its own loudness, which rises at its start and swings
/// with the syllables.</summary>
/// <param name="slot">Its talker's.</param>
/// <param name="share">Of the time that is speech.</param>
internal sealed class OpenMicrophone(int slot, double share, Onsets onsets, Random random)
{
    private const byte Voice = 0x80; // RFC 6464 section 3

    // All in dB below overload.
    private const int LoudestSpurt = 20;
    private const int QuietestSpurt = 45;
    private const int LoudestNoise = 72;
    private const int QuietestNoise = 84;
    private const int Swing = 6;
    private const int RisePerFrame = 4;

    private const int RisingFrames = 3;
    private const double FramesPerSyllable = 12.5; // four a second

    private readonly SpeechModel speech = new(random, share);
    private int frame;
    private int loudness;

    /// <summary>The next frame's level, as on the wire.</summary>
    /// <param name="stamp">Its packet's.</param>
    /// <param name="now">Nanoseconds.</param>
    public byte Next(ulong stamp, long now)
    {
        var level = speech.Next() ? Speak() : Rest();
        onsets.Say(slot, stamp, level & ~Voice, now);
        return level;
    }

    private byte Rest()
    {
        frame = 0;
        return (byte)random.Next(LoudestNoise, QuietestNoise + 1);
    }

    private byte Speak()
    {
        if (frame == 0) loudness = random.Next(LoudestSpurt, QuietestSpurt + 1);
        var rise = RisePerFrame * Math.Max(0, RisingFrames - frame);
        var swing = (int)Math.Round(Swing * Math.Sin(2 * Math.PI * frame++ / FramesPerSyllable));
        return (byte)(Voice | loudness + rise - swing);
    }
}
