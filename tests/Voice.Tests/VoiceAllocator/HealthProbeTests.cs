using Voice.VoiceAllocator;
using Xunit;
using static Voice.Tests.VoiceAllocator.Nodes;

namespace Voice.Tests.VoiceAllocator;

public class HealthProbeTests
{
    private static readonly TimeSpan Step = TimeSpan.FromMilliseconds(50);

    private readonly HealthProbe probe = new();
    private TimeSpan now;
    private bool controlFlows = true;
    private bool mediaFlows = true;

    public HealthProbeTests() => probe.LinkUp("link", now);

    [Fact]
    public void Silence_of_both_paths_is_death_within_a_second()
    {
        OpenMedia();
        Run(10);
        (controlFlows, mediaFlows) = (false, false);
        Assert.InRange(Until(NodeHealth.Dead), HealthProbe.DeadAfter, Seconds(1));
    }

    [Fact]
    public void A_broken_link_and_silent_media_are_death_sooner()
    {
        OpenMedia();
        Run(10);
        probe.LinkLost("link", now);
        (controlFlows, mediaFlows) = (false, false);
        Assert.InRange(Until(NodeHealth.Dead), HealthProbe.RedialWithin, HealthProbe.RedialWithin + Step);
    }

    [Fact]
    public void Who_dials_again_at_once_or_whose_media_flows_is_not_dead()
    {
        OpenMedia();
        Run(10);
        for (var flap = 0; flap < 20; flap++)
        {
            probe.LinkLost("link", now);
            controlFlows = false;
            Run(flap % 2 == 0 ? 0.45 : 2.5);
            probe.LinkUp("link", now);
            controlFlows = true;
            Run(0.3);
        }

        Assert.Equal(NodeHealth.Healthy, probe.Health);
    }

    [Fact]
    public void Without_media_a_silent_link_gets_longer()
    {
        Run(10);
        controlFlows = false;
        Assert.InRange(Until(NodeHealth.Dead), HealthProbe.DeadAfterAlone, HealthProbe.DeadAfterAlone + Step);
    }

    [Fact]
    public void Media_that_stops_alone_is_a_grey_node_within_three_seconds()
    {
        OpenMedia();
        Run(10);
        mediaFlows = false;
        Assert.InRange(Until(NodeHealth.Grey), HealthProbe.GreyAfter, Seconds(2.1));
    }

    [Fact]
    public void One_worker_that_forwards_nothing_makes_a_node_grey()
    {
        OpenMedia(workers: 2);
        probe.MediaHeard(1, now);
        Assert.InRange(Until(NodeHealth.Grey), HealthProbe.GreyAfter, Seconds(2.1));
    }

    [Fact]
    public void A_media_process_that_restarts_does_not_make_a_node_grey()
    {
        OpenMedia();
        Run(10);
        mediaFlows = false;
        Run(0.4 + 0.25);
        mediaFlows = true;
        Run(1);
        Assert.Equal(NodeHealth.Healthy, probe.Health);
    }

    [Fact]
    public void Media_that_never_came_back_is_doubted_and_no_more()
    {
        mediaFlows = false;
        probe.MediaOpened(1, now);
        Run(60);
        Assert.Equal(NodeHealth.Suspect, probe.Health);
        probe.MediaClosed();
        Run(1);
        Assert.Equal(NodeHealth.Healthy, probe.Health);
    }

    [Fact]
    public void Signalling_that_stops_alone_is_a_mute_node()
    {
        OpenMedia();
        Run(10);
        controlFlows = false;
        Assert.InRange(Until(NodeHealth.Mute), HealthProbe.MuteAfter, HealthProbe.MuteAfter + Step);
        controlFlows = true;
        Run(0.1);
        Assert.Equal(NodeHealth.Healthy, probe.Health);
    }

    [Fact]
    public void Who_came_back_has_to_stay_and_each_time_for_twice_as_long()
    {
        OpenMedia();
        for (var expected = HealthProbe.FirstProbation; ; expected = expected * 2 < HealthProbe.LongestProbation ? expected * 2 : HealthProbe.LongestProbation)
        {
            (controlFlows, mediaFlows) = (false, false);
            Until(NodeHealth.Dead);
            (controlFlows, mediaFlows) = (true, true);
            Until(NodeHealth.Probation);
            Assert.InRange(Until(NodeHealth.Healthy), expected, expected + Step);
            if (expected == HealthProbe.LongestProbation) break;
        }

        Run(HealthProbe.FallsForgottenAfter.TotalSeconds);
        (controlFlows, mediaFlows) = (false, false);
        Until(NodeHealth.Dead);
        Assert.Equal(HealthProbe.FirstProbation, probe.Probation);
    }

    [Fact]
    public void A_hole_makes_a_probation_begin_again()
    {
        OpenMedia();
        Run(1);
        (controlFlows, mediaFlows) = (false, false);
        Until(NodeHealth.Dead);
        (controlFlows, mediaFlows) = (true, true);
        Run(HealthProbe.FirstProbation.TotalSeconds / 2);
        mediaFlows = false;
        Run(HealthProbe.Hole.TotalSeconds + 0.1);
        Assert.Equal(NodeHealth.Probation, probe.Health);
        mediaFlows = true;
        Assert.InRange(Until(NodeHealth.Healthy), HealthProbe.FirstProbation - Seconds(0.1), HealthProbe.FirstProbation + Seconds(0.1));
    }

    [Fact]
    public void A_grey_node_comes_back_only_when_its_media_does()
    {
        OpenMedia();
        Run(1);
        mediaFlows = false;
        Until(NodeHealth.Grey);
        Run(60);
        Assert.Equal(NodeHealth.Grey, probe.Health);
        mediaFlows = true;
        Until(NodeHealth.Probation);
    }

    [Fact]
    public void A_node_that_started_anew_is_on_probation()
    {
        OpenMedia();
        Run(1);
        probe.Restarted(now);
        probe.LinkUp("new", now);
        Assert.InRange(Until(NodeHealth.Healthy), HealthProbe.FirstProbation, HealthProbe.FirstProbation + Step);
    }

    private void OpenMedia(int workers = 1)
    {
        probe.MediaOpened(workers, now);
        probe.MediaHeard(0, now);
    }

    private void Run(double seconds)
    {
        for (var end = now + Seconds(seconds); now < end;) Advance();
    }

    private TimeSpan Until(NodeHealth health)
    {
        var start = now;
        while (probe.Health != health)
        {
            Assert.True(now - start < TimeSpan.FromMinutes(10), $"never {health}");
            Advance();
        }

        return now - start;
    }

    private void Advance()
    {
        now += Step;
        if (controlFlows) probe.Heard(now);
        if (mediaFlows) probe.MediaHeard(0, now);
        probe.Tick(now);
    }
}
