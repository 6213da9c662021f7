using Voice.Protocol.Links;
using Voice.Signaling.VoiceServer;
using Voice.VoiceAllocator;
using Xunit;

namespace Voice.Tests.Signaling.VoiceServer;

public class NodeLoadTests
{
    private readonly NodeCore core = new TestNode().Core;

    [Fact]
    public void A_burst_of_a_second_is_noise_to_the_placement()
    {
        var load = new NodeLoad(processors: 2, maxSessions: 100);
        load.Report(TimeSpan.FromSeconds(1), TimeSpan.Zero, media: null, core);

        var report = load.Report(TimeSpan.FromSeconds(2), TimeSpan.FromSeconds(2), media: null, core);

        Assert.InRange(report.CpuShare, 0.001, Placement.Idle);
    }

    [Fact]
    public void Lasting_work_is_reported_as_what_it_takes()
    {
        var load = new NodeLoad(processors: 2, maxSessions: 100);
        var share = 0.0;
        for (var second = 1; second <= 60; second++)
            share = load.Report(TimeSpan.FromSeconds(second), TimeSpan.FromSeconds(second), media: null, core).CpuShare;

        Assert.InRange(share, 0.49, 0.5);
    }

    [Fact]
    public void Full_workers_are_a_full_node_however_many_processors_are_idle()
    {
        var load = new NodeLoad(processors: 16, maxSessions: 100);
        var share = 0.0;
        for (var second = 1; second <= 60; second++)
        {
            var worker = new WorkerReport(0, 0, 0, 0, 0.9 * second, [], [], 0);
            var media = new MediaReport(1, 2 * second, [], 0, [worker, worker], new(0, 0, 0, 0, 0, 0));
            share = load.Report(TimeSpan.FromSeconds(second), TimeSpan.Zero, media, core).CpuShare;
        }

        Assert.InRange(share, 0.88, 0.9);
    }
}
