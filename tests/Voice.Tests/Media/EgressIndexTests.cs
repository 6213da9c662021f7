using CsCheck;
using Voice.Media;
using Voice.Protocol.Srtp;
using Xunit;

namespace Voice.Tests.Media;

public class EgressIndexTests
{
    private enum Step
    {
        Packet,
        Lost,
        Late,
        Toggle,
        SourceChange,
        SourceWrap,
        Discontinuity,
        Append,
        Restart,
    }

    private static readonly Gen<(Step Step, int By)[]> Histories = Gen.Select(
        Gen.Frequency(
            (60, Gen.Const(Step.Packet)), (8, Gen.Const(Step.Lost)), (12, Gen.Const(Step.Late)), (6, Gen.Const(Step.Toggle)),
            (1, Gen.Const(Step.SourceChange)), (1, Gen.Const(Step.SourceWrap)), (1, Gen.Const(Step.Discontinuity)),
            (3, Gen.Const(Step.Append)), (1, Gen.Const(Step.Restart))),
        Gen.Int[1, 200]).Array[0, 400];

    [Fact]
    public void Follows_the_naive_model_uses_no_index_twice_and_every_receiver_recovers_it() =>
        Gen.Select(Histories, Gen.ULong[0, EgressIndex.MaxStart - 1], Gen.ULong[0, 1 << 20]).Sample((history, start, talker) =>
        {
            var index = new EgressIndex(start);
            var model = new NaiveModel(start);
            var receiver = new Receiver();
            var used = new HashSet<ulong>();
            var open = true;

            foreach (var (step, by) in history)
            {
                switch (step)
                {
                    case Step.Packet: Arrive(++talker); break;
                    case Step.Lost: talker += (ulong)by; break;
                    case Step.Late when talker > (ulong)by: Arrive(talker - (ulong)by); break;
                    case Step.Toggle: open = !open; break;
                    case Step.SourceChange: ChangeSource((ulong)by * 7919 % 65536); break;
                    case Step.SourceWrap: ChangeSource(65536 - (ulong)(by % 5)); break;
                    case Step.Discontinuity: talker += EgressIndex.MaxGap + (ulong)by * 100; break;
                    case Step.Append:
                        Assert.Null(index.TryAppend(out var appended));
                        Assert.Equal(model.Append(), appended);
                        Assert.True(used.Add(appended), "used twice");
                        receiver.Receive(appended);
                        break;
                    case Step.Restart:
                        index = new EgressIndex(index.Reserved);
                        model.Restart(index.Reserved);
                        break;
                }
            }

            void ChangeSource(ulong first)
            {
                talker = first;
                index.Rebase();
                model.Rebase();
            }

            void Arrive(ulong ingress)
            {
                if (!open)
                {
                    index.Skip(ingress);
                    model.Skip(ingress);
                    return;
                }
                var expected = model.Map(ingress);
                var sent = index.TryMap(ingress, out var egress) is null;
                Assert.Equal(expected, sent ? egress : null);
                if (!sent) return;
                Assert.True(used.Add(egress), "used twice");
                receiver.Receive(egress);
            }
        }, iter: 3000);

    [Fact]
    public void Dropping_on_purpose_leaves_no_gap() =>
        Gen.Select(Gen.Bool.Array[1, 300], Gen.ULong[0, 1 << 17]).Sample((gates, talker) =>
        {
            var index = new EgressIndex(5);
            var next = 5ul;
            foreach (var forward in gates)
            {
                talker++;
                if (!forward)
                {
                    index.Skip(talker);
                    continue;
                }
                Assert.Null(index.TryMap(talker, out var egress));
                Assert.Equal(next++, egress);
            }
        });

    [Fact]
    public void Loss_on_the_way_in_stays_visible()
    {
        var index = new EgressIndex(100);

        Assert.Null(index.TryMap(70_000, out var first));
        Assert.Null(index.TryMap(70_003, out var second));

        Assert.Equal((100ul, 103ul), (first, second));
    }

    [Fact]
    public void A_packet_older_than_the_last_shift_is_dropped()
    {
        var index = new EgressIndex(0);
        Assert.Null(index.TryMap(10, out _));
        index.Skip(12);
        Assert.Null(index.TryMap(13, out var next));

        Assert.Equal(1ul, next);
        Assert.Equal(DropReason.EgressTooOld, index.TryMap(11, out _));
    }

    [Fact]
    public void What_we_append_comes_between_and_what_is_late_then_is_dropped()
    {
        var index = new EgressIndex(0);
        Assert.Null(index.TryMap(10, out _));
        Assert.Null(index.TryMap(12, out _));

        Assert.Null(index.TryAppend(out var own));
        Assert.Equal(DropReason.EgressTooOld, index.TryMap(11, out _));
        Assert.Null(index.TryMap(13, out var next));

        Assert.Equal((3ul, 4ul), (own, next));
    }

    [Fact]
    public void An_exhausted_key_sends_nothing_more()
    {
        var index = new EgressIndex(SrtpContext.IndexLimit - 1);

        Assert.Null(index.TryMap(1, out _));
        Assert.Equal(DropReason.EgressExhausted, index.TryMap(2, out _));
        Assert.Equal(DropReason.EgressExhausted, index.TryAppend(out _));
    }

    [Fact]
    public void What_is_reserved_and_not_used_is_given_back()
    {
        var index = new EgressIndex(7);
        Assert.Null(index.TryMap(70_000, out var used));
        Assert.InRange(index.Reserved, used + 1, used + EgressIndex.Block);

        index.Release();

        Assert.Equal(used + 1, index.Reserved);
    }

    /// <summary>Each of the talker's numbers has a line in a table that says which of ours it gets.</summary>
    private sealed class NaiveModel(ulong start)
    {
        private readonly Dictionary<ulong, ulong> lines = [];
        private readonly HashSet<ulong> used = [];
        private ulong next = start;
        private ulong? expected;

        public ulong? Map(ulong ingress)
        {
            if (expected is null || ingress >= expected + EgressIndex.MaxGap)
            {
                lines.Clear();
                expected = ingress;
            }
            for (; expected <= ingress; expected++) lines[expected.Value] = next++;
            if (!lines.TryGetValue(ingress, out var egress)) return null;
            if (used.Count > 0 && used.Max() >= egress + ReplayWindow.Size) return null;
            return used.Add(egress) ? egress : null;
        }

        public void Skip(ulong ingress)
        {
            if (expected is null || ingress < expected) return;
            lines.Clear();
            expected = ingress + 1;
        }

        public ulong Append()
        {
            lines.Clear();
            used.Add(next);
            return next++;
        }

        public void Rebase()
        {
            lines.Clear();
            expected = null;
        }

        public void Restart(ulong reserved)
        {
            Assert.InRange(reserved, next, next + EgressIndex.Block);
            Rebase();
            used.Clear();
            next = reserved;
        }
    }

    /// <summary>RFC 3711 section 3.3.1: knows rollover 0 at first, and then only sequence numbers.</summary>
    private sealed class Receiver
    {
        private ulong? highest;

        public void Receive(ulong egress)
        {
            var guess = (ulong)(ushort)egress;
            if (highest is { } last) Assert.True(Rollover.TryGuess(last, (ushort)egress, out guess));
            Assert.Equal(egress, guess);
            highest = Math.Max(highest ?? 0, guess);
        }
    }
}
