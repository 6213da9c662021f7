using CsCheck;
using Voice.Media;
using Voice.Protocol.Links;
using Voice.Signaling.VoiceServer;
using Xunit;

namespace Voice.Tests.Signaling.VoiceServer;

public class FloodWatchTests
{
    private const int Limit = 1000;
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);

    [Fact]
    public void Its_reasons_are_the_media_processes()
    {
        Assert.Equal(FloodWatch.Reasons, FloodWatch.Reasons.Intersect(Enum.GetNames<DropReason>()));
        Assert.Equal(FloodWatch.Reasons.Length, FloodWatch.Reasons.Distinct().Count());
    }

    [Fact]
    public void A_burst_is_no_flood_and_a_flood_ends_only_when_it_has_been_quiet_for_long()
    {
        var world = new World(Limit);
        world.Pass(2, Limit * 50);
        Assert.False(world.Watch.IsFlooded);
        world.Pass(1, Limit - 1);
        world.Pass(2, Limit);
        Assert.False(world.Watch.IsFlooded);
        world.Pass(1, Limit);
        Assert.True(world.Watch.IsFlooded);

        world.Pass(59, 0);
        world.Pass(1, Limit / 2);
        world.Pass(59, 0);
        Assert.True(world.Watch.IsFlooded);
        world.Pass(1, Limit / 2 - 1);
        Assert.False(world.Watch.IsFlooded);
    }

    [Fact]
    public void Only_what_strangers_send_counts()
    {
        var world = new World(Limit);
        foreach (var reason in Enum.GetNames<DropReason>().Except(FloodWatch.Reasons)) world.Pass(10, Limit * 5, reason);
        Assert.False(world.Watch.IsFlooded);
        Assert.Equal(0, world.Watch.PacketsPerSecond);
        foreach (var reason in FloodWatch.Reasons) Assert.True(World.After(5, Limit, reason).IsFlooded, reason);
        Assert.True(World.After(5, Limit, reason: null).IsFlooded); // discoveries
    }

    [Fact]
    public void Without_a_limit_nothing_is_a_flood() => Assert.False(World.After(100, int.MaxValue, "UnknownKind", limit: 0).IsFlooded);

    [Fact]
    public void Another_media_process_counts_from_the_start()
    {
        var world = new World(Limit);
        for (var i = 0; i < 20; i++)
        {
            world.Pass(2, Limit - 1);
            world.Restart();
        }

        Assert.False(world.Watch.IsFlooded);
        Assert.InRange(world.Watch.PacketsPerSecond, 0, Limit);
        world.Pass(2, 2 * Limit);
        world.Restart();
        world.Pass(2, 2 * Limit);
        Assert.True(world.Watch.IsFlooded);
    }

    /// <summary>Against its definition, read backwards over all that was measured.</summary>
    [Fact]
    public void It_turns_when_it_has_been_so_for_long_enough() => Gen
        .Select(Gen.Int[1, 40], Gen.Frequency((2, Gen.Int[0, Limit / 2]), (1, Gen.Int[Limit / 2, Limit]), (2, Gen.Int[Limit, 3 * Limit])))
        .Array[1, 40]
        .Sample(stretches =>
        {
            var world = new World(Limit);
            var rates = new List<int>();
            var (flooded, turnedAt) = (false, 0);
            foreach (var (seconds, rate) in stretches)
            {
                for (var i = 0; i < seconds; i++)
                {
                    world.Pass(1, rate);
                    rates.Add(rate);
                    var window = (int)(flooded ? FloodWatch.EndsAfter : FloodWatch.RisesFor).TotalSeconds;
                    var recent = rates.Skip(turnedAt).TakeLast(window).ToList();
                    if (recent.Count == window && recent.All(one => flooded ? one < Limit / 2 : one >= Limit)) (flooded, turnedAt) = (!flooded, rates.Count);
                    Assert.Equal(flooded, world.Watch.IsFlooded);
                }
            }
        }, iter: 300);

    private sealed class World(int limit)
    {
        private readonly Dictionary<string, long> drops = [];
        private TimeSpan now;
        private long discoveries;

        public FloodWatch Watch { get; } = new(limit);

        public static FloodWatch After(int seconds, int rate, string? reason, int limit = Limit)
        {
            var world = new World(limit);
            world.Pass(seconds, rate, reason);
            return world.Watch;
        }

        public void Restart()
        {
            drops.Clear();
            discoveries = 0;
        }

        /// <param name="reason">Null: what is asked, and answered.</param>
        public void Pass(int seconds, int rate, string? reason = "UnknownKind")
        {
            for (var i = 0; i < seconds; i++)
            {
                now += Second;
                if (reason is null) discoveries += rate;
                else drops[reason] = drops.GetValueOrDefault(reason) + rate;
                Watch.Take(now, new MediaReport(1, 0, new(drops), discoveries, [], new MemoryReport(0, 0, 0, 0, 0, 0)));
            }
        }
    }
}
