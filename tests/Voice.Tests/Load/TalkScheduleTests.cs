using CsCheck;
using Voice.Load.Generator;
using Xunit;

namespace Voice.Tests.Load;

public class TalkScheduleTests
{
    private const long Start = 1_000_000_000;

    [Fact]
    public void Everybody_sends_once_in_each_frame_and_at_the_same_phase() =>
        Gen.Long[0, Talker.FrameNanoseconds - 1].Array[1, 50].Sample(phases =>
        {
            var schedule = new TalkSchedule(phases.Select(At), Start);
            var sent = Due(schedule, Start + 3 * Talker.FrameNanoseconds - 1);
            Assert.Equal(3 * phases.Length, sent.Count);
            foreach (var own in sent.GroupBy(packet => packet.Talker))
                Assert.Equal([0, 1, 2], own.Select(packet => (packet.Due - Start - own.Key.Phase) / (double)Talker.FrameNanoseconds));
            Assert.Equal(sent.Select(packet => packet.Due).Order(), sent.Select(packet => packet.Due));
        });

    [Fact]
    public void Nobody_sends_early() => Assert.Empty(Due(new TalkSchedule([At(500)], Start), Start + 499));

    [Fact]
    public void After_a_standstill_what_was_missed_is_left_out()
    {
        var schedule = new TalkSchedule([At(0)], Start);
        var sent = Due(schedule, Start + 10_000 * Talker.FrameNanoseconds);
        Assert.InRange(sent.Count, 1, 2);
        Assert.Equal(1, schedule.Stalls);
        Assert.All(sent, packet => Assert.Equal(0, (packet.Due - Start) % Talker.FrameNanoseconds));
    }

    [Fact]
    public void Without_talkers_nothing_is_due() => Assert.False(new TalkSchedule([], Start).TryNext(long.MaxValue, out _, out _));

    private static Talker At(long phase) => new(new Participant(0, 0, 1, 0), slot: 0, listeners: 1, phase);

    private static List<(Talker Talker, long Due)> Due(TalkSchedule schedule, long now)
    {
        var sent = new List<(Talker, long)>();
        while (schedule.TryNext(now, out var talker, out var due)) sent.Add((talker, due));
        return sent;
    }
}
