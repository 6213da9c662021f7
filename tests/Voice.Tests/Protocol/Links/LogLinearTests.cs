using CsCheck;
using Voice.Protocol.Links;
using Xunit;

namespace Voice.Tests.Protocol.Links;

public class LogLinearTests
{
    [Fact]
    public void A_value_is_at_most_its_buckets_bound_and_above_the_one_before() =>
        Gen.Long[0, LogLinear.Limit - 1].Sample(value =>
        {
            var bucket = LogLinear.Bucket(value);
            Assert.InRange(bucket, 0, LogLinear.Buckets - 1);
            Assert.True(value <= LogLinear.UpperBound(bucket));
            Assert.True(bucket == 0 || value > LogLinear.UpperBound(bucket - 1));
        });

    [Fact]
    public void A_bound_is_within_a_sixteenth_of_what_is_in_the_bucket() =>
        Gen.Long[1, LogLinear.Limit - 1].Sample(value => Assert.True(LogLinear.UpperBound(LogLinear.Bucket(value)) - value <= value / 16));

    [Fact]
    public void What_does_not_fit_is_in_the_last_bucket_or_the_first()
    {
        Assert.Equal(0, LogLinear.Bucket(-5));
        Assert.Equal(LogLinear.Buckets - 1, LogLinear.Bucket(long.MaxValue));
    }

    [Fact]
    public void A_quantile_is_the_bound_of_the_bucket_of_the_sorted_values() =>
        Gen.Select(Gen.Long[0, 1_000_000].Array[1, 50], Gen.Double[0, 1]).Sample((values, quantile) =>
        {
            var counts = new long[LogLinear.Buckets];
            foreach (var value in values) counts[LogLinear.Bucket(value)]++;
            Array.Sort(values);
            var rank = Math.Max(1, (int)Math.Ceiling(values.Length * quantile));
            Assert.Equal(LogLinear.UpperBound(LogLinear.Bucket(values[rank - 1])), LogLinear.Quantile(counts, quantile));
        });

    [Fact]
    public void Of_nothing_every_quantile_is_zero() => Assert.Equal(0, LogLinear.Quantile(new long[LogLinear.Buckets], 0.99));
}
