using System.Buffers.Binary;

namespace Voice.Media.Ice;

/// <summary>The last authenticated checks, and the address that each came from. STUN has nothing against replay: whoever saw a
/// check can send the same bytes from elsewhere. A browser checks every 2.5 s, so it reaches back some twenty minutes.</summary>
internal sealed class CheckHistory
{
    public const int Capacity = 512;

    private const uint Address = 0xFF;

    /// <summary>24 bits of a transaction id are enough, the client makes them at random and a false hit costs it one check; and 8 bits of the
    /// address's number: a check can be replayed between a client's own 1st and 257th address.</summary>
    private readonly uint[] checks = new uint[Capacity];

    private int count;
    private int next;

    /// <param name="address">The number of the address that the check came from first.</param>
    public bool TryFind(ReadOnlySpan<byte> transactionId, out byte address)
    {
        var lowest = Short(transactionId);
        var at = checks.AsSpan(0, count).IndexOfAnyInRange(lowest, lowest | Address);
        address = at < 0 ? (byte)0 : (byte)(checks[at] & Address);
        return at >= 0;
    }

    /// <summary>In the place of the oldest.</summary>
    public void Add(ReadOnlySpan<byte> transactionId, byte address)
    {
        checks[next] = Short(transactionId) | address;
        count = Math.Max(count, next + 1);
        next = (next + 1) % Capacity;
    }

    private static uint Short(ReadOnlySpan<byte> transactionId) => BinaryPrimitives.ReadUInt32BigEndian(transactionId) & ~Address;
}
