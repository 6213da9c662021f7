namespace Voice.Load.Generator;

/// <summary>Packets of one talker that came to one listener, none of those between left out by the server.</summary>
/// <param name="First">The first one's stamp.</param>
/// <param name="From">When it came, in nanoseconds.</param>
internal sealed record Run(int Slot, ulong First, long From)
{
    public ulong Last { get; private set; } = First;

    /// <summary>When the last but one came: who has just given way may have its place back with its next packet, and that is no stream more.</summary>
    public long To { get; private set; } = From;

    private long latest = From;

    public void Extend(ulong stamp, long now) => (Last, To, latest) = (stamp, latest, now);
}

/// <summary>What one listener gets of a room of which it hears a part: when it hears whom, and what is lost of that. A server leaves no number out for what it
/// chooses not to send, so a number that is missing is a packet that is.</summary>
internal sealed class Hearing(int talkers)
{
    private readonly Run?[] current = new Run?[talkers];
    private readonly ushort?[] numbers = new ushort?[talkers];
    private readonly List<Run> runs = [];

    public IReadOnlyList<Run> Runs => runs;

    /// <summary>Packets that the numbers say there were.</summary>
    public long Expected { get; private set; }

    public long Received { get; private set; }

    /// <summary>A packet came.</summary>
    /// <param name="number">Its RTP sequence number.</param>
    /// <param name="stamp">Null: silence that the server put in.</param>
    /// <param name="now">Nanoseconds.</param>
    public void Hear(int slot, ushort number, ulong? stamp, long now)
    {
        Received++;
        var step = (short)(number - (numbers[slot] ?? number - 1));
        if (step <= 0) return; // behind a later one, and expected with it
        Expected += step;
        numbers[slot] = number;
        if (stamp is not { } at) return;
        if (current[slot] is not { } run || at != run.Last + (ulong)step) runs.Add(current[slot] = run = new(slot, at, now));
        else run.Extend(at, now);
    }
}
