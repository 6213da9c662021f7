namespace Voice.Protocol.Srtp;

/// <summary>Which of the latest indexes were used (RFC 3711 section 3.3.2). A plain value: copy it to checkpoint it.</summary>
/// <param name="Highest">The highest index committed; meaningless while nothing is.</param>
/// <param name="Seen">Bit n: index <paramref name="Highest"/> - n was committed.</param>
public record struct ReplayWindow(ulong Highest, UInt128 Seen)
{
    /// <summary>How many indexes are remembered: 2.5 seconds of 20 ms packets.</summary>
    public const int Size = 128;

    /// <summary>Goes on after that index: what came before it counts as used.</summary>
    public static ReplayWindow After(ulong highest) => new(highest, UInt128.MaxValue);

    public readonly bool IsEmpty => Seen == UInt128.Zero;

    /// <summary>Whether a packet with this index may be taken. Changes nothing.</summary>
    public readonly ReplayVerdict Check(ulong index)
    {
        if (IsEmpty || index > Highest) return ReplayVerdict.Fresh;
        var age = Highest - index;
        if (age >= Size) return ReplayVerdict.TooOld;
        return (Seen >> (int)age & UInt128.One) == UInt128.Zero ? ReplayVerdict.Fresh : ReplayVerdict.Replayed;
    }

    /// <summary>Remembers a fresh index whose packet has authenticated.</summary>
    public void Commit(ulong index)
    {
        if (IsEmpty) (Highest, Seen) = (index, UInt128.One);
        else if (index > Highest)
        {
            var step = index - Highest;
            Seen = step < Size ? Seen << (int)step | UInt128.One : UInt128.One;
            Highest = index;
        }
        else if (Highest - index < Size) Seen |= UInt128.One << (int)(Highest - index);
    }
}

public enum ReplayVerdict
{
    Fresh = 0,
    Replayed,

    /// <summary>Older than the window: it cannot be told from a replay.</summary>
    TooOld,
}
