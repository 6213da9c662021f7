using System.Net;
using CsCheck;
using Voice.Media;
using Voice.Protocol.Links;
using Voice.Protocol.Ogg;
using Voice.Protocol.Rtp;
using Voice.Signaling.Gateway.Probing;
using Voice.Tests.Signaling.VoiceServer;
using Voice.VoiceAllocator;
using Xunit;

namespace Voice.Tests.Signaling.Probing;

/// <summary>The probe of a node's media path, through a real SFU on a network that a test decides on.</summary>
public class MediaProbeTests
{
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Period = HealthProbe.ProbePeriod;

    [Fact]
    public void What_comes_back_through_each_worker_is_told_in_each_period()
    {
        using var world = new ProbedWorld(workers: 3);
        world.Link();
        world.Pass(10 * Second);

        Assert.Equal([$"{ProbedWorld.Identity.Id} opened 3"], world.Told);
        Assert.Equal(3, world.Probe.Workers.Count());
        foreach (var worker in world.Probe.Workers)
        {
            Assert.InRange(worker.Sent, 38, 40);
            Assert.Equal(0, worker.Lost);
            var heard = world.Heard.Where(heard => heard.Worker == worker.Index).Select(heard => heard.At).ToList();
            Assert.InRange(heard.Count, 38, 40);
            Assert.All(heard.Zip(heard.Skip(1)), pair => Assert.InRange(pair.Second - pair.First, Period - ProbedWorld.Step, Period + ProbedWorld.Step));
        }

        Assert.Equal(3, world.Sfu.Drops(DropReason.ListenerNotConnected)); // the first, when only one end of the channel is known
        Assert.Equal(3, Enum.GetValues<DropReason>().Sum(world.Sfu.Drops));
        Assert.Empty(world.Sfu.Log);
    }

    [Fact]
    public void What_is_sent_is_like_a_voice()
    {
        using var world = new ProbedWorld();
        var up = new List<(ProbeSide Side, byte[] Datagram)>();
        var deliver = world.Up;
        world.Up = (side, datagram, worker) =>
        {
            up.Add((side, datagram));
            deliver(side, datagram, worker);
        };
        world.Link();
        world.Pass(20 * Second);

        Assert.All(up, sent => Assert.Equal(PacketKind.Rtp, Demux.Classify(sent.Datagram)));
        var talked = up.Where(sent => sent.Side == ProbeSide.Talker).ToList();
        Assert.Single(talked.Select(sent => sent.Datagram.Length).Distinct(), 12 + WorkerProbe.PayloadLength + 20);
        Assert.InRange(up.Count - talked.Count, 4, 5); // the listener, seldom
        Assert.True(OpusToc.TryGetSamples([31 << 3], out var samples) && samples == 960);
        Assert.Equal(up.Count, up.Select(sent => Convert.ToHexString(sent.Datagram)).Distinct().Count());
    }

    [Fact]
    public void A_grey_worker_falls_silent_beside_another()
    {
        using var world = new ProbedWorld(workers: 2);
        var deliver = world.Up;
        world.Link();
        world.Pass(5 * Second);
        var frozenAt = world.Now;
        world.Up = (side, datagram, worker) =>
        {
            if (worker == 0) deliver(side, datagram, worker);
        };
        world.Pass(5 * Second);
        Assert.All(world.Heard.Where(heard => heard.At > frozenAt), heard => Assert.Equal(0, heard.Worker));
        Assert.InRange(world.Probe.SilentFor(world.Now), 5 * Second, 5 * Second + Period);
        Assert.Equal(0, world.Probe.Workers.First().Lost);
        Assert.InRange(world.Probe.Workers.Last().Lost, 1, 5);

        world.Up = deliver;
        var thawedAt = world.Now;
        world.Pass(Second);
        Assert.InRange(world.Heard.First(heard => heard.At >= thawedAt && heard.Worker == 1).At, thawedAt, thawedAt + Period + ProbedWorld.Step);
    }

