using Voice.Media;
using Voice.Protocol.Links;
using Voice.Protocol.Rtp;
using Voice.Protocol.Srtp;
using Voice.Tests.Fakes;
using Xunit;

namespace Voice.Tests.Media;

public sealed class ForwarderTests : IDisposable
{
    private readonly VirtualSfu sfu = new();

    public void Dispose() => sfu.Dispose();

    [Theory]
    [InlineData(SrtpProfile.AeadAes128Gcm, SrtpProfile.AeadAes128Gcm)]
    [InlineData(SrtpProfile.AeadAes128Gcm, SrtpProfile.Aes128CmHmacSha1_80)]
    [InlineData(SrtpProfile.Aes128CmHmacSha1_80, SrtpProfile.AeadAes128Gcm)]
    [InlineData(SrtpProfile.Aes128CmHmacSha1_80, SrtpProfile.Aes128CmHmacSha1_80)]
    public void A_packet_reaches_the_listener_in_the_listeners_own_numbers(SrtpProfile from, SrtpProfile to)
    {
        var talker = sfu.Connect(from, payloadType: 111, levelExtension: 1);
        var listener = sfu.Connect(to, payloadType: 109, levelExtension: 7);
        sfu.Subscribe(talker, listener, ssrc: 4242);

        talker.Send(talker.Rtp([1, 2, 3, 4, 5], level: 0x80 | 35, marker: true));

        var packet = Assert.Single(listener.TakeRtp());
        Assert.Equal([1, 2, 3, 4, 5], packet.Payload);
        Assert.Equal((109, 4242u, 5000u), (packet.Packet.PayloadType, packet.Packet.Ssrc, packet.Packet.Timestamp));
        Assert.True(packet.Packet.Marker);
        Assert.True(packet.Index < EgressIndex.MaxStart);
        Assert.True(RtpExtensions.TryGet(packet.Packet.ExtensionProfile, packet.Packet.Extensions, 7, out var level));
        Assert.Equal(0x80 | 35, level[0]);
        Assert.Empty(talker.TakeRtp());
    }

    [Fact]
    public void Only_the_audio_level_of_the_senders_extensions_goes_on()
    {
        var (talker, listener) = Pair();
        byte[] header =
        [
            0x90, 111, 0, 1, 0, 0, 0, 0, 0xA0, 0, 0, 1, // fixed part
            0xBE, 0xDE, 0, 3,
            0x10, 0x85, 0x22, 1, 2, 3, 0x41, 0x6D, 0x69, 0, 0, 0, // level, absolute send time, MID
        ];

        talker.Send(talker.Protect(header, [9], 1));

        var packet = Assert.Single(listener.TakeRtp());
        var ids = new List<byte>();
        foreach (var element in new RtpExtensions(packet.Packet.ExtensionProfile, packet.Packet.Extensions)) ids.Add(element.Id);
        Assert.Equal([(byte)1], ids);
    }

    [Fact]
    public void A_listener_without_the_level_extension_gets_none()
    {
        var talker = sfu.Connect();
        var listener = sfu.Connect(levelExtension: 0);
        sfu.Subscribe(talker, listener);

        talker.Send(talker.Rtp(level: 10));

        Assert.False(Assert.Single(listener.TakeRtp()).Packet.HasExtension);
    }

    [Fact]
    public void A_packet_that_does_not_tell_its_level_goes_on_without_one()
    {
        var (talker, listener) = Pair();

        talker.Send(talker.Rtp());
        talker.Send(talker.Rtp(level: 10));
        talker.Send(talker.Rtp());

        Assert.Equal([false, true, false], listener.TakeRtp().Select(packet => packet.Packet.HasExtension));
    }

    [Fact]
    public void Csrcs_and_padding_do_not_go_on_and_the_payload_does()
    {
        var (talker, listener) = Pair();
        byte[] header = [0xA2, 111, 0, 1, 0, 0, 0, 0, 0xA0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 2];

        talker.Send(talker.Protect(header, [7, 8, 9, 0, 0, 3], 1));

        var packet = Assert.Single(listener.TakeRtp());
        Assert.Equal([7, 8, 9], packet.Payload);
        Assert.Equal((0, false), (packet.Packet.CsrcCount, packet.Packet.HasPadding));
    }

    [Fact]
    public void Everybody_subscribed_gets_the_packet_and_nobody_else()
    {
        var talker = sfu.Connect();
        var listeners = Enumerable.Range(0, 5).Select(_ => sfu.Connect()).ToArray();
        foreach (var listener in listeners[..3]) sfu.Subscribe(talker, listener);

        talker.Send(talker.Rtp());

        Assert.Equal([1, 1, 1, 0, 0], listeners.Select(listener => listener.TakeRtp().Count));
    }

