using CsCheck;
using Voice.Media;
using Xunit;

namespace Voice.Tests.Media;

public class TimelineTests
{
    private const uint Frame = 960;
    private static readonly TimeSpan FrameTime = TimeSpan.FromMilliseconds(20);

    /// <summary>Talkspurts of some packets, then a pause; the network delays each packet by up to 150 ms.</summary>
    private static readonly Gen<(int Packets, int PauseMs, int[] DelaysMs)[]> Speech =
        Gen.Select(Gen.Int[1, 30], Gen.Int[0, 5000], Gen.Int[0, 150].Array[30]).Array[1, 20];

    [Fact]
    public void It_moves_with_real_time_through_pauses_and_keeps_the_order() =>
        Gen.Select(Speech, Gen.UInt, Gen.ULong[0, 70_000]).Sample((speech, start, first) =>
        {
            var arrivals = Arrivals(speech, start, first);
            var timeline = new Timeline(48_000);
            var mapped = new SortedDictionary<ulong, (uint Timestamp, TimeSpan Sent)>();
            foreach (var (index, timestamp, sent, arrival) in arrivals)
            {
                var result = timeline.Normalise(index, timestamp, arrival, out _);
                Assert.Equal(0u, (result - timestamp) % Frame);
                mapped.Add(index, (result, sent));
            }

            var (previous, origin) = (default((uint Timestamp, TimeSpan Sent)?), mapped.First().Value);
            foreach (var now in mapped.Values)
            {
                if (previous is { } before) Assert.True((int)(now.Timestamp - before.Timestamp) > 0, "out of order");
                previous = now;
            }
            // Pauses below the tolerance add up, until one is long enough to be seen.
            var allowed = speech.Length * (Timeline.Tolerance + TimeSpan.FromMilliseconds(170));
            var last = mapped.Last().Value;
            var drift = (last.Timestamp - origin.Timestamp) / 48.0 - (last.Sent - origin.Sent).TotalMilliseconds;
            Assert.InRange(drift, -allowed.TotalMilliseconds, allowed.TotalMilliseconds);
        });

    /// <summary>Hours of talkspurts with losses, jitter and stalls: it does not drift, and within a talkspurt the sender's differences
    /// are kept, but for a stall that looked like a pause.</summary>
    [Fact]
    public void Every_talkspurt_starts_in_real_time_and_keeps_its_differences() =>
        Gen.Select(
            Gen.Select(Gen.Int[5, 60], Gen.OneOf(Gen.Int[0, 100], Gen.Int[800, 5000]), Gen.Int[0, 60], Gen.Int[0, 600]).Array[50, 150],
            Gen.Int, Gen.UInt).Sample((speech, seed, timestamp) =>
        {
            const int Jitter = 60;
            var random = new Random(seed);
            var (clock, index, stalled) = (TimeSpan.FromHours(1), 1000UL, TimeSpan.Zero);
            var packets = new List<(ulong Index, uint Timestamp, TimeSpan Sent, TimeSpan Arrival)>();
            foreach (var (count, pauseMs, stallAt, stallMs) in speech)
            {
                for (var i = 0; i < count; i++, clock += FrameTime, timestamp += Frame, index++)
                {
                    if (i == stallAt && packets.Count > 0) stalled = clock + TimeSpan.FromMilliseconds(stallMs);
                    var arrival = clock + TimeSpan.FromMilliseconds(random.Next(Jitter));
                    if (random.Next(50) > 0) packets.Add((index, timestamp, clock, arrival > stalled ? arrival : stalled));
                }
                clock += TimeSpan.FromMilliseconds(pauseMs);
            }

            var timeline = new Timeline(48_000);
            var mapped = new SortedDictionary<ulong, (uint Sent, uint Given, bool Resumes)>();
            (TimeSpan Sent, uint Given)? origin = null;
            foreach (var (i, sender, sent, arrival) in packets.OrderBy(packet => packet.Arrival).ThenBy(packet => packet.Index))
            {
                var given = timeline.Normalise(i, sender, arrival, out var resumes);
                mapped.Add(i, (sender, given, resumes));
                origin ??= (sent, given);
                var inTime = arrival - sent < TimeSpan.FromMilliseconds(Jitter);
                if (!resumes || !inTime) continue;
                var ahead = (int)(given - origin.Value.Given) / 48.0 - (sent - origin.Value.Sent).TotalMilliseconds;
                Assert.InRange(ahead, -Jitter - 20, Jitter);
            }

            foreach (var (before, after) in mapped.Values.Zip(mapped.Values.Skip(1)))
            {
                Assert.True((int)(after.Given - before.Given) > 0, "out of order");
                if (!after.Resumes) Assert.Equal(after.Sent - before.Sent, after.Given - before.Given);
            }
        }, iter: 200);