    [Fact]
    public void A_node_that_is_doubted_is_probed_more_often_until_that_tells_nothing_any_more()
    {
        using var world = new ProbedWorld();
        world.Link();
        world.Pass(5 * Second);
        world.Up = (_, _, _) => { };
        world.Period = HealthProbe.DoubtedPeriod;
        var before = world.Worker.Sent;
        world.Pass(MediaProbes.EagerFor - Period);
        Assert.InRange(world.Worker.Sent - before, 130, 150);

        world.Pass(Second);
        before = world.Worker.Sent;
        world.Pass(60 * Second);
        Assert.InRange(world.Worker.Sent - before, 239, 241);
        world.Up = world.Deliver;
        world.Pass(Period + ProbedWorld.Step);
        Assert.InRange(world.Heard[^1].At, world.Now - Period, world.Now);
    }

    [Fact]
    public void A_path_that_never_led_to_an_answer_says_nothing_and_is_left_alone_for_a_while()
    {
        using var world = new ProbedWorld();
        var knocked = 0;
        world.Up = (_, _, _) => knocked++;
        world.Link();
        world.Pass(MediaProbes.GiveUpAfter + MediaProbes.RenewEvery + Second);

        Assert.Empty(world.Heard);
        Assert.Empty(world.Probes.Open);
        Assert.IsType<ProbeClose>(world.Asked[^1]);
        Assert.Empty(world.Node.Plan.Transports);
        Assert.Equal($"{ProbedWorld.Identity.Id} closed", world.Told[^1]);

        var before = knocked;
        world.Pass(MediaProbes.TryAgainAfter - 10 * Second);
        Assert.Equal(before, knocked);
        world.Up = world.Deliver;
        world.Pass(20 * Second);
        Assert.NotEmpty(world.Heard);
        Assert.Equal(2, world.Asked.OfType<ProbeOpen>().Select(open => open.Id).Distinct().Count());
    }

