using CsCheck;
using Voice.Media;
using Voice.Protocol.Links;
using Voice.Protocol.Rtp;
using Voice.Tests.Fakes;
using Xunit;

namespace Voice.Tests.Media;

/// <summary>Where a listener is served makes no difference to what it gets.</summary>
public class SeveralWorkersTests
{
    private enum Act
    {
        Send,
        Lose,
        HoldBack,
        SendHeldBack,
        SendUnfit,
        Pass,
        Subscribe,
        Gate,
        Unsubscribe,
        DropTrack,
        PutTrack,
        ChangeSource,
        DropTransport,
        Whole,
    }

    private const int Peers = 5;

    private static readonly Gen<(Act Act, int Who, int Other, int By)[]> Scripts = Gen.Select(
        Gen.Frequency(
            (40, Gen.Const(Act.Send)), (4, Gen.Const(Act.Lose)), (4, Gen.Const(Act.HoldBack)), (4, Gen.Const(Act.SendHeldBack)), (4, Gen.Const(Act.SendUnfit)),
            (6, Gen.Const(Act.Pass)), (20, Gen.Const(Act.Subscribe)), (5, Gen.Const(Act.Gate)), (4, Gen.Const(Act.Unsubscribe)), (2, Gen.Const(Act.DropTrack)),
            (4, Gen.Const(Act.PutTrack)), (2, Gen.Const(Act.ChangeSource)), (1, Gen.Const(Act.DropTransport)), (2, Gen.Const(Act.Whole))),
        Gen.Int[0, Peers - 1],
        Gen.Int[0, Peers - 1],
        Gen.Int[1, 400]).Array[1, 150];

    [Fact]
    public void Every_listener_gets_the_same_packets_from_one_worker_and_from_three() => Scripts.Sample(script =>
    {
        using var one = new World(workers: 1);
        using var three = new World(workers: 3);
        foreach (var world in new[] { one, three }) world.Run(script);

        for (var i = 0; i < Peers; i++) Assert.Equal(one.Heard(i), three.Heard(i));
    }, iter: 300);

    [Fact]
    public void A_far_listener_is_told_the_talkers_clock()
    {
        using var sfu = new VirtualSfu(workers: 2);
        var talker = sfu.Connect();
        VirtualClient[] listeners = [sfu.Connect(), sfu.Connect(worker: 1)];
        foreach (var listener in listeners) sfu.Subscribe(talker, listener);
        for (var i = 0; i < 10; i++)
        {
            talker.Send(talker.Rtp());
            sfu.Advance(TimeSpan.FromMilliseconds(20));
        }
        var compound = new byte[100];
        var writer = new RtcpWriter(compound);
        writer.SenderReport(new(talker.SenderSsrc, 1, talker.NextTimestamp + 77, 10, 30), []);
        talker.Send(talker.Rtcp(compound.AsSpan(0, writer.Length)));
        var reported = sfu.Now;
        sfu.Advance(TimeSpan.FromSeconds(1.3));

        foreach (var listener in listeners)
        {
            var report = listener.TakeRtcp().SelectMany(Reports).Last();
            var since = (report.NtpTimestamp - Ntp(reported)) / (double)(1UL << 32);
            Assert.InRange(since, 0.01, 1.4);
            Assert.InRange(report.RtpTimestamp, talker.NextTimestamp + 77 + since * 48_000 - 2, talker.NextTimestamp + 77 + since * 48_000 + 2);
        }
    }

    [Fact]
    public void A_packet_crosses_once_however_many_listen()
    {
        using var sfu = new VirtualSfu(workers: 2);
        var talker = sfu.Connect();
        for (var i = 0; i < 10; i++) sfu.Subscribe(talker, sfu.Connect(worker: 1));

        var track = sfu.Worker.Tracks[talker.TrackSsrc];
        Assert.Single(track.Relays);
        Assert.Empty(track.Fanout.Subscriptions);
        talker.Send(talker.Rtp());

        Assert.Equal([0, 10], sfu.Workers.Select(worker => worker.Counters.PacketsForwarded));
    }

    [Fact]
    public void A_worker_that_does_not_keep_up_costs_packets_that_are_counted()
    {
        using var sfu = new VirtualSfu(workers: 2);
        var (talker, near, far) = (sfu.Connect(), sfu.Connect(), sfu.Connect(worker: 1));
        sfu.Subscribe(talker, near);
        sfu.Subscribe(talker, far);
        const int Sent = 1000;
        for (var i = 0; i < Sent; i++) sfu.Worker.Receive(talker.Rtp(new byte[1000]), talker.Address, sfu.Now);
        while (sfu.Workers[1].HasMail) sfu.Workers[1].TakeMail(sfu.Now);

        var lost = sfu.Drops(DropReason.RingFull);
        Assert.InRange(lost, 1, Sent - 1);
        Assert.Equal((Sent, Sent - lost), (near.TakeRtp().Count, far.TakeRtp().Count));
    }

    private static ulong Ntp(TimeSpan now) => (ulong)((UInt128)(ulong)now.Ticks * (1UL << 32) / TimeSpan.TicksPerSecond);

    private static List<SenderReport> Reports(byte[] compound)
    {
        var reports = new List<SenderReport>();
        foreach (var packet in new RtcpReader(compound))
        {
            if (packet.TryGetSenderReport(out var report)) reports.Add(report);
        }
        return reports;
    }

