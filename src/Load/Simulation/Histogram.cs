namespace Voice.Load.Simulation;

/// <summary>Shares around one, in steps of half a percent up to 50.</summary>
internal sealed class Histogram
{
    private const int PerUnit = 200;

    private readonly long[] counts = new long[50 * PerUnit];
    private double max;

    public void Add(double value)
    {
        counts[Math.Clamp((int)Math.Round(value * PerUnit), 0, counts.Length - 1)]++;
        max = Math.Max(max, value);
    }

    public Skew ToSkew() => new(Quantile(0.5), Quantile(0.99), Math.Round(max, 3));

    private double Quantile(double share)
    {
        var left = (long)Math.Ceiling(share * counts.Sum());
        for (var i = 0; i < counts.Length; i++)
        {
            if ((left -= counts[i]) <= 0) return (double)i / PerUnit;
        }

        return max;
    }
}
