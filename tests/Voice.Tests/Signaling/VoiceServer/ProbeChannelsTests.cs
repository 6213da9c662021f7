using System.Net;
using Voice.Protocol.DiscordUdp;
using Voice.Protocol.Links;
using Xunit;

namespace Voice.Tests.Signaling.VoiceServer;

/// <summary>A gateway's hidden channel on a node: media like everybody's, and in nothing else.</summary>
public class ProbeChannelsTests
{
    [Fact]
    public void Each_worker_gets_a_talker_that_the_listener_hears()
    {
        var node = new TestNode(workers: 2);
        var opened = node.OpenProbe("one");

        Assert.Equal("one", opened.Id);
        Assert.Equal(2, opened.Workers.Length);
        for (var worker = 0; worker < 2; worker++)
        {
            var channel = opened.Workers[worker];
            Assert.Equal([new IPEndPoint(IPAddress.Parse("192.0.2.7"), 50000 + worker)], channel.Addresses.Select(address => WireAddress.Read(address)));
            var (talker, listener) = (TransportOf(node, channel.Talker), TransportOf(node, channel.Listener));
            Assert.Equal((worker, worker), (talker.Worker, listener.Worker));
            Assert.Equal(talker.Id, node.Plan.Tracks[channel.Talker.Ssrc].Transport);
            Assert.Equal(Gates.None, node.Plan.Subscriptions[(channel.Talker.Ssrc, listener.Id)].Gates);
            Assert.Equal(channel.Talker.Ssrc, node.Plan.Subscriptions[(channel.Talker.Ssrc, listener.Id)].Ssrc);
        }

        var secrets = opened.Workers.SelectMany(channel => new[] { channel.Talker.SecretKey, channel.Listener.SecretKey }).Select(Convert.ToHexString);
        Assert.Equal(4, secrets.Distinct().Count());
    }

    [Fact]
    public void Nobody_hears_it_or_hears_of_it()
    {
        var node = new TestNode();
        var before = node.Join(1);
        var opened = node.OpenProbe("one");
        var after = node.Join(2);

        Assert.Equal(2, node.Core.Sessions);
        Assert.Single(node.Core.Hosted());
        uint[] hidden = [opened.Workers[0].Talker.Ssrc, opened.Workers[0].Listener.Ssrc];
        var transports = hidden.Select(ssrc => node.Plan.Tracks[ssrc].Transport).ToArray();
        Assert.All(node.Plan.Subscriptions.Keys, key => Assert.Equal(hidden.Contains(key.Track), transports.Contains(key.Listener)));
        Assert.DoesNotContain(before.Frames.Concat(after.Frames), frame => hidden.Any(ssrc => frame.GetRawText().Contains($"{ssrc}")));
        Assert.All(node.ToGateways.OfType<VoiceSessionChanged>(), changed => Assert.Equal(TestNode.Guild, changed.Guild));
    }

    [Fact]
    public void It_takes_no_place_where_people_are_put()
    {
        var node = new TestNode(workers: 2);
        for (var i = 0; i < 10; i++) node.OpenProbe($"{i}");
        node.Join(1);
        var transport = node.Plan.Transports[node.Plan.Tracks[node.Join(2, TestNode.Den).Ssrc].Transport];
        Assert.Equal(1, transport.Worker); // the first has somebody, and nobody else counts
    }

    [Fact]
    public void Where_only_the_loudest_are_heard_it_is_always_heard()
    {
        var node = new TestNode(loudest: 1);
        var opened = node.OpenProbe("one");
        Assert.True(node.Plan.Tracks[opened.Workers[0].Talker.Ssrc].First);
        node.CloseProbe("one");
        Assert.Empty(node.Plan.Groups);
    }

    [Fact]
    public void Asked_again_it_is_the_same_and_stays()
    {
        var node = new TestNode();
        var opened = node.OpenProbe("one");
        for (var i = 0; i < 5; i++)
        {
            node.Pass(ProbeOpen.Lease * 0.9);
            Assert.Same(opened, node.OpenProbe("one"));
        }

        Assert.Equal(2, node.Plan.Transports.Count);
    }

    [Fact]
    public void It_goes_when_nobody_asks_for_it_any_more()
    {
        var node = new TestNode();
        var (first, second) = (node.OpenProbe("one"), node.OpenProbe("two"));
        node.Pass(ProbeOpen.Lease / 2);
        node.OpenProbe("two");
        node.Pass(ProbeOpen.Lease / 2);

        Assert.DoesNotContain(first.Workers[0].Talker.Ssrc, node.Plan.Tracks.Keys);
        Assert.Contains(second.Workers[0].Talker.Ssrc, node.Plan.Tracks.Keys);
        node.CloseProbe("two");
        Assert.Empty(node.Plan.Transports);
        Assert.Empty(node.Plan.Tracks);
        Assert.Empty(node.Plan.Subscriptions);
    }

    [Fact]
    public void A_channel_that_comes_back_has_other_keys()
    {
        var node = new TestNode();
        var before = node.OpenProbe("one");
        node.Pass(ProbeOpen.Lease);
        var after = node.OpenProbe("one");
        Assert.NotEqual(before.Workers[0].Talker.SecretKey, after.Workers[0].Talker.SecretKey);
        Assert.NotEqual(before.Workers[0].Talker.Ssrc, after.Workers[0].Talker.Ssrc);
    }

    [Fact]
    public void The_next_media_process_is_told_of_it_too()
    {
        var node = new TestNode();
        var opened = node.OpenProbe("one");
        node.MediaLost();
        node.Media(new MediaReady(2, 1));

        Assert.IsType<MediaSnapshot>(node.MediaCommands.Last());
        Assert.Equal(opened.Workers[0].Talker.SecretKey, PathOf(node, opened.Workers[0].Talker).SecretKey);
        Assert.Equal(opened.Workers[0].Listener.SecretKey, PathOf(node, opened.Workers[0].Listener).SecretKey);
        Assert.Same(opened, node.OpenProbe("one"));
    }

    [Fact]
    public void A_channel_that_the_media_process_lost_is_told_anew()
    {
        var node = new TestNode(workers: 2);
        var before = node.OpenProbe("one");
        var (talker, listener) = (TransportOf(node, before.Workers[0].Talker), TransportOf(node, before.Workers[1].Listener));
        node.Media(new TransportClosed(talker.Id, TransportCloseReason.NotResumed));
        node.Media(new TransportClosed(listener.Id, TransportCloseReason.NotResumed)); // of the same channel

        var told = node.ToGateways.OfType<ProbeOpened>().ToList();
        Assert.Equal(2, told.Count);
        Assert.Equal(before.Id, told[1].Id);
        Assert.Equal(4, node.Plan.Transports.Count);
        Assert.NotEqual(before.Workers[0].Talker.SecretKey, PathOf(node, told[1].Workers[0].Talker).SecretKey);
        node.Pass(ProbeOpen.Lease);
        Assert.Empty(node.Plan.Transports);
    }

    private static PutTransport TransportOf(TestNode node, ProbeEnd end) => node.Plan.Transports[node.Plan.Tracks[end.Ssrc].Transport];

    private static UdpPath PathOf(TestNode node, ProbeEnd end)
    {
        var path = Assert.IsType<UdpPath>(TransportOf(node, end).Path);
        Assert.Equal((EncryptionMode.AeadAes256GcmRtpSize, end.Ssrc), (path.Mode, path.Ssrc));
        return path;
    }
}