    [Theory]
    [InlineData(Gates.TalkerSelfMuted)]
    [InlineData(Gates.TalkerMuted)]
    [InlineData(Gates.ListenerSelfDeafened)]
    [InlineData(Gates.ListenerDeafened)]
    public void A_closed_gate_holds_packets_back_and_leaves_no_gap(Gates gate)
    {
        var (talker, listener) = Pair();
        Send(talker, 3);
        FallSilent();
        sfu.Subscribe(talker, listener, gate);
        Send(talker, 10);
        sfu.Subscribe(talker, listener);
        Send(talker, 3);

        var packets = listener.TakeRtp();

        var first = packets[0].Index;
        Assert.Equal(Enumerable.Range(0, 6).Select(i => first + (ulong)i), packets.Select(packet => packet.Index));
        Assert.Equal(10, sfu.Drops(DropReason.Gated));
        // Time passed all the same: 10 frames of silence.
        Assert.Equal(960u * 11, packets[3].Packet.Timestamp - packets[2].Packet.Timestamp);
    }

    [Fact]
    public void A_gate_of_one_subscription_is_nobody_elses()
    {
        var (talker, listener) = Pair();
        var other = sfu.Connect();
        sfu.Subscribe(talker, other, Gates.ListenerDeafened);

        Send(talker, 2);

        Assert.Equal((2, 0), (listener.TakeRtp().Count, other.TakeRtp().Count));
    }

    [Fact]
    public void Reordered_packets_keep_their_own_places()
    {
        var (talker, listener) = Pair();
        byte[][] packets = [talker.Rtp([1]), talker.Rtp([2]), talker.Rtp([3])];

        foreach (var i in (int[])[0, 2, 1]) talker.Send(packets[i]);

        var received = listener.TakeRtp();
        Assert.Equal([1, 3, 2], received.Select(packet => (int)packet.Payload[0]));
        Assert.Equal([0ul, 2, 1], received.Select(packet => packet.Index - received[0].Index));
    }

    [Fact]
    public void A_listener_who_joins_after_the_talkers_sequence_wrapped_hears()
    {
        var (talker, first) = Pair();
        talker.NextIndex = 65_530;
        Send(talker, 20);
        var late = sfu.Connect();
        sfu.Subscribe(talker, late);

        Send(talker, 5);

        Assert.Equal(25, first.TakeRtp().Count);
        Assert.Equal(5, late.TakeRtp().Count);
    }

    [Fact]
    public void A_talker_with_a_new_ssrc_goes_on_in_the_same_stream()
    {
        var (talker, listener) = Pair();
        Send(talker, 3);
        talker.SenderSsrc = 77;
        talker.NextIndex = 60_000;
        talker.NextTimestamp = 4_000_000_000;
        sfu.Apply([talker.PutTrack with { SenderSsrc = 77 }]);
        sfu.Advance(TimeSpan.FromMilliseconds(20));

        Send(talker, 3);

        var packets = listener.TakeRtp();
        Assert.Equal(Enumerable.Range(0, 6).Select(i => packets[0].Index + (ulong)i), packets.Select(packet => packet.Index));
        Assert.Equal(960u, packets[3].Packet.Timestamp - packets[2].Packet.Timestamp);
        Assert.Equal(960u, packets[4].Packet.Timestamp - packets[3].Packet.Timestamp);
    }

    [Fact]
    public void A_stream_that_comes_back_under_its_ssrc_never_reuses_an_index()
    {
        var (talker, listener) = Pair();
        Send(talker, 5);
        FallSilent();
        sfu.Apply([new DropSubscription(talker.TrackSsrc, listener.Id)]);
        Send(talker, 5);
        sfu.Subscribe(talker, listener);
        Send(talker, 5);

        var packets = listener.TakeRtp();

        Assert.Equal(Enumerable.Range(0, 10).Select(i => packets[0].Index + (ulong)i), packets.Select(packet => packet.Index));
        Assert.True(packets[5].Packet.Timestamp > packets[4].Packet.Timestamp);
    }

