using System.Buffers.Binary;

namespace Voice.Media.Ice;

/// <summary>The last authenticated checks, and the address that each came from. STUN has nothing against replay: whoever saw a
/// check can send the same bytes from elsewhere. A browser checks every 2.5 s, so it reaches back some twenty minutes; until then it grows, to
/// 4 KB.</summary>
internal sealed class CheckHistory
{
    public const int Capacity = 512;

    /// <summary>A third of a transaction id is enough: the client makes them at random, and a false hit costs it one check.</summary>
    private uint[] transactions = new uint[16];

    private uint[] addresses = new uint[16];
    private int count;
    private int next;

    /// <param name="address">The number of the address that the check came from first.</param>
    public bool TryFind(ReadOnlySpan<byte> transactionId, out uint address)
    {
        var at = transactions.AsSpan(0, count).IndexOf(Short(transactionId));
        address = at < 0 ? 0 : addresses[at];
        return at >= 0;
    }

    /// <summary>In the place of the oldest.</summary>
    public void Add(ReadOnlySpan<byte> transactionId, uint address)
    {
        if (next == transactions.Length)
        {
            Array.Resize(ref transactions, next * 2);
            Array.Resize(ref addresses, next * 2);
        }
        (transactions[next], addresses[next]) = (Short(transactionId), address);
        count = Math.Max(count, next + 1);
        next = (next + 1) % Capacity;
    }

    private static uint Short(ReadOnlySpan<byte> transactionId) => BinaryPrimitives.ReadUInt32BigEndian(transactionId);
}
