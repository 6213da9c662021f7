using System.Numerics;

namespace Voice.Protocol.Links;

/// <summary>Which bucket of a histogram a value falls in: sixteen to each doubling, so that a bucket's bound is within 6.25 % of every value
/// in it, from 1 to 2^31. What is counted in them, and in which unit, is the counter's to say.</summary>
public static class LogLinear
{
    private const int StepBits = 4;
    private const int Steps = 1 << StepBits;

    public const long Limit = 1L << 31;

    /// <summary>Of a histogram.</summary>
    public const int Buckets = (31 - StepBits + 1) * Steps;

    /// <summary>Values below 0 count as 0, those from <see cref="Limit"/> as the highest.</summary>
    public static int Bucket(long value)
    {
        var v = (uint)Math.Clamp(value, 0, Limit - 1);
        if (v < Steps) return (int)v;
        var shift = BitOperations.Log2(v) - StepBits;
        return (shift << StepBits) + (int)(v >> shift);
    }

    /// <summary>The highest value of a bucket.</summary>
    public static long UpperBound(int bucket)
    {
        if (bucket < Steps) return bucket;
        var shift = (bucket >> StepBits) - 1;
        return ((long)(Steps + (bucket & (Steps - 1)) + 1) << shift) - 1;
    }

    /// <summary>The upper bound of the bucket below which <paramref name="quantile"/> of all values are; 0 if there are none.</summary>
    /// <param name="quantile">0 to 1; 1 is the highest value's.</param>
    public static long Quantile(ReadOnlySpan<long> counts, double quantile)
    {
        var total = 0L;
        foreach (var count in counts) total += count;
        if (total == 0) return 0;
        var rank = Math.Max(1, (long)Math.Ceiling(total * quantile));
        for (var i = 0; i < counts.Length; i++)
        {
            rank -= counts[i];
            if (rank <= 0) return UpperBound(i);
        }
        return Limit - 1;
    }
}