    [Fact]
    public void A_stream_that_comes_back_under_its_ssrc_has_the_time_between_in_its_timestamps()
    {
        var (first, second, listener) = (sfu.Connect(), sfu.Connect(), sfu.Connect());
        second.NextTimestamp = 3_000_000_000;
        sfu.Subscribe(first, listener, ssrc: 77);
        Send(first, 1);
        sfu.Advance(TimeSpan.FromSeconds(1));
        sfu.Apply([new DropSubscription(first.TrackSsrc, listener.Id)]);
        sfu.Advance(TimeSpan.FromSeconds(10));
        sfu.Subscribe(second, listener, ssrc: 77);

        Send(second, 1);

        var packets = listener.TakeRtp();
        Assert.Equal(1UL, packets[1].Index - packets[0].Index);
        Assert.InRange(packets[1].Packet.Timestamp - packets[0].Packet.Timestamp, 11 * 48_000u, 11 * 48_000u + 960);
    }

    [Fact]
    public void Of_a_dropped_subscription_only_the_index_of_a_stream_that_was_sent_stays()
    {
        var (talker, listener) = (sfu.Connect(), sfu.Connect());
        for (var ssrc = 1u; ssrc <= 100; ssrc++)
        {
            sfu.Subscribe(talker, listener, ssrc: ssrc);
            if (ssrc <= 3) Send(talker, 1);
            sfu.Apply([new DropSubscription(talker.TrackSsrc, listener.Id)]);
        }

        Assert.Empty(listener.Transport.Streams);
        Assert.Equal(3, listener.Transport.UsedSsrcs);
    }

    [Fact]
    public void A_second_ssrc_of_the_sender_is_nobodys_track()
    {
        var (talker, listener) = Pair();
        Send(talker, 1);
        talker.SenderSsrc++;

        Send(talker, 1);

        Assert.Single(listener.TakeRtp());
        Assert.Equal(1, sfu.Drops(DropReason.UnknownSsrc));
    }

    [Fact]
    public void Another_payload_type_is_dropped_without_a_gap()
    {
        var (talker, listener) = Pair();
        Send(talker, 1);
        talker.Send(talker.Rtp(payloadType: 13));
        Send(talker, 1);

        var packets = listener.TakeRtp();

        Assert.Equal(1ul, packets[1].Index - packets[0].Index);
        Assert.Equal(1, sfu.Drops(DropReason.UnknownPayloadType));
    }

    [Fact]
    public void The_first_packet_with_another_payload_type_does_not_name_the_track()
    {
        var talker = sfu.Connect();

        talker.Send(talker.Rtp(payloadType: 96));

        Assert.Equal(0u, talker.Transport.Tracks[0].SenderSsrc);
        Assert.Equal(1, sfu.Drops(DropReason.UnknownSsrc));
    }

    [Theory]
    [InlineData(200, 100, DropReason.RtpPadding)]
    [InlineData(5, 5, DropReason.EmptyPayload)]
    public void Padding_that_eats_the_payload_is_dropped_without_a_gap(byte count, byte length, DropReason reason)
    {
        var (talker, listener) = Pair();
        Send(talker, 1);
        byte[] header = [0xA0, 111, (byte)(talker.NextIndex >> 8), (byte)talker.NextIndex, 0, 0, 0, 0, 0xA0, 0, 0, 1];
        var body = new byte[length];
        body[^1] = count;
        talker.Send(talker.Protect(header, body, talker.NextIndex++));
        Send(talker, 1);

        var packets = listener.TakeRtp();

        Assert.Equal(1ul, packets[1].Index - packets[0].Index);
        Assert.Equal(1, sfu.Drops(reason));
    }

    [Fact]
    public void A_listener_who_is_not_connected_yet_misses_packets_and_sees_no_gap_later()
    {
        var talker = sfu.Connect();
        var listener = sfu.Add();
        sfu.Subscribe(talker, listener);
        Send(talker, 4);
        listener.Send(listener.Check());
        listener.UseKeys();

        Send(talker, 2);

        Assert.Equal(2, listener.TakeRtp().Count);
        Assert.Equal(4, sfu.Drops(DropReason.ListenerNotConnected));
    }

    private (VirtualClient Talker, VirtualClient Listener) Pair()
    {
        var (talker, listener) = (sfu.Connect(), sfu.Connect());
        sfu.Subscribe(talker, listener);
        return (talker, listener);
    }

    /// <summary>Nobody is heard any more, so no silence of ours is added when somebody is stopped.</summary>
    private void FallSilent() => sfu.Advance(TimeSpan.FromMilliseconds(200));

    private static void Send(VirtualClient talker, int packets)
    {
        for (var i = 0; i < packets; i++) talker.Send(talker.Rtp());
    }
}
