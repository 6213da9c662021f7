using CsCheck;
using Voice.Media;
using Voice.Protocol.Links;
using Voice.Protocol.Ogg;
using Voice.Tests.Fakes;
using Xunit;

namespace Voice.Tests.Media;

/// <summary>Of several who talk, listeners hear the loudest, whichever worker serves whom.</summary>
public sealed class LoudestTests : IDisposable
{
    private const uint Group = 5;

    private readonly VirtualSfu sfu = new(workers: 2);
    private readonly List<VirtualPeer> talkers = [];
    private readonly List<VirtualPeer> listeners = [];

    public LoudestTests()
    {
        sfu.Apply([new PutGroup(Group, 1)]);
        for (var i = 0; i < 3; i++) talkers.Add(sfu.Connect(worker: i % 2, group: Group));
        for (var i = 0; i < 4; i++) listeners.Add(sfu.Connect(worker: i / 2));
        foreach (var talker in talkers)
        {
            foreach (var listener in listeners) sfu.Subscribe(talker, listener);
        }
    }

    public void Dispose() => sfu.Dispose();

    [Fact]
    public void Who_is_not_heard_costs_one_drop_on_each_worker_and_no_listener_sees_a_gap()
    {
        Talk(50, 20, 60, 127);
        sfu.Apply([new PutGroup(Group, 3)]);
        Talk(50, 20, 60, 127);

        foreach (var listener in listeners)
        {
            var heard = listener.TakeRtp().ToLookup(packet => packet.Packet.Ssrc);
            Assert.Equal([100, 50, 50], talkers.Select(talker => heard[talker.TrackSsrc].Count()));
            foreach (var stream in heard) Assert.Equal(Enumerable.Range(0, stream.Count()).Select(i => stream.First().Index + (ulong)i), stream.Select(packet => packet.Index));
        }
        Assert.Equal(2 * 50 * 2, sfu.Drops(DropReason.NotLoudest));
    }

    [Fact]
    public void Who_loses_the_place_ends_in_silence_and_comes_back_in_time()
    {
        Talk(5, 40, 60, 127);
        Talk(5, 40, 20, 127);
        Talk(60, 127, 127, 127);
        Talk(5, 40, 127, 127);

        foreach (var listener in listeners)
        {
            var heard = listener.TakeRtp().Where(packet => packet.Packet.Ssrc == talkers[0].TrackSsrc).ToArray();
            Assert.Equal(16, heard.Length); // it sends its sixth before the other's first loud one
            Assert.Equal([6, 7, 8, 9, 10], Enumerable.Range(0, 16).Where(i => heard[i].Payload.AsSpan().SequenceEqual(OpusToc.SilenceFrame)));
            Assert.Equal(Enumerable.Range(0, 16).Select(i => heard[0].Index + (ulong)i), heard.Select(packet => packet.Index));
            Assert.Equal(70 * 960u, heard[11].Packet.Timestamp - heard[0].Packet.Timestamp);
            Assert.Equal([false, true, false], heard[10..13].Select(packet => packet.Packet.Marker));
        }
    }

    [Fact]
    public void Who_is_muted_takes_nobodys_place()
    {
        foreach (var listener in listeners) sfu.Subscribe(talkers[0], listener, Gates.TalkerMuted);

        Talk(10, 10, 50, 60);

        foreach (var listener in listeners)
        {
            Assert.Equal([talkers[1].TrackSsrc], listener.TakeRtp().Select(packet => packet.Packet.Ssrc).Distinct());
        }
    }

    [Fact]
    public void Who_is_first_is_heard_besides_the_loudest()
    {
        sfu.Apply([talkers[2].PutTrack with { First = true }]);

        Talk(10, 20, 60, 70);

        foreach (var listener in listeners)
        {
            var heard = listener.TakeRtp().ToLookup(packet => packet.Packet.Ssrc);
            Assert.Equal([10, 0, 10], talkers.Select(talker => heard[talker.TrackSsrc].Count()));
        }
    }

    [Fact]
    public void Who_leaves_makes_room()
    {
        Talk(10, 20, 21, 22);
        sfu.Apply([new DropTrack(talkers[0].TrackSsrc)]);
        foreach (var listener in listeners) listener.TakeRtp();
        talkers.RemoveAt(0);

        Talk(10, 21, 22);

        foreach (var listener in listeners) Assert.Equal([10, 0], Counts(listener));
    }

    /// <summary>docs/decisions/0008: each worker chooses for itself, and all choose alike.</summary>
    [Fact]
    public void Every_worker_chooses_as_one_would() => Gen.Select(Gen.Int[0, 3], Gen.Int[0, 127], Gen.Int[0, 40]).Array[1, 100].Sample(script =>
    {
        using var one = new VirtualSfu();
        using var three = new VirtualSfu(workers: 3);
        Assert.Equal(Heard(one), Heard(three));

        (uint, ulong, string)[] Heard(VirtualSfu sfu)
        {
            sfu.Apply([new PutGroup(Group, 2)]);
            var talkers = Enumerable.Range(0, 4).Select(i => sfu.Connect(worker: i % sfu.Workers.Length, group: Group)).ToArray();
            var listeners = Enumerable.Range(0, 3).Select(i => sfu.Connect(worker: i % sfu.Workers.Length)).ToArray();
            foreach (var talker in talkers)
            {
                foreach (var listener in listeners) sfu.Subscribe(talker, listener);
            }

            foreach (var (who, level, millis) in script)
            {
                sfu.Advance(TimeSpan.FromMilliseconds(millis));
                talkers[who].Send(talkers[who].Rtp([(byte)who, (byte)level], level: (byte)level));
            }

            return [.. listeners.SelectMany(listener =>
            {
                var packets = listener.TakeRtp();
                var firsts = packets.GroupBy(packet => packet.Packet.Ssrc).ToDictionary(stream => stream.Key, stream => stream.First().Index);
                return packets.Select(packet => (packet.Packet.Ssrc, packet.Index - firsts[packet.Packet.Ssrc], Convert.ToHexString(packet.Payload)));
            })];
        }
    });

    private IEnumerable<int> Counts(VirtualPeer listener)
    {
        var heard = listener.TakeRtp().ToLookup(packet => packet.Packet.Ssrc);
        return [.. talkers.Select(talker => heard[talker.TrackSsrc].Count())];
    }

    /// <summary>Everybody sends, at these levels.</summary>
    private void Talk(int packets, params byte[] levels)
    {
        for (var i = 0; i < packets; i++)
        {
            foreach (var (talker, level) in talkers.Zip(levels)) talker.Send(talker.Rtp([1, 2, 3], level: level));
            sfu.Advance(TimeSpan.FromMilliseconds(20));
        }
    }
}
