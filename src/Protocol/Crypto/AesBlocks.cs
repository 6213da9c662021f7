using System.Runtime.Intrinsics;

namespace Voice.Protocol.Crypto;

/// <summary>Eight blocks side by side: a round of AES has a latency of several cycles, and each cycle can start one or two.</summary>
internal static class AesBlocks
{
    public const int Length = 16;
    public const int Batch = 8;

    /// <summary>Enciphers a batch in place (FIPS 197 section 5.1).</summary>
    public static void Encipher<TUnit>(Vector128<byte>[] schedule, Span<Vector128<byte>> blocks)
        where TUnit : IAesUnit
    {
        var key = schedule[0];
        var (a, b, c, d) = (blocks[0] ^ key, blocks[1] ^ key, blocks[2] ^ key, blocks[3] ^ key);
        var (e, f, g, h) = (blocks[4] ^ key, blocks[5] ^ key, blocks[6] ^ key, blocks[7] ^ key);
        for (var round = 1; round < schedule.Length - 1; round++)
        {
            key = schedule[round];
            (a, b, c, d) = (TUnit.Round(a, key), TUnit.Round(b, key), TUnit.Round(c, key), TUnit.Round(d, key));
            (e, f, g, h) = (TUnit.Round(e, key), TUnit.Round(f, key), TUnit.Round(g, key), TUnit.Round(h, key));
        }

        key = schedule[^1];
        (blocks[0], blocks[1], blocks[2], blocks[3]) = (TUnit.LastRound(a, key), TUnit.LastRound(b, key), TUnit.LastRound(c, key), TUnit.LastRound(d, key));
        (blocks[4], blocks[5], blocks[6], blocks[7]) = (TUnit.LastRound(e, key), TUnit.LastRound(f, key), TUnit.LastRound(g, key), TUnit.LastRound(h, key));
    }
}
