using CsCheck;
using Voice.Protocol.Links;
using Voice.Signaling.VoiceServer;
using Xunit;

namespace Voice.Tests.Signaling.VoiceServer;

public class WorkerPlacementTests
{
    [Fact]
    public void A_channel_stays_on_its_worker_until_it_is_too_large_and_then_takes_one_more_at_a_time() =>
        Gen.Select(Gen.Int[1, 4], Gen.Int[1, 5], Gen.Select(Gen.Bool, Gen.UInt[1, 6], Gen.Int[0, 100]).Array[0, 200]).Sample((workers, limit, script) =>
        {
            var placement = new WorkerPlacement(workers, limit, maxPeople: 50);
            var inside = new List<(RoomId Channel, int Worker)>();
            foreach (var (enters, channel, pick) in script)
            {
                if (!enters)
                {
                    if (inside.Count == 0) continue;
                    var gone = inside[pick % inside.Count];
                    inside.Remove(gone);
                    placement.Leave(gone.Channel, gone.Worker);
                    continue;
                }

                var id = new RoomId(1, channel);
                var serving = inside.Where(one => one.Channel == id).GroupBy(one => one.Worker).ToDictionary(group => group.Key, group => group.Count());
                var worker = placement.Enter(id);
                inside.Add((id, worker));

                if (serving.Any(one => one.Value < limit)) Assert.True(serving[worker] < limit);
                else if (serving.Count < workers) Assert.DoesNotContain(worker, serving.Keys);
            }

            Assert.Equal(Enumerable.Range(0, workers).Select(worker => inside.Count(one => one.Worker == worker)), placement.People);
            Assert.Equal(inside.Select(one => one.Channel).Distinct().Count(), placement.Channels);
        });

    [Fact]
    public void Channels_go_where_there_is_least_to_do()
    {
        var placement = new WorkerPlacement(3, channelPeople: 400, maxPeople: 1000);
        Work(placement, 0.5, 0.1, 0.3);

        Assert.Equal(1, placement.Enter(new(1, 1)));
    }

    [Fact]
    public void Many_who_come_between_two_reports_do_not_all_go_to_one_worker()
    {
        var placement = new WorkerPlacement(2, channelPeople: 400, maxPeople: 100);
        Work(placement, 0.2, 0.1);
        for (ulong channel = 1; channel <= 50; channel++) placement.Enter(new(1, channel));

        Assert.Equal([20, 30], placement.People);
    }

    [Fact]
    public void A_full_worker_takes_no_new_channel_while_another_has_room()
    {
        var placement = new WorkerPlacement(2, channelPeople: 400, maxPeople: 10);
        for (var i = 0; i < 9; i++) Assert.Equal(0, placement.Enter(new(1, 1)));
        Work(placement, 0.0, 0.8);
        Assert.Equal(0, placement.Enter(new(1, 2)));
        Work(placement, 0.0, 0.1);

        Assert.Equal(1, placement.Enter(new(1, 3)));
        Assert.Equal(0, placement.Enter(new(1, 1)));
    }

    [Fact]
    public void A_media_process_that_counts_anew_was_not_idle_for_less_than_nothing()
    {
        var placement = new WorkerPlacement(2, channelPeople: 400, maxPeople: 1000);
        Work(placement, 0.1, 0.5);
        placement.Report(TimeSpan.FromHours(1), [Report(0), Report(0)]);
        placement.Report(TimeSpan.FromHours(1) + TimeSpan.FromSeconds(1), [Report(0.5), Report(0)]);

        Assert.Equal(1, placement.Enter(new(1, 1)));
    }

    private static WorkerReport Report(double busySeconds) => new(0, 0, 0, 0, busySeconds, [], [], 0);

    /// <summary>A minute in which the workers are busy for these shares of the time.</summary>
    private static void Work(WorkerPlacement placement, params double[] shares)
    {
        var start = TimeSpan.FromMinutes(1 + placement.People.Sum());
        for (var second = 0; second <= 50; second++)
            placement.Report(start + TimeSpan.FromSeconds(second), [.. shares.Select(share => Report(100 + share * second))]);
    }
}