    private sealed record HeardPacket(uint Ssrc, ulong Index, uint Timestamp, bool Marker, string Extensions, string Payload);

    /// <summary>Three browsers and two native clients, dealt to the workers in turn.</summary>
    private sealed class World : IDisposable
    {
        private readonly VirtualSfu sfu;
        private readonly VirtualPeer[] peers;
        private readonly List<HeardPacket>[] heard = new List<HeardPacket>[Peers];
        private readonly Dictionary<(int, uint), ulong> firsts = [];
        private readonly Queue<(VirtualPeer Sender, byte[] Datagram)> heldBack = [];
        private readonly Dictionary<uint, PutTrack> tracks = [];
        private readonly Dictionary<(uint, uint), PutSubscription> subscriptions = [];
        private readonly HashSet<VirtualPeer> gone = [];
        private byte lastPayload;

        public World(int workers)
        {
            sfu = new(workers: workers);
            peers = [.. Enumerable.Range(0, Peers).Select(i => i < 3 ? (VirtualPeer)sfu.Connect(worker: i % workers) : sfu.ConnectNative(worker: i % workers))];
            foreach (var peer in peers) tracks[peer.TrackSsrc] = peer.PutTrack;
            for (var i = 0; i < Peers; i++) heard[i] = [];
        }

        public void Run((Act Act, int Who, int Other, int By)[] script)
        {
            foreach (var (act, who, other, by) in script) Do(act, peers[who], peers[other], by);
            for (var i = 0; i < Peers; i++) Listen(i);
        }

        /// <summary>In each stream's order, with indexes counted from the stream's first.</summary>
        public IEnumerable<HeardPacket> Heard(int peer) => heard[peer].OrderBy(packet => packet.Ssrc);

        public void Dispose() => sfu.Dispose();

        private void Do(Act act, VirtualPeer talker, VirtualPeer other, int by)
        {
            if (gone.Contains(talker) || gone.Contains(other)) return;
            var subscription = (talker.TrackSsrc, other.Id);
            switch (act)
            {
                case Act.Send: talker.Send(Next(talker)); break;
                case Act.Lose: Next(talker); break;
                case Act.HoldBack: heldBack.Enqueue((talker, Next(talker))); break;
                case Act.SendHeldBack when heldBack.TryDequeue(out var late) && !gone.Contains(late.Sender): late.Sender.Send(late.Datagram); break;
                case Act.SendUnfit: talker.Send(talker.Rtp(payloadType: 13)); break;
                case Act.Pass: sfu.Advance(TimeSpan.FromMilliseconds(by)); break;
                case Act.Subscribe when talker != other && tracks.ContainsKey(talker.TrackSsrc): Subscribe(Gates.None); break;
                case Act.Gate when subscriptions.ContainsKey(subscription): Subscribe((Gates)(by % 16)); break;
                case Act.Unsubscribe:
                    subscriptions.Remove(subscription);
                    sfu.Apply([new DropSubscription(talker.TrackSsrc, other.Id)]);
                    break;
                case Act.DropTrack:
                    Forget(talker);
                    sfu.Apply([new DropTrack(talker.TrackSsrc)]);
                    break;
                case Act.PutTrack:
                    sfu.Apply([tracks[talker.TrackSsrc] = talker.PutTrack]);
                    break;
                case Act.ChangeSource when talker is VirtualClient && tracks.ContainsKey(talker.TrackSsrc):
                    (talker.SenderSsrc, talker.NextIndex, talker.NextTimestamp) = (talker.SenderSsrc + 100, (ulong)by * 97, (uint)by * 1_000_003);
                    sfu.Apply([tracks[talker.TrackSsrc] = talker.PutTrack with { SenderSsrc = talker.SenderSsrc }]);
                    break;
                case Act.DropTransport:
                    Listen(Array.IndexOf(peers, talker));
                    gone.Add(talker);
                    Forget(talker);
                    foreach (var key in subscriptions.Keys.Where(key => key.Item2 == talker.Id).ToArray()) subscriptions.Remove(key);
                    sfu.Apply([new DropTransport(talker.Id)]);
                    break;
                case Act.Whole:
                    sfu.Replace([.. subscriptions.Values, .. tracks.Values, .. peers.Except(gone).Select(peer => peer.Put)]);
                    break;
            }

            void Subscribe(Gates gates) =>
                sfu.Apply([subscriptions[subscription] = new(talker.TrackSsrc, other.Id, talker.TrackSsrc, gates)]);
        }

        private void Forget(VirtualPeer talker)
        {
            tracks.Remove(talker.TrackSsrc);
            foreach (var key in subscriptions.Keys.Where(key => key.Item1 == talker.TrackSsrc).ToArray()) subscriptions.Remove(key);
        }

        private byte[] Next(VirtualPeer talker) => talker.Rtp([++lastPayload, 1, 2], level: lastPayload % 3 == 0 ? null : (byte)(lastPayload % 128), marker: lastPayload % 7 == 0);

        private void Listen(int i)
        {
            foreach (var packet in peers[i].TakeRtp())
            {
                var ssrc = packet.Packet.Ssrc;
                firsts.TryAdd((i, ssrc), packet.Index);
                heard[i].Add(new(
                    ssrc, packet.Index - firsts[(i, ssrc)], packet.Packet.Timestamp, packet.Packet.Marker,
                    Convert.ToHexString(packet.Packet.Extensions), Convert.ToHexString(packet.Payload)));
            }
        }
    }
}
