using CsCheck;
using Voice.Media;
using Xunit;

namespace Voice.Tests.Media;

public class TrackIndexTests
{
    private enum Step
    {
        Packet,
        Lost,
        Late,
        Drop,
        NewSource,
    }

    [Fact]
    public void Follows_the_naive_model_and_gives_no_number_twice() => Gen.Select(
        Gen.Select(Gen.Frequency((10, Gen.Const(Step.Packet)), (2, Gen.Const(Step.Lost)), (3, Gen.Const(Step.Late)), (3, Gen.Const(Step.Drop)), (1, Gen.Const(Step.NewSource))), Gen.ULong[1, 5]).Array[0, 200],
        Gen.ULong[0, 1 << 20]).Sample((script, talker) =>
    {
        var index = new TrackIndex();
        var model = new NaiveModel();
        var sent = new HashSet<ulong>();
        var received = new HashSet<ulong>();
        foreach (var (step, by) in script)
        {
            switch (step)
            {
                case Step.Packet: Arrive(++talker); break;
                case Step.Lost: talker += by; break;
                // The replay window lets each pass once.
                case Step.Late when talker > by && !received.Contains(talker - by): Arrive(talker - by); break;
                case Step.Drop:
                    received.Add(++talker);
                    index.Skip(talker);
                    model.Drop(talker);
                    break;
                case Step.NewSource:
                    talker = by * 7919;
                    received.Clear();
                    index.Rebase();
                    model.Begin();
                    break;
            }
        }

        void Arrive(ulong packet)
        {
            received.Add(packet);
            var expected = model.Map(packet);
            Assert.Equal(expected, index.TryMap(packet, out var number) ? number : null);
            if (expected is not null) Assert.True(sent.Add(number), "given twice");
        }
    });

    /// <summary>Each of the talker's packets since the last drop has a line in a table.</summary>
    private sealed class NaiveModel
    {
        private readonly Dictionary<ulong, ulong> lines = [];
        private ulong? expected;
        private ulong next;

        public ulong? Map(ulong packet)
        {
            expected ??= packet;
            for (; expected <= packet; expected++) lines[expected.Value] = next++;
            return lines.TryGetValue(packet, out var number) ? number : null;
        }

        public void Drop(ulong packet)
        {
            if (expected is null || packet < expected) return;
            lines.Clear();
            expected = packet + 1;
        }

        public void Begin()
        {
            lines.Clear();
            expected = null;
        }
    }
}