    [Fact]
    public void A_stall_that_looked_like_a_pause_is_given_back_in_the_next()
    {
        var timeline = new Timeline(48_000);
        var start = TimeSpan.FromSeconds(1);
        timeline.Normalise(0, 0, start, out _);
        // 400 ms of nothing, and then all at once.
        for (var i = 1u; i <= 21; i++) timeline.Normalise(i, i * Frame, start + 21 * FrameTime, out _);
        Assert.Equal((21 + 20) * Frame, timeline.Normalise(21 * Frame));

        Assert.Equal(121 * Frame, timeline.Normalise(22, 22 * Frame, start + 121 * FrameTime, out var resumes));
        Assert.True(resumes);
    }

    [Theory]
    [InlineData(1_000_000_000)]
    [InlineData(-1_000_000_000)]
    public void Pauses_are_still_added_after_a_sender_has_set_its_clock(int by)
    {
        var timeline = new Timeline(48_000);
        timeline.Normalise(1, 0, TimeSpan.FromSeconds(1), out _);
        var set = (uint)by;
        timeline.Normalise(2, set, TimeSpan.FromSeconds(1.02), out _);
        timeline.Normalise(3, set + Frame, TimeSpan.FromSeconds(2.04), out _);
        var before = timeline.Normalise(4, set + 2 * Frame, TimeSpan.FromSeconds(2.06), out _);

        var after = timeline.Normalise(5, set + 3 * Frame, TimeSpan.FromSeconds(3.06), out var resumes);

        Assert.True(resumes);
        Assert.InRange(after - before, 49 * Frame, 51 * Frame);
    }

    [Fact]
    public void A_pause_is_added_in_whole_frames_and_marked()
    {
        var timeline = new Timeline(48_000);
        Assert.Equal(1000u, timeline.Normalise(1, 1000, TimeSpan.FromSeconds(1), out var resumes));
        Assert.False(resumes);

        // 3 s and 5 ms after a packet, with 20 ms of timestamp.
        Assert.Equal(1000u + 960 + 149 * 960, timeline.Normalise(2, 1960, TimeSpan.FromSeconds(4.005), out resumes));
        Assert.True(resumes);
        Assert.Equal(1000u + 2 * 960 + 149 * 960, timeline.Normalise(3, 2920, TimeSpan.FromSeconds(4.025), out resumes));
        Assert.False(resumes);
        Assert.Equal(7u + 149 * 960, timeline.Normalise(7));
    }

    [Fact]
    public void A_sender_whose_clock_runs_on_is_left_alone()
    {
        var timeline = new Timeline(48_000);
        timeline.Normalise(1, 0, TimeSpan.FromSeconds(1), out _);

        Assert.Equal(480_000u, timeline.Normalise(2, 480_000, TimeSpan.FromSeconds(11), out var resumes));
        Assert.False(resumes);
    }

    [Fact]
    public void Lateness_within_the_tolerance_is_no_pause()
    {
        var timeline = new Timeline(48_000);
        timeline.Normalise(1, 0, TimeSpan.FromSeconds(1), out _);

        Assert.Equal(960u, timeline.Normalise(2, 960, TimeSpan.FromSeconds(1) + FrameTime + Timeline.Tolerance, out var resumes));
        Assert.False(resumes);
    }

    [Fact]
    public void A_packet_from_before_the_pause_that_comes_after_it_stays_before()
    {
        var timeline = new Timeline(48_000);
        timeline.Normalise(1, 960, TimeSpan.FromSeconds(1), out _);
        var after = timeline.Normalise(3, 3 * 960, TimeSpan.FromSeconds(5), out _);

        Assert.Equal(2u * 960, timeline.Normalise(2, 2 * 960, TimeSpan.FromSeconds(5), out var resumes));

        Assert.False(resumes);
        Assert.True(after > 3 * 960);
    }

    /// <summary>The timestamps take 24.8 hours to come round.</summary>
    [Fact]
    public void A_pause_of_days_is_added_all_the_same()
    {
        var timeline = new Timeline(48_000);
        timeline.Normalise(1, 0, TimeSpan.FromHours(1), out _);

        var after = timeline.Normalise(2, 960, TimeSpan.FromHours(73), out var resumes);

        Assert.True(resumes);
        Assert.Equal(unchecked((uint)(72L * 3600 * 48_000)), after);
    }

    /// <summary>By arrival; a packet sent later may arrive sooner.</summary>
    private static IEnumerable<(ulong Index, uint Timestamp, TimeSpan Sent, TimeSpan Arrival)> Arrivals(
        (int Packets, int PauseMs, int[] DelaysMs)[] speech, uint timestamp, ulong index)
    {
        var packets = new List<(ulong, uint, TimeSpan, TimeSpan Arrival)>();
        var now = TimeSpan.FromHours(1);
        foreach (var (count, pause, delays) in speech)
        {
            for (var i = 0; i < count; i++, now += FrameTime, timestamp += Frame, index++)
            {
                packets.Add((index, timestamp, now, now + TimeSpan.FromMilliseconds(delays[i])));
            }
            now += TimeSpan.FromMilliseconds(pause); // and the timestamps stand still
        }
        return packets.OrderBy(packet => packet.Arrival);
    }
}
