using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Voice.Protocol.Crypto;

/// <summary>GHASH (NIST SP 800-38D section 6.4), computed as POLYVAL of reversed blocks (RFC 8452 appendix A), which needs no
/// bits turned round. Up to eight blocks are multiplied by falling powers of the key and reduced together.</summary>
internal struct Ghash<TUnit>
    where TUnit : IAesUnit
{
    public const int GroupLength = 8;

    private readonly GhashPowers powers;
    private Vector128<ulong> sum;
    private Vector128<ulong> low;
    private Vector128<ulong> middle;
    private Vector128<ulong> high;
    private int blocksLeft;
    private int inGroup;

    /// <param name="blocks">How many will be added.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Ghash(GhashPowers powers, int blocks)
    {
        this.powers = powers;
        blocksLeft = blocks;
        inGroup = Math.Min(blocks, GroupLength);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Add(Vector128<byte> block)
    {
        var x = Reverse(block).AsUInt64() ^ sum;
        sum = Vector128<ulong>.Zero;
        ref readonly var power = ref powers[inGroup - 1];
        low ^= TUnit.MultiplyLower(x, power.Value);
        high ^= TUnit.MultiplyUpper(x, power.Value);
        middle ^= TUnit.MultiplyLower(x ^ Swap(x), power.Folded); // Karatsuba
        blocksLeft--;
        if (--inGroup == 0) Reduce();
    }

    /// <summary>After the last block.</summary>
    public readonly Vector128<byte> Value => Reverse(sum.AsByte());

    /// <summary>a b x^-128 in the field of RFC 8452 section 3.</summary>
    public static Vector128<ulong> Dot(Vector128<ulong> a, Vector128<ulong> b) => Reduced(
        TUnit.MultiplyLower(a, b), TUnit.MultiplyLower(a ^ Swap(a), b ^ Swap(b)), TUnit.MultiplyUpper(a, b));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<ulong> Swap(Vector128<ulong> v) => Vector128.Shuffle(v, Vector128.Create(1UL, 0));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<byte> Reverse(Vector128<byte> block) =>
        Vector128.Shuffle(block, Vector128.Create((byte)15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void Reduce()
    {
        sum = Reduced(low, middle, high);
        low = middle = high = Vector128<ulong>.Zero;
        inGroup = Math.Min(blocksLeft, GroupLength);
    }

    /// <summary>The 256-bit product times x^-128: two folds by x^127 + x^126 + x^121 + 1.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<ulong> Reduced(Vector128<ulong> low, Vector128<ulong> middle, Vector128<ulong> high)
    {
        var polynomial = Vector128.Create(0xC200_0000_0000_0000UL, 0);
        middle ^= low ^ high;
        low ^= Vector128.Create(0, middle.ToScalar());
        high ^= Vector128.Create(middle.GetElement(1), 0);
        low = Swap(low) ^ TUnit.MultiplyLower(low, polynomial);
        low = Swap(low) ^ TUnit.MultiplyLower(low, polynomial);
        return low ^ high;
    }
}

/// <param name="Folded">Its halves added, in the lower half.</param>
internal readonly record struct GhashPower(Vector128<ulong> Value, Vector128<ulong> Folded);

/// <summary>First to eighth power of a GHASH key.</summary>
internal sealed class GhashPowers
{
    private readonly GhashPower[] powers = new GhashPower[8];

    public ref readonly GhashPower this[int index] => ref powers[index];

    /// <param name="key">The zero block, enciphered.</param>
    public static GhashPowers Of<TUnit>(Vector128<byte> key)
        where TUnit : IAesUnit
    {
        var made = new GhashPowers();
        var first = TimesX(Ghash<TUnit>.Reverse(key).AsUInt64());
        var power = first;
        for (var i = 0; i < made.powers.Length; i++)
        {
            made.powers[i] = new GhashPower(power, power ^ Ghash<TUnit>.Swap(power));
            power = Ghash<TUnit>.Dot(power, first);
        }

        return made;
    }

    public void Clear() => Array.Clear(powers);

    // RFC 8452 appendix A: mulX_POLYVAL.
    private static Vector128<ulong> TimesX(Vector128<ulong> v)
    {
        var (lower, upper) = (v.ToScalar(), v.GetElement(1));
        var carry = 0UL - (upper >> 63);
        return Vector128.Create((lower << 1) ^ (carry & 1), (upper << 1 | lower >> 63) ^ (carry & 0xC200_0000_0000_0000));
    }
}
