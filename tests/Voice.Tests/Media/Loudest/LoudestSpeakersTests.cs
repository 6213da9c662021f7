using CsCheck;
using Voice.Media.Loudest;
using Xunit;

namespace Voice.Tests.Media.Loudest;

public class LoudestSpeakersTests
{
    private static readonly TimeSpan Frame = TimeSpan.FromMilliseconds(20);

    private static readonly Gen<(int Who, int Level, int Millis, bool Leaves)[]> Packets = Gen
        .Select(Gen.Int[0, 7], Gen.Int[-1, 127], Gen.Frequency((9, Gen.Int[0, 20]), (1, Gen.Int[0, 500])), Gen.Int[0, 40].Select(one => one == 0))
        .Array[0, 300];

    [Fact]
    public void Chooses_as_the_naive_model_does_and_never_more_than_it_should() => Gen.Select(Packets, Gen.Int[1, 4], Gen.Int[0, 255]).Sample((packets, count, firsts) =>
    {
        var loudest = new LoudestSpeakers(count);
        var speakers = Enumerable.Range(0, 8).Select(i => new Speaker { First = (firsts & firsts >> 4 & 1 << i) != 0 }).ToArray();
        var model = new NaiveModel(count);
        var now = TimeSpan.FromSeconds(1);
        foreach (var (who, level, millis, leaves) in packets)
        {
            now += TimeSpan.FromMilliseconds(millis);
            if (leaves)
            {
                loudest.Remove(speakers[who]);
                model.Heard.Remove(who);
                continue;
            }

            var heard = loudest.Hear(speakers[who], level < 0 ? null : (byte)(level | (level % 2 << 7)), now);
            Assert.Equal(speakers[who].First || model.Hear(who, level < 0 ? 30 : level, now), heard);
            Assert.Equal(model.Heard.Order(), Enumerable.Range(0, 8).Where(i => speakers[i].IsHeard));
            Assert.True(model.Heard.Count <= count);
        }
    });

    [Fact]
    public void Who_is_clearly_the_loudest_is_in_from_the_first_packet_on() => Gen.Select(Gen.Int[30, 127], Gen.Int[2, 20], Gen.Int[1, 3], Gen.Int[0, 100]).Sample((noise, others, count, start) =>
    {
        var loudest = new LoudestSpeakers(count);
        var speakers = Enumerable.Range(0, others).Select(_ => new Speaker()).ToArray();
        var loud = new Speaker();
        for (var i = 0; i < 200; i++)
        {
            var now = TimeSpan.FromSeconds(1) + i * Frame;
            foreach (var speaker in speakers) loudest.Hear(speaker, (byte)noise, now);
            if (i >= start) Assert.True(loudest.Hear(loud, (byte)(noise - LoudestSpeakers.Margin), now));
        }
    });

    [Fact]
    public void Equals_do_not_take_turns() => Gen.Select(Gen.Int[20, 60], Gen.Int[0, 5].Array[400]).Sample((level, swings) =>
    {
        var loudest = new LoudestSpeakers(1);
        var (a, b) = (new Speaker(), new Speaker());
        for (var i = 0; i < 200; i++)
        {
            var now = TimeSpan.FromSeconds(1) + i * Frame;
            Assert.True(loudest.Hear(a, (byte)(level + swings[2 * i]), now));
            Assert.False(loudest.Hear(b, (byte)(level + swings[2 * i + 1]), now));
        }
    });

    /// <summary>Fifty open microphones, in a conversation in which no more talk at once than are heard.</summary>
    [Fact]
    public void Speech_is_not_clipped_where_no_more_talk_than_are_heard()
    {
        const int Seats = 3, People = 50;
        var random = new Random(1);
        var loudest = new LoudestSpeakers(Seats);
        var speakers = Enumerable.Range(0, People).Select(_ => new Speaker()).ToArray();
        var seats = new (int Who, TimeSpan From, TimeSpan To)[Seats];
        var clipped = new List<double>();
        var waiting = new TimeSpan?[People];
        for (var i = 1; i < 100_000; i++)
        {
            var now = TimeSpan.FromSeconds(1) + i * Frame;
            for (var s = 0; s < Seats; s++)
            {
                if (now < seats[s].To) continue;
                // Between two people who take turns lie some 0.2 to 1.5 s.
                var from = now + TimeSpan.FromMilliseconds(random.Next(220, 1500));
                var free = Enumerable.Range(0, People).Except(seats.Select(seat => seat.Who)).ToArray();
                seats[s] = (free[random.Next(free.Length)], from, from + TimeSpan.FromMilliseconds(random.Next(400, 5000)));
                waiting[seats[s].Who] = from;
            }

            for (var who = 0; who < People; who++)
            {
                var speaks = seats.Any(seat => seat.Who == who && now >= seat.From && now < seat.To);
                // Speech has dips; a room has noise.
                var level = speaks ? random.Next(8) == 0 ? 60 : random.Next(18, 42) : random.Next(68, 90);
                var heard = loudest.Hear(speakers[who], (byte)level, now);
                if (!speaks || !heard || waiting[who] is not { } since) continue;
                clipped.Add((now - since).TotalMilliseconds);
                waiting[who] = null;
            }
        }

        clipped.Sort();
        Assert.True(clipped.Count > 1000);
        Assert.InRange(clipped[clipped.Count * 99 / 100], 0, 40);
    }

    [Fact]
    public void Choosing_fewer_lets_the_weakest_go()
    {
        var loudest = new LoudestSpeakers(3);
        Speaker[] speakers = [new(), new(), new()];
        for (var i = 0; i < 3; i++) loudest.Hear(speakers[i], (byte)(50 - 10 * i), TimeSpan.FromSeconds(1));

        loudest.Resize(1, TimeSpan.FromSeconds(1));

        Assert.Equal([false, false, true], speakers.Select(speaker => speaker.IsHeard));
    }

    /// <summary>Everything from everybody's whole past.</summary>
    private sealed class NaiveModel(int count)
    {
        private readonly Dictionary<int, List<(TimeSpan At, int Loudness)>> past = [];

        public List<int> Heard { get; } = [];

        public bool Hear(int who, int level, TimeSpan now)
        {
            past.TryAdd(who, []);
            past[who].Add((now, 127 - level));
            if (Heard.Contains(who)) return true;
            if (Heard.Count == count)
            {
                var weakest = Heard.OrderBy(one => IsSilent(one, now) ? 0 : 1).ThenBy(one => Loudness(one, now)).First();
                var louder = 127 - level - Loudness(weakest, now) >= 6;
                if (!louder && !(level <= 65 && IsSilent(weakest, now))) return false;
                Heard.Remove(weakest);
            }

            Heard.Add(who);
            return true;
        }

        private bool IsSilent(int who, TimeSpan now) => past[who].All(packet => packet.Loudness < 127 - 65 || now - packet.At >= TimeSpan.FromMilliseconds(200));

        /// <summary>20 dB a second less for what is past; in decimals, which are exact.</summary>
        private decimal Loudness(int who, TimeSpan now) => past[who].Max(packet => packet.Loudness - 20m * (now - packet.At).Ticks / TimeSpan.TicksPerSecond);
    }
}
