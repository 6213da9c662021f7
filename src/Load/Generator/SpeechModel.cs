namespace Voice.Load.Generator;

/// <summary>Who speaks and pauses as people do in a conversation: spurts and pauses of exponential lengths, after ITU-T P.59's means.</summary>
internal sealed class SpeechModel(Random random)
{
    private const double MeanSpurtFrames = 1.004 * 50;
    private const double MeanPauseFrames = 1.587 * 50;

    private bool speaks = random.NextDouble() < MeanSpurtFrames / (MeanSpurtFrames + MeanPauseFrames);
    private int frames;

    /// <summary>Whether there is a packet in this 20 ms frame.</summary>
    public bool Next()
    {
        while (frames-- <= 0)
        {
            speaks = !speaks;
            frames = (int)Math.Round(-Math.Log(1 - random.NextDouble()) * (speaks ? MeanSpurtFrames : MeanPauseFrames));
        }

        return speaks;
    }
}