    [Fact]
    public void A_frozen_node_is_probed_for_as_long_as_it_takes()
    {
        using var world = new ProbedWorld();
        world.Link();
        world.Pass(5 * Second);
        world.Up = (_, _, _) => { };
        world.Pass(TimeSpan.FromMinutes(10));
        Assert.DoesNotContain(world.Asked, message => message is ProbeClose);
        world.Up = world.Deliver;
        world.Pass(Second);
        Assert.InRange(world.Heard[^1].At, world.Now - Second, world.Now);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void The_next_media_process_is_heard_at_once(bool resumes)
    {
        using var world = new ProbedWorld(workers: 2);
        world.Link();
        for (var i = 0; i < 5; i++)
        {
            world.Pass(7 * Second);
            var probe = world.Probe;
            world.ReplaceMedia(resumes);
            var replacedAt = world.Now;
            world.Pass(2 * Period);
            Assert.Equal([0, 1], world.Heard.Where(heard => heard.At > replacedAt).Select(heard => heard.Worker).Distinct().Order());
            Assert.Equal(resumes, probe == world.Probe);
            Assert.Equal(4, world.Node.Plan.Transports.Count);
        }

        Assert.Equal([$"{ProbedWorld.Identity.Id} opened 2"], world.Told);
    }

    [Fact]
    public void It_outlives_a_link_that_breaks_for_a_moment()
    {
        using var world = new ProbedWorld();
        world.Link("first");
        world.Pass(5 * Second);
        var probe = world.Probe;
        world.Unlink("first");
        world.Pass(8 * Second);
        Assert.InRange(world.Heard[^1].At, world.Now - 2 * Period, world.Now);
        world.Link("second");
        world.Unlink("first"); // told late
        world.Link("second");
        world.Pass(20 * Second);
        Assert.Same(probe, world.Probe);
        Assert.Equal(0, world.Worker.Lost);
    }

    [Fact]
    public void It_ends_at_both_ends_when_the_link_stays_away()
    {
        using var world = new ProbedWorld();
        world.Link();
        world.Pass(5 * Second);
        world.Unlink();
        world.Pass(ProbeOpen.Lease + Second);
        Assert.Empty(world.Probes.Open);
        Assert.Empty(world.Node.Plan.Transports);
    }

    [Fact]
    public void A_node_that_started_anew_has_a_channel_of_its_own()
    {
        using var world = new ProbedWorld();
        world.Link();
        world.Pass(5 * Second);
        var id = ((ProbeOpen)world.Asked[^1]).Id;
        world.Link("other", ProbedWorld.Identity with { Incarnation = "2" });
        Assert.Empty(world.Probes.Open);
        world.Pass(ProbedWorld.Step);
        Assert.NotEqual(id, ((ProbeOpen)world.Asked[^1]).Id);
    }

    [Fact]
    public void A_node_that_was_away_for_too_long_gives_other_keys_and_is_told_of_once()
    {
        using var world = new ProbedWorld(workers: 2);
        world.Link();
        world.Pass(5 * Second);
        var before = world.Probe;
        world.Node.CloseProbe(((ProbeOpen)world.Asked[^1]).Id);
        world.Pass(10 * Second);

        Assert.NotSame(before, world.Probe);
        Assert.DoesNotContain(world.Told, told => told.EndsWith("closed", StringComparison.Ordinal));
        Assert.InRange(world.Heard[^1].At, world.Now - Period, world.Now);
    }

    [Fact]
    public void Of_several_addresses_the_one_that_answers_is_kept()
    {
        using var world = new ProbedWorld();
        var opened = world.Node.OpenProbe("one");
        IPEndPoint[] addresses = [.. Enumerable.Range(1, 3).Select(i => new IPEndPoint(IPAddress.Parse($"192.0.2.{i}"), 50_000))];
        using var probe = MediaProbe.Open(
            opened with { Workers = [opened.Workers[0] with { Addresses = [.. addresses.Select(WireAddress.Write)] }] }, TimeSpan.Zero,
            address => !address.Equals(addresses[0]))!;
        world.Sfu.Replace(world.Node.Plan.Transports.Values.Cast<MediaChange>().Concat(world.Node.Plan.Tracks.Values).Concat(world.Node.Plan.Subscriptions.Values).ToList());
        var now = TimeSpan.Zero;
        world.Down = datagram => probe.Workers.Single().TryTake(datagram, now, out _);

        var used = new List<IPEndPoint>();
        for (; now < 10 * Second; now += Period)
        {
            probe.Tick(now, Period, (side, to, datagram) =>
            {
                used.Add(to);
                if (to.Equals(addresses[2])) world.Deliver(side, datagram.ToArray(), 0);
            });
        }

        Assert.DoesNotContain(addresses[0], used);
        Assert.Contains(addresses[1], used);
        Assert.All(used.TakeLast(20), to => Assert.Equal(addresses[2], to));
        Assert.NotNull(probe.Workers.Single().HeardAt);
    }

    [Fact]
    public void An_answer_of_the_node_that_makes_no_sense_opens_nothing()
    {
        var end = new ProbeEnd(1, new byte[32]);
        var address = WireAddress.Write(new IPEndPoint(IPAddress.Loopback, 1));
        ProbeChannel[][] senseless =
        [
            null!,
            [],
            [null!],
            [new ProbeChannel(null!, end, end)],
            [new ProbeChannel([address], null!, end)],
            [new ProbeChannel([address], end, new ProbeEnd(2, new byte[31]))],
            [new ProbeChannel([address], end, new ProbeEnd(2, null!))],
        ];
        foreach (var channels in senseless) Assert.Null(MediaProbe.Open(new ProbeOpened("one", channels), TimeSpan.Zero, _ => true));

        using var unreachable = MediaProbe.Open(new ProbeOpened("one", [new ProbeChannel([address, [], new byte[18]], end, end)]), TimeSpan.Zero, _ => false);
        Assert.NotNull(unreachable);
        Assert.Empty(unreachable.Workers);
        Assert.Equal((1, TimeSpan.Zero), (unreachable.Count, unreachable.SilentFor(Second)));
    }

    [Fact]
    public void Who_was_late_does_not_make_up_for_it()
    {
        using var probe = MediaProbe.Open(new TestNode().OpenProbe("one"), -Period, _ => true)!;
        var sentAt = ((double[])[0, 0.1, 0.26, 0.5, 5, 5.1, 5.26, 5.5]).Where(now => probe.Tick(TimeSpan.FromSeconds(now), Period, (_, _, _) => { }).Sent > 0);
        Assert.Equal([0, 0.26, 0.5, 5, 5.26, 5.5], sentAt);
    }

    private enum Fate
    {
        Arrive,
        Lose,
        Repeat,
        Delay,
        Spoil,
    }

    private static readonly Gen<Fate> Fates =
        Gen.Frequency((6, Gen.Const(Fate.Arrive)), (2, Gen.Const(Fate.Lose)), (1, Gen.Const(Fate.Repeat)), (2, Gen.Const(Fate.Delay)), (1, Gen.Const(Fate.Spoil)));

    /// <summary>Against a network that loses, repeats, delays and spoils at will, both ways: an answer is a packet that came back, whole, once, and in
    /// time, and nothing else is.</summary>
    [Fact]
    public void Only_what_was_sent_and_came_back_is_an_answer() => Gen
        .Select(Fates.Array[400], Gen.Int[1, 500].Array[400])
        .Sample((fates, numbers) =>
        {
            using var world = new ProbedWorld();
            var network = new Network(world, fates, numbers);
            world.Link();
            for (var i = 0; i < 2500; i++)
            {
                world.Turn();
                network.DeliverLate();
            }

            network.Check();
        }, iter: 100);

    /// <summary>Keeps account of what should be an answer.</summary>
    private sealed class Network
    {
        private readonly ProbedWorld world;
        private readonly Fate[] fates;
        private readonly int[] numbers;
        private readonly List<(TimeSpan At, Action Arrive)> late = [];
        private readonly Dictionary<long, TimeSpan> answered = [];

        /// <summary>What came from the SFU, and which of the talker's packets led to it.</summary>
        private readonly List<(byte[] Datagram, long? Number)> recorded = [];

        private readonly List<TimeSpan> sentAt = [];
        private long? delivering;
        private int next;

        public Network(ProbedWorld world, Fate[] fates, int[] numbers)
        {
            (this.world, this.fates, this.numbers) = (world, fates, numbers);
            world.Up = (side, datagram, worker) =>
            {
                long? number = side == ProbeSide.Talker ? world.Worker.Sent - 1 : null;
                if (number is not null) sentAt.Add(world.Now);
                Carry(datagram, (carried, _) => Deliver(side, carried, worker, number));
            };
            world.Down = datagram =>
            {
                var number = delivering;
                recorded.Add(([.. datagram], number));
                Carry(datagram, (carried, whole) => Arrive(carried, whole ? number : null));
            };
        }

        public void Check()
        {
            Assert.Equal(answered.Count == 0 ? null : answered.Values.Max(), world.Worker.HeardAt);
            Assert.Equal(answered.Values, world.Heard.Select(heard => heard.At));
            world.Up = (_, _, _) => { };
            world.Pass(Period); // what was lost is counted then
            Assert.InRange(world.Worker.Lost, LostBefore(world.Now - Period), LostBefore(world.Now));

            int LostBefore(TimeSpan now) => sentAt.Where((at, number) => !answered.ContainsKey(number) && now - at > WorkerProbe.LostAfter).Count();
        }

        public void DeliverLate()
        {
            foreach (var due in late.Where(one => one.At <= world.Now).ToArray())
            {
                late.Remove(due);
                due.Arrive();
            }
        }

        /// <param name="arrive">With what arrives, and whether it is what was sent.</param>
        private void Carry(byte[] datagram, Action<byte[], bool> arrive)
        {
            var (fate, number) = (fates[next % fates.Length], numbers[next % numbers.Length]);
            next++;
            switch (fate)
            {
                case Fate.Arrive:
                    arrive(datagram, true);
                    break;
                case Fate.Repeat:
                    arrive([.. datagram], true);
                    arrive([.. datagram], true);
                    if (recorded.Count == 0) break;
                    var (old, of) = recorded[number % recorded.Count];
                    Arrive([.. old], of);
                    break;
                case Fate.Delay:
                    late.Add((world.Now + number * ProbedWorld.Step, () => arrive(datagram, true)));
                    break;
                case Fate.Spoil:
                    datagram[number % datagram.Length] ^= (byte)(1 << number % 8);
                    arrive(datagram, false);
                    break;
            }
        }

        private void Deliver(ProbeSide side, byte[] datagram, int worker, long? number)
        {
            delivering = number;
            world.Deliver(side, datagram, worker);
            delivering = null;
        }

        private void Arrive(byte[] datagram, long? number)
        {
            if (number is { } mine && world.Now - sentAt[(int)mine] <= WorkerProbe.LostAfter) answered.TryAdd(mine, world.Now);
            world.Probes.Take(datagram, world.Now);
        }
    }
}
