using Voice.Signaling.VoiceServer;
using Xunit;

namespace Voice.Tests.Signaling.VoiceServer;

public class CrashHistoryTests
{
    private readonly CrashHistory crashes = new();

    [Fact]
    public void One_that_dies_now_and_then_has_a_successor_at_once()
    {
        for (var minute = 0; minute < 100; minute++)
        {
            Assert.Equal(TimeSpan.Zero, crashes.Died(TimeSpan.FromMinutes(minute)));
            Assert.False(crashes.IsLooping(TimeSpan.FromMinutes(minute)));
        }
    }

    [Fact]
    public void Those_that_die_in_a_row_wait_longer_and_longer()
    {
        var now = TimeSpan.FromSeconds(100);
        double[] waits = [.. Enumerable.Range(0, 12).Select(_ =>
        {
            var delay = crashes.Died(now);
            now += delay + TimeSpan.FromMilliseconds(100);
            return delay.TotalSeconds;
        })];

        Assert.Equal([0, 0, 1, 2, 4, 8, 10, 10, 10, 10, 10, 10], waits);
    }

    [Fact]
    public void A_node_whose_media_dies_in_a_row_is_unfit_until_it_was_quiet()
    {
        var last = TimeSpan.FromSeconds(20);
        crashes.Died(TimeSpan.FromSeconds(0));
        crashes.Died(TimeSpan.FromSeconds(10));
        Assert.False(crashes.IsLooping(last));

        crashes.Died(last);

        Assert.True(crashes.IsLooping(last));
        Assert.True(crashes.IsLooping(last + CrashHistory.Quiet - TimeSpan.FromTicks(1)));
        Assert.False(crashes.IsLooping(last + CrashHistory.Quiet));
    }

    [Fact]
    public void Another_death_before_it_was_quiet_begins_the_quiet_anew()
    {
        for (var i = 0; i < 3; i++) crashes.Died(TimeSpan.Zero);
        var again = CrashHistory.Quiet - TimeSpan.FromSeconds(1);

        Assert.True(crashes.Died(again) > TimeSpan.Zero);

        Assert.True(crashes.IsLooping(CrashHistory.Quiet + TimeSpan.FromSeconds(1)));
    }
}
