namespace Voice.Load.Generator;

/// <summary>Who speaks and pauses as people do in a conversation: spurts and pauses of exponential lengths, the spurts' mean after ITU-T P.59.</summary>
/// <param name="share">Of the time that is speech; the pauses follow from it.</param>
internal sealed class SpeechModel(Random random, double share = SpeechModel.Conversation)
{
    /// <summary>ITU-T P.59: spurts of 1.004 s, pauses of 1.587 s.</summary>
    public const double Conversation = 1.004 / (1.004 + 1.587);

    private const double MeanSpurtFrames = 1.004 * 50;

    private bool speaks = random.NextDouble() < share;
    private int frames;

    /// <summary>Whether there is speech in this 20 ms frame.</summary>
    public bool Next()
    {
        while (frames-- <= 0)
        {
            speaks = !speaks;
            frames = (int)Math.Round(-Math.Log(1 - random.NextDouble()) * MeanSpurtFrames * (speaks ? 1 : (1 - share) / share));
        }

        return speaks;
    }
}
