using Voice.Signaling.Gateway.Guilds;
using Xunit;

namespace Voice.Tests.Signaling.Guilds;

public class RejoinDelayTests
{
    private readonly RejoinDelay delay = new();

    [Fact]
    public void The_first_answer_is_at_once_and_each_later_one_waits_twice_as_long_up_to_a_limit()
    {
        var now = TimeSpan.FromHours(1);
        Assert.Equal([0, 0.5, 1, 2, 4, 8, 16, 30, 30, 30], Enumerable.Range(0, 10).Select(_ =>
        {
            var at = delay.Next(now);
            var wait = (at - now).TotalSeconds;
            now = at;
            return wait;
        }));
    }

    [Fact]
    public void A_short_session_changes_nothing_and_a_longer_one_forgives()
    {
        delay.Next(TimeSpan.Zero);
        delay.Lived(RejoinDelay.Settled - TimeSpan.FromTicks(1));
        Assert.Equal(RejoinDelay.First, delay.Next(TimeSpan.Zero));
        delay.Lived(RejoinDelay.Settled);
        Assert.Equal(TimeSpan.Zero, delay.Next(TimeSpan.Zero));
    }

    [Fact]
    public void Time_forgives_too()
    {
        delay.Next(TimeSpan.Zero);
        var late = RejoinDelay.Memory + TimeSpan.FromTicks(1);
        Assert.Equal(late, delay.Next(late));
    }
}
