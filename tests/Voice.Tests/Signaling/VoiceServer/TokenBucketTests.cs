using Voice.Signaling.VoiceServer;
using Xunit;

namespace Voice.Tests.Signaling.VoiceServer;

public class TokenBucketTests
{
    [Fact]
    public void Takes_a_burst_and_then_the_rate()
    {
        var bucket = new TokenBucket(burst: 5, perSecond: 2);
        Assert.Equal(5, Enumerable.Range(0, 10).Count(_ => bucket.TryTake(TimeSpan.Zero)));

        var taken = Enumerable.Range(1, 100).Count(i => bucket.TryTake(TimeSpan.FromMilliseconds(100 * i)));
        Assert.Equal(20, taken);
    }

    [Fact]
    public void Idle_time_is_not_saved_beyond_a_burst()
    {
        var bucket = new TokenBucket(burst: 5, perSecond: 2);
        Assert.Equal(5, Enumerable.Range(0, 10).Count(_ => bucket.TryTake(TimeSpan.FromHours(1))));
    }
}
