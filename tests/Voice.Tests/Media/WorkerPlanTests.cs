using Voice.Media;
using Voice.Protocol.Links;
using Xunit;

namespace Voice.Tests.Media;

public class WorkerPlanTests
{
    private static readonly PutTrack Track = new(8, 1, TrackKind.Audio, 48_000, 0);

    [Fact]
    public void Changes_reach_the_worker_of_their_transport()
    {
        MediaChange[] changes =
        [
            Transport(1, 1), Transport(2, 1), Track, new PutSubscription(8, 2, 8, Gates.None), new DropSubscription(8, 2), new DropTrack(8), new DropTransport(1),
        ];

        var parts = new WorkerPlan(2).Split([.. changes, Transport(3, 0)]);

        Assert.Equal([Transport(3, 0)], parts[0]);
        Assert.Equal(changes, parts[1]);
        Assert.Throws<InvalidDataException>(() => new WorkerPlan(2).Split([Transport(3, 2)]));
    }

    [Fact]
    public void A_snapshots_order_does_not_matter()
    {
        MediaChange[] changes = [new PutSubscription(8, 1, 8, Gates.None), Track, Transport(1, 1)];

        Assert.Equal(changes.Reverse(), new WorkerPlan(2).SplitWhole(changes)[1]);
    }

    [Fact]
    public void The_first_listener_on_another_worker_brings_a_relay_there_and_the_last_takes_it_along()
    {
        var plan = new WorkerPlan(2);
        PutSubscription first = new(8, 2, 8, Gates.None), second = new(8, 3, 8, Gates.None);
        plan.Split([Transport(1, 0), Transport(2, 1), Transport(3, 1), Track]);

        AssertParts(plan.Split([first, second, first]), [new PutRelay(1, 8, 1)], [new PutShadow(1, Track), first, second, first]);
        AssertParts(plan.Split([new DropSubscription(8, 2)]), [], [new DropSubscription(8, 2)]);
        AssertParts(plan.Split([new DropTransport(3)]), [new DropRelay(8, 1)], [new DropShadow(8), new DropTransport(3)]);
    }

    [Fact]
    public void A_track_that_goes_takes_its_shadows_along()
    {
        foreach (var drop in (MediaChange[])[new DropTrack(8), new DropTransport(1)])
        {
            var plan = new WorkerPlan(3);
            plan.Split([Transport(1, 0), Transport(2, 1), Transport(3, 2), Track, new PutSubscription(8, 2, 8, Gates.None), new PutSubscription(8, 3, 8, Gates.None)]);

            AssertParts(plan.Split([drop]), [drop], [new DropShadow(8)], [new DropShadow(8)]);
        }
    }

    [Fact]
    public void Groups_are_every_workers_and_shadows_follow_what_a_track_may_change()
    {
        var plan = new WorkerPlan(2);
        var track = Track with { Group = 5 };
        plan.Split([Transport(1, 0), Transport(2, 1), track, new PutSubscription(8, 2, 8, Gates.None)]);

        AssertParts(plan.Split([new PutGroup(5, 3)]), [new PutGroup(5, 3)], [new PutGroup(5, 3)]);
        var first = track with { First = true };
        AssertParts(plan.Split([first]), [first], [new PutShadow(1, first)]);
        AssertParts(plan.Split([first]), [first], []);
    }

    [Fact]
    public void A_relay_of_a_track_that_comes_again_is_another_one()
    {
        var plan = new WorkerPlan(2);
        MediaChange[] puts = [Track, new PutSubscription(8, 2, 8, Gates.None)];
        plan.Split([Transport(1, 0), Transport(2, 1), .. puts]);

        Assert.Contains(new PutRelay(2, 8, 1), plan.Split([new DropTrack(8), .. puts])[0]);
    }

    private static readonly WebRtcPath Path = new("l", "p", "r", [], []);

    private static PutTransport Transport(uint id, int worker) => new(id, worker, 111, 1, Path);

    private static void AssertParts(List<MediaChange>[] parts, params MediaChange[][] expected)
    {
        Assert.Equal(expected.Length, parts.Length);
        foreach (var (part, wanted) in parts.Zip(expected)) Assert.Equal(wanted, part);
    }
}
