using CsCheck;
using Voice.VoiceAllocator;
using Xunit;
using static Voice.Tests.VoiceAllocator.Nodes;

namespace Voice.Tests.VoiceAllocator;

public class ObserverClockTests
{
    private static readonly TimeSpan Period = TimeSpan.FromMilliseconds(50);

    [Fact]
    public void A_clock_that_is_on_time_tells_the_time()
    {
        var clock = new ObserverClock(Period, Seconds(7));
        for (var now = Seconds(7) + Period; now < Seconds(9); now += Period) Assert.Equal(now, clock.Tick(now));
        Assert.True(clock.IsOnTime);
    }

    [Fact]
    public void It_stands_still_while_its_observer_does()
    {
        var clock = new ObserverClock(Period, Seconds(0));
        Assert.Equal(Period + ObserverClock.Tolerance, clock.Tick(Seconds(20)));
        Assert.False(clock.IsOnTime);
    }

    [Theory]
    [InlineData(0.5, 0.45)]
    [InlineData(20, 1)]
    public void Who_was_late_is_trusted_again_after_as_long_and_a_second_at_most(double gap, double settling)
    {
        var clock = new ObserverClock(Period, Seconds(0));
        var now = Seconds(gap);
        clock.Tick(now);
        for (var end = now + Seconds(settling) - Period; now < end; now += Period)
        {
            clock.Tick(now);
            Assert.False(clock.IsOnTime);
        }

        clock.Tick(now += Period);
        clock.Tick(now + Period);
        Assert.True(clock.IsOnTime);
    }

    [Fact]
    public void It_never_runs_backwards_nor_faster_than_the_time() =>
        Gen.Int[0, 2000].Array[1, 50].Sample(gaps =>
        {
            var clock = new ObserverClock(Period, Seconds(0));
            var (now, before) = (TimeSpan.Zero, TimeSpan.Zero);
            foreach (var gap in gaps)
            {
                var between = clock.At(now + TimeSpan.FromMilliseconds(gap / 2));
                now += TimeSpan.FromMilliseconds(gap);
                var after = clock.Tick(now);
                if (between < before || after < between || after > now) return false;
                before = after;
            }

            return true;
        });
}
