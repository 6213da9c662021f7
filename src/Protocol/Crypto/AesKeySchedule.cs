using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Voice.Protocol.Crypto;

/// <summary>FIPS 197 section 5.2, by the processor's own SubBytes: no table that a cache could tell of.</summary>
internal static class AesKeySchedule
{
    public static Vector128<byte>[] Expand<TUnit>(ReadOnlySpan<byte> key)
        where TUnit : IAesUnit
    {
        var inKey = key.Length / 4;
        var rounds = inKey + 6;
        var schedule = new Vector128<byte>[rounds + 1];
        var words = MemoryMarshal.Cast<Vector128<byte>, uint>(schedule.AsSpan());
        MemoryMarshal.Cast<byte, uint>(key).CopyTo(words);
        var constant = 1u;
        for (var i = inKey; i < words.Length; i++)
        {
            var word = words[i - 1];
            if (i % inKey == 0)
            {
                word = uint.RotateRight(SubWord<TUnit>(word), 8) ^ constant;
                constant = (constant << 1) ^ ((constant >> 7) * 0x11B); // times x; public
            }
            else if (inKey == 8 && i % inKey == 4)
            {
                word = SubWord<TUnit>(word);
            }

            words[i] = words[i - inKey] ^ word;
        }

        return schedule;
    }

    // In four equal columns ShiftRows moves nothing.
    private static uint SubWord<TUnit>(uint word)
        where TUnit : IAesUnit => TUnit.LastRound(Vector128.Create(word).AsByte(), Vector128<byte>.Zero).AsUInt32().ToScalar();
}
