using System.Numerics;
using System.Runtime.InteropServices;

namespace Voice.Protocol.DiscordUdp;

/// <summary>The nonces of the last packets that authenticated. Where the header is not authenticated, only its nonce tells that a packet
/// was here before under another sequence. Allocates nothing after construction.</summary>
public sealed class RecentNonces
{
    /// <summary>How many are remembered: ten seconds of 20 ms packets.</summary>
    public const int Size = 512;

    private readonly ulong[] seen = new ulong[Size];
    private int count;
    private int next;

    /// <param name="nonce">As <see cref="Fold"/> has it.</param>
    public bool Contains(ulong nonce) => seen.AsSpan(0, count).Contains(nonce);

    /// <inheritdoc cref="Contains"/>
    public void Add(ulong nonce)
    {
        seen[next] = nonce;
        next = (next + 1) % Size;
        count = Math.Min(count + 1, Size);
    }

    /// <summary>A nonce in 64 bits: different for two of a counter, wherever it stands in the nonce, and, but for chance, for two random
    /// ones. Nobody but who has the key can look for two alike.</summary>
    /// <param name="nonce">24 bytes at most.</param>
    public static ulong Fold(ReadOnlySpan<byte> nonce)
    {
        Span<ulong> words = stackalloc ulong[3];
        nonce.CopyTo(MemoryMarshal.AsBytes(words));
        return words[0] ^ BitOperations.RotateLeft(words[1], 21) ^ BitOperations.RotateLeft(words[2], 42);
    }
}
