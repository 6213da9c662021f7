namespace Voice.Media.Checkpoints;

/// <summary>What a <see cref="Checkpoint"/> is of. The values stand in memory that processes of different builds may share: see
/// <see cref="WorkerCheckpoints.Layout"/>.</summary>
internal enum CheckpointKind : byte
{
    None = 0,

    /// <summary>How far the transport's own counter went, and where its client is.</summary>
    Transport = 1,

    /// <summary>A track's clock and source.</summary>
    Track = 2,

    /// <summary>One stream to one listener.</summary>
    Egress = 3,

    /// <summary>An SSRC that a browser sends RTP under.</summary>
    Rtp = 4,

    /// <summary>An SSRC that a browser sends RTCP under.</summary>
    Rtcp = 5,
}

/// <summary>What a successor must know of one thing, in memory that outlives the process: what names it, and six words of its own. A word is stored
/// at once and in order, never by halves, and whoever writes several makes sure that a successor can live with the first of them only: the
/// process may be killed between any two.</summary>
internal readonly unsafe struct Checkpoint(ulong* words)
{
    /// <summary>Bytes of one: a cache line.</summary>
    public const int Length = Words * sizeof(ulong);

    private const int Words = 8;
    private const int Values = 2;

    /// <summary>Nothing that was never written looks like it.</summary>
    private const ulong Mark = 0x564F_4943_4500_0000;

    /// <summary>None for a place where there is nothing: free, or of a process that was killed before it had written all of it.</summary>
    public CheckpointKind Kind => (words[0] & ~0xFFul) == Mark ? (CheckpointKind)words[0] : CheckpointKind.None;

    /// <summary>The transport's id.</summary>
    public uint Transport => High(words[1]);

    /// <summary>0 for the transport itself.</summary>
    public uint Ssrc => Low(words[1]);

    /// <param name="at">0 to 5.</param>
    public ulong this[int at] => Volatile.Read(ref words[Values + at]);

    /// <inheritdoc cref="this[int]"/>
    public void Set(int at, ulong value) => Volatile.Write(ref words[Values + at], value);

    public static ulong Pair(uint high, uint low) => (ulong)high << 32 | low;

    public static uint High(ulong pair) => (uint)(pair >> 32);

    public static uint Low(ulong pair) => (uint)pair;

    /// <summary>All values 0, and only then named.</summary>
    public void Begin(CheckpointKind kind, uint transport, uint ssrc)
    {
        End();
        for (var i = Values; i < Words; i++) words[i] = 0;
        words[1] = Pair(transport, ssrc);
        Volatile.Write(ref words[0], Mark | (byte)kind);
    }

    public void End() => Volatile.Write(ref words[0], 0);

    internal ulong* Address => words;
}
