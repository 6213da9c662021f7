using Voice.VoiceAllocator;
using Xunit;
using static Voice.Tests.VoiceAllocator.Nodes;

namespace Voice.Tests.VoiceAllocator;

public class HealthProbeTests
{
    private readonly HealthProbe probe = new();

    [Fact]
    public void A_node_never_heard_of_is_not_linked() => Assert.False(probe.IsLinked);

    [Fact]
    public void Lives_while_it_is_heard()
    {
        probe.LinkUp("a", Seconds(0));
        for (var now = 0; now < 100; now += 2)
        {
            Assert.True(probe.IsAlive(Seconds(now)));
            probe.Heard(Seconds(now));
        }
    }

    [Fact]
    public void Is_gone_after_three_seconds_of_silence()
    {
        probe.LinkUp("a", Seconds(10));
        Assert.True(probe.IsAlive(Seconds(13)));
        Assert.False(probe.IsAlive(Seconds(13.001)));
    }

    [Fact]
    public void Gets_a_moment_to_dial_again_when_its_last_link_breaks()
    {
        probe.LinkUp("a", Seconds(0));
        probe.LinkUp("b", Seconds(0));
        probe.Heard(Seconds(5));
        probe.LinkLost("a", Seconds(5));
        Assert.True(probe.IsAlive(Seconds(8)));

        probe.LinkLost("b", Seconds(6));
        Assert.False(probe.IsLinked);
        Assert.True(probe.IsAlive(Seconds(7.5)));
        Assert.False(probe.IsAlive(Seconds(7.6)));

        probe.LinkUp("c", Seconds(7));
        Assert.True(probe.IsAlive(Seconds(10)));
    }

    [Fact]
    public void A_late_pong_without_a_link_does_not_revive_it()
    {
        probe.LinkUp("a", Seconds(0));
        probe.LinkLost("a", Seconds(0));
        probe.Heard(Seconds(1));
        Assert.False(probe.IsAlive(Seconds(2)));
    }
}
