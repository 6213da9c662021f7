using CsCheck;
using Voice.Protocol.DiscordUdp;
using Voice.Protocol.Srtp;
using Xunit;

namespace Voice.Tests.Protocol.DiscordUdp;

public class SequenceWindowTests
{
    private enum Step
    {
        Next,
        Lost,
        Late,
        Again,
    }

    [Fact]
    public void Every_packet_is_taken_once_through_loss_reordering_replays_and_wraps() =>
        Gen.Select(
            Gen.Select(
                Gen.Frequency((60, Gen.Const(Step.Next)), (10, Gen.Const(Step.Lost)), (10, Gen.Const(Step.Late)), (10, Gen.Const(Step.Again))),
                Gen.Int[1, 2000]).Array[1, 500],
            Gen.ULong[ReplayWindow.Size * 16, 1 << 16], Gen.UInt).Sample((history, start, clock) =>
        {
            var window = new SequenceWindow();
            var taken = new List<ulong>();
            var now = start;
            Arrive(now);
            foreach (var (step, by) in history)
            {
                switch (step)
                {
                    case Step.Next: Arrive(++now); break;
                    case Step.Lost: now += (ulong)by; break;
                    case Step.Late when now - start > (ulong)by % 200: Arrive(now - (ulong)by % 200); break;
                    case Step.Again: Arrive(taken[by % taken.Count]); break;
                }
            }

            // The naive model: knows every packet by its true index, and how far back the window looks.
            void Arrive(ulong index)
            {
                if (taken.Count > 0 && taken.Max() - Math.Min(index, taken.Max()) >= 0x8000) return; // the next test's
                var fresh = !taken.Contains(index) && (taken.Count == 0 || index + ReplayWindow.Size > taken.Max());
                var timestamp = clock + (uint)(index * 960);
                var verdict = window.Check((ushort)index, timestamp, out var guessed);
                Assert.Equal(fresh, verdict == ReplayVerdict.Fresh);
                if (!fresh) return;
                Assert.Equal((ushort)index, (ushort)guessed);
                Assert.Equal(taken.Count == 0 || index > taken.Max(), window.Commit(guessed, timestamp));
                taken.Add(index);
            }
        }, iter: 300);

    [Fact]
    public void What_was_recorded_up_to_half_a_day_ago_is_refused() =>
        Gen.Select(Gen.ULong[1 << 16, 1 << 20], Gen.ULong[ReplayWindow.Size, 2_200_000], Gen.UInt).Sample((now, age, clock) =>
        {
            if (age > now) return;
            var window = new SequenceWindow();
            Assert.Equal(ReplayVerdict.Fresh, window.Check((ushort)now, clock, out var index));
            // An index that has rolled over, and those before it: what was not received then may still come.
            for (var before = (uint)ReplayWindow.Size; before-- > 0;) window.Commit(index + (1 << 16) - before, clock - before * 960);
            var old = now - age;

            var verdict = window.Check((ushort)old, clock - (uint)(age * 960), out var guessed);

            // All but those that look like the very next ones: of 65,536, the 128 of the window.
            if (guessed > index + (1 << 16) && guessed - index - (1 << 16) <= ReplayWindow.Size) return;
            Assert.NotEqual(ReplayVerdict.Fresh, verdict);
        });

    [Fact]
    public void Checking_changes_nothing()
    {
        var window = new SequenceWindow();
        window.Commit(100, 1000);
        var before = window;

        Assert.Equal(ReplayVerdict.Fresh, window.Check(101, 1960, out _));
        Assert.Equal(ReplayVerdict.Replayed, window.Check(100, 1000, out _));
        Assert.Equal(ReplayVerdict.TooOld, window.Check(40_000, 1, out _));

        Assert.Equal(before, window);
    }
}
