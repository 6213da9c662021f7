namespace Voice.Load.Generator;

/// <summary>One outgoing stream: the numbers of its next packet, and which of its packets the open window counts.</summary>
/// <param name="listeners">Who should hear it.</param>
internal sealed class Talker(Participant owner, int slot, int listeners, long phase)
{
    public const long FrameNanoseconds = 20_000_000;

    public Participant Owner { get; } = owner;

    /// <summary>Among the talkers of its room.</summary>
    public int Slot { get; } = slot;

    public int Listeners { get; } = listeners;

    /// <summary>When in each 20 ms it sends, in nanoseconds.</summary>
    public long Phase { get; } = phase;

    /// <summary>Null: talks all the time.</summary>
    public SpeechModel? Speech { get; init; }

    /// <summary>Null: always as loud.</summary>
    public OpenMicrophone? Microphone { get; set; }

    /// <summary>Packets sent; the next one's stamp. The index follows it.</summary>
    public ulong Sent { get; set; }

    public ulong FirstIndex { get; init; }

    public bool Pauses { get; set; } = true;

    /// <summary>Stamps from here on are counted,</summary>
    public ulong WindowStart { get; set; }

    /// <summary>and up to here.</summary>
    public ulong WindowEnd { get; set; }

    public bool Counts(ulong stamp) => stamp >= WindowStart && stamp < WindowEnd;
}
