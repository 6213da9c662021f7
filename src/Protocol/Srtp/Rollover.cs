namespace Voice.Protocol.Srtp;

/// <summary>Extends 16-bit sequence numbers to the 48-bit index (RFC 3711 section 3.3.1 and appendix A).</summary>
public static class Rollover
{
    private const ulong Cycle = 1UL << 16;

    /// <summary>The index nearest to <paramref name="highest"/> that has this sequence.</summary>
    /// <param name="highest">The highest authenticated index, below 2^48. Before the first packet there is none: its index is its sequence.</param>
    /// <returns>False if that index would lie before 0 or past 2^48: no such packet was sent under this key.</returns>
    public static bool TryGuess(ulong highest, ushort sequence, out ulong index)
    {
        var last = (ushort)highest;
        index = highest - last + sequence;
        if (last < 0x8000)
        {
            if (sequence - last > 0x8000)
            {
                if (index < Cycle) return false;
                index -= Cycle;
            }
        }
        else if (last - 0x8000 > sequence) index += Cycle;
        return index < SrtpContext.IndexLimit;
    }
}
