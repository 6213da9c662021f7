using System.Buffers.Binary;
using System.Net;
using CsCheck;
using Voice.Media;
using Voice.Media.Net;
using Voice.Protocol.DiscordUdp;
using Voice.Protocol.Links;
using Voice.Protocol.Rtp;
using Voice.Tests.Fakes;
using Xunit;

namespace Voice.Tests.Media;

public sealed class UdpTransportTests : IDisposable
{
    private static readonly RemoteEndPoint Stranger = At("203.0.113.9", 9);
    private static readonly RemoteEndPoint Elsewhere = At("198.51.100.9", 5000);

    private readonly VirtualSfu sfu = new();

    public static TheoryData<EncryptionMode> Modes => [.. Enum.GetValues<EncryptionMode>()];

    public void Dispose() => sfu.Dispose();

    [Theory]
    [MemberData(nameof(Modes))]
    public void Native_clients_hear_each_other_byte_for_byte(EncryptionMode mode)
    {
        var (talker, listener) = (sfu.ConnectNative(mode), sfu.ConnectNative());
        sfu.Subscribe(talker, listener);
        sfu.Subscribe(listener, talker);
        byte[] there = [1, 2, 3, 4, 5], back = [0xFA, 0xFA];

        talker.Send(talker.Rtp(there, level: 40, marker: true));
        listener.Send(listener.Rtp(back));

        var packet = Assert.Single(listener.TakeRtp());
        Assert.Equal(there, packet.Payload);
        Assert.Equal((120, talker.TrackSsrc, true), (packet.Packet.PayloadType, packet.Packet.Ssrc, packet.Packet.Marker));
        Assert.Equal(back, Assert.Single(talker.TakeRtp()).Payload);
    }

    [Fact]
    public void The_first_authenticated_packet_gives_the_address()
    {
        var (talker, listener) = (sfu.ConnectNative(), sfu.AddNative());
        sfu.Subscribe(talker, listener);
        talker.Send(talker.Rtp());
        Assert.Equal(1, sfu.Drops(DropReason.ListenerNotConnected));

        listener.Send(listener.Rtp());
        talker.Send(talker.Rtp());

        Assert.Single(listener.TakeRtp());
        Assert.True(listener.Transport.IsBound);
    }

    [Fact]
    public void A_client_that_only_listens_hears_where_signalling_expects_it()
    {
        var (talker, listener) = (sfu.ConnectNative(), sfu.AddNative(expected: true));
        sfu.Subscribe(talker, listener);

        talker.Send(talker.Rtp());

        Assert.Single(listener.TakeRtp());
        Assert.False(listener.Transport.IsBound);
    }

    [Fact]
    public void The_first_authenticated_packet_replaces_the_expected_address()
    {
        var (talker, listener) = (sfu.ConnectNative(), sfu.AddNative(expected: true));
        sfu.Subscribe(talker, listener);

        sfu.Deliver(listener.Rtp(), Elsewhere);
        talker.Send(talker.Rtp());

        Assert.Equal(Elsewhere, sfu.Port.Sent[^1].To);
        // The expected address means nothing any more.
        listener.Send([1, 0, 0, 0, 0, 0, 0, 0]);
        Assert.Equal(1, sfu.Drops(DropReason.UnknownAddress));
    }

    [Fact]
    public void An_expected_address_takes_nothing_from_its_owner()
    {
        var (owner, listener) = (sfu.ConnectNative(), sfu.ConnectNative());
        sfu.Subscribe(owner, listener);
        var liar = sfu.AddNative();
        sfu.Apply([new DropTransport(liar.Id), liar.Put with { Id = 99, Path = liar.Path with { Expected = owner.Address.ToWire() } }]);

        owner.Send(owner.Rtp());

        Assert.Single(listener.TakeRtp());
        Assert.Equal(owner.Address, owner.Transport.Selected?.Remote);
        sfu.Apply([new DropTransport(99)]);
        owner.Send(owner.Rtp());
        Assert.Single(listener.TakeRtp());
    }

    [Fact]
    public void The_address_moves_with_an_authenticated_packet()
    {
        var (talker, listener) = (sfu.ConnectNative(), sfu.ConnectNative());
        sfu.Subscribe(talker, listener);
        var old = listener.Address;
        listener.MoveTo("198.51.100.9", 5000);

        listener.Send(listener.Rtp());
        talker.Send(talker.Rtp());

        Assert.Single(listener.TakeRtp());
        sfu.Deliver([1, 0, 0, 0, 0, 0, 0, 0], old);
        Assert.Equal(1, sfu.Drops(DropReason.UnknownAddress));
    }

    [Fact]
    public void A_late_packet_from_the_old_address_does_not_move_it_back()
    {
        var talker = sfu.ConnectNative();
        var late = talker.Rtp();
        sfu.Deliver(talker.Rtp(), Elsewhere);

        talker.Send(late);

        Assert.Equal(Elsewhere, talker.Transport.Selected?.Remote);
        Assert.Equal(0, sfu.Worker.Counters.TotalDrops);
    }

    [Fact]
    public void Another_clients_packet_moves_an_address_to_it_and_the_owners_next_moves_on()
    {
        var (first, second, talker) = (sfu.ConnectNative(), sfu.ConnectNative(), sfu.ConnectNative());
        sfu.Subscribe(talker, first);

        sfu.Deliver(second.Rtp(), first.Address);

        Assert.Equal(first.Address, second.Transport.Selected?.Remote);
        Assert.Null(first.Transport.Selected);
        sfu.Deliver(first.Rtp(), Elsewhere);
        Assert.Equal((Elsewhere, first.Address), (first.Transport.Selected!.Remote, second.Transport.Selected!.Remote));
    }

    [Fact]
    public void A_browsers_address_stays_the_browsers()
    {
        var (browser, native) = (sfu.Connect(), sfu.AddNative());

        sfu.Deliver(native.Rtp(), browser.Address);

        Assert.False(native.Transport.IsBound);
        Assert.Equal(browser.Address, browser.Transport.Selected?.Remote);
    }

    [Theory]
    [MemberData(nameof(Modes))]
    public void A_replayed_packet_changes_nothing(EncryptionMode mode)
    {
        var (talker, listener) = (sfu.ConnectNative(mode), sfu.ConnectNative());
        sfu.Subscribe(talker, listener);
        var packet = talker.Rtp();
        talker.Send(packet);

        sfu.Deliver(packet, Stranger);
        sfu.Deliver(packet, listener.Address);
        talker.Send(packet);

        Assert.Single(listener.TakeRtp());
        Assert.Equal(3, sfu.Drops(DropReason.UdpReplayed));
        Assert.Equal((talker.Address, listener.Address), (talker.Transport.Selected!.Remote, listener.Transport.Selected!.Remote));
    }

    /// <summary>Sequences come round in 22 minutes, and a packet of a cycle ago looks like one to come.</summary>
    [Fact]
    public void A_packet_recorded_long_ago_is_not_taken_for_one_to_come()
    {
        var talker = sfu.ConnectNative();
        var recorded = talker.Rtp();
        for (var i = 0; i < 40_000; i += 1000)
        {
            talker.NextIndex += 999;
            talker.NextTimestamp += 999 * 960;
            talker.Send(talker.Rtp());
        }

        sfu.Deliver(recorded, Stranger);

        Assert.Equal(1, sfu.Drops(DropReason.UdpTooOld));
        Assert.Equal(talker.Address, talker.Transport.Selected?.Remote);
        talker.Send(talker.Rtp());
        Assert.Equal(1, sfu.Worker.Counters.TotalDrops);
    }

    [Theory]
    [InlineData(EncryptionMode.AeadAes256GcmRtpSize)]
    [InlineData(EncryptionMode.AeadXChaCha20Poly1305RtpSize)]
    public void A_forged_packet_changes_nothing(EncryptionMode mode)
    {
        var (talker, listener) = (sfu.AddNative(mode), sfu.ConnectNative());
        sfu.Subscribe(talker, listener);
        var good = talker.Rtp([1, 2, 3], level: 3);

        for (var i = 0; i < good.Length * 8; i++)
        {
            var bad = (byte[])good.Clone();
            bad[i / 8] ^= (byte)(1 << i % 8);
            talker.Send(bad);
        }
        for (var length = 0; length < good.Length; length++)
        {
            if (length is not (8 or 9)) talker.Send(good.AsSpan(0, length));
        }

        Assert.False(talker.Transport.IsBound);
        Assert.Equal(0u, talker.Transport.Tracks[0].SenderSsrc);
        Assert.Empty(listener.TakeRtp());
        Assert.Equal(good.Length * 9 - 2, sfu.Worker.Counters.TotalDrops);
        talker.Send(good);
        Assert.Equal([1, 2, 3], Assert.Single(listener.TakeRtp()).Payload);
    }

    [Fact]
    public void Another_ssrc_than_the_sessions_is_nobodys()
    {
        var talker = sfu.ConnectNative();
        talker.SenderSsrc++;

        talker.Send(talker.Rtp());
        sfu.Deliver(talker.Rtp(), Stranger);

        Assert.Equal((1, 1), (sfu.Drops(DropReason.UnknownSsrc), sfu.Drops(DropReason.UnknownAddress)));
    }

    [Fact]
    public void A_client_that_only_listens_is_found_by_its_first_report()
    {
        var (talker, listener) = (sfu.ConnectNative(), sfu.AddNative());
        sfu.Subscribe(talker, listener);
        var forged = Report(listener);
        forged[^5] ^= 1;
        sfu.Deliver(forged, Stranger);
        Assert.Null(listener.Transport.Selected);

        listener.Send(Report(listener));
        talker.Send(talker.Rtp());

        Assert.Single(listener.TakeRtp());
        // Its own voice moves it, as ever.
        sfu.Deliver(listener.Rtp(), Elsewhere);
        Assert.Equal(Elsewhere, listener.Transport.Selected?.Remote);
    }

    [Fact]
    public void A_report_moves_no_address()
    {
        var (expected, bound, lost, taker) = (sfu.AddNative(expected: true), sfu.ConnectNative(), sfu.AddNative(), sfu.ConnectNative());
        var recorded = Report(lost);
        lost.Send(recorded);
        sfu.Deliver(taker.Rtp(), lost.Address);
        Assert.Null(lost.Transport.Selected);

        foreach (var report in (byte[][])[Report(expected), Report(bound), recorded]) sfu.Deliver(report, Elsewhere);

        Assert.Equal((expected.Address, bound.Address), (expected.Transport.Selected!.Remote, bound.Transport.Selected!.Remote));
        Assert.Null(lost.Transport.Selected);
        Assert.Equal(3, sfu.Drops(DropReason.UnknownAddress));
    }

    [Theory]
    [InlineData(EncryptionMode.XSalsa20Poly1305Lite)]
    [InlineData(EncryptionMode.XSalsa20Poly1305Suffix)]
    public void Where_the_header_is_not_authenticated_a_changed_packet_neither_opens_again_nor_moves_the_address(EncryptionMode mode)
    {
        var (talker, listener) = (sfu.ConnectNative(mode), sfu.ConnectNative());
        sfu.Subscribe(talker, listener);
        talker.NextIndex = 1100;
        var (seen, unseen) = (talker.Rtp(), talker.Rtp());
        talker.Send(seen);
        foreach (var packet in (byte[][])[seen, unseen])
        {
            packet[3] += 50; // the sequence
            packet[5] += 50; // the timestamp
            sfu.Deliver(packet, Stranger);
        }

        Assert.Equal(1, sfu.Drops(DropReason.UdpReplayed));
        Assert.Equal(talker.Address, talker.Transport.Selected?.Remote);
        talker.Send(talker.Rtp()); // within the window: heard
        Assert.Equal(3, listener.TakeRtp().Count);
    }

    [Fact]
    public void A_dropped_client_is_forgotten()
    {
        var client = sfu.ConnectNative();

        sfu.Apply([new DropTransport(client.Id)]);
        client.Send(client.Rtp());
        client.Send([1, 0, 0, 0, 0, 0, 0, 0]);

        Assert.Equal(2, sfu.Drops(DropReason.UnknownAddress));
        Assert.Empty(sfu.Port.Sent);
        sfu.Apply([client.Put with { Id = 50 }]);
        Assert.Empty(sfu.Log);
    }

    [Fact]
    public void A_key_that_is_used_up_ends_the_transport_and_sends_nothing_more()
    {
        var (talker, listener) = (sfu.ConnectNative(), sfu.ConnectNative());
        sfu.Subscribe(talker, listener);
        listener.Transport.Protection.Sent = UdpProtection.CounterLimit - 1;

        for (var i = 0; i < 3; i++) talker.Send(talker.Rtp());
        Assert.Single(listener.TakeRtp());
        Assert.Equal(2, sfu.Drops(DropReason.EgressExhausted));
        sfu.Advance(Worker.TickInterval);
        sfu.Advance(TimeSpan.FromSeconds(5));

        Assert.Equal([new TransportClosed(listener.Id, TransportCloseReason.KeyExhausted)], sfu.Events.OfType<TransportClosed>());
        Assert.Empty(listener.Inbox);
        listener.Send(listener.Rtp());
        Assert.Equal(1, sfu.Drops(DropReason.TransportClosed));
    }

    /// <summary>65,536 packets to the first that would, in the mean.</summary>
    [Theory]
    [InlineData(EncryptionMode.AeadAes256GcmRtpSize)]
    [InlineData(EncryptionMode.AeadXChaCha20Poly1305RtpSize)]
    public void No_ciphertext_begins_like_an_extension(EncryptionMode mode)
    {
        var listener = sfu.ConnectNative(mode).Transport;
        using var client = new UdpProtection(mode, listener.Path.SecretKey, UdpEnd.Client);
        var header = new byte[RtpHeader.FixedLength];
        RtpHeader.Write(header, marker: false, payloadType: 120, sequence: 1, timestamp: 960, ssrc: 7);
        byte[] payload = [0xFC, 1, 2, 3], datagram = new byte[100];

        int length;
        for (var packets = 0U; listener.Protection.Sent == packets; packets++)
        {
            Assert.True(packets < 1_000_000, "none ever took a second nonce");
            Assert.Null(listener.Protect(header, payload, packets, datagram, out length));
            Assert.NotEqual(RtpExtensions.OneByteProfile, BinaryPrimitives.ReadUInt16BigEndian(datagram.AsSpan(RtpHeader.FixedLength)));
        }

        Assert.True(client.TryUnprotect(datagram.AsSpan(0, header.Length + payload.Length + client.Overhead), datagram, out length));
        Assert.Equal(payload, datagram[header.Length..length]);
    }

    [Fact]
    public void A_client_that_says_nothing_is_kept_until_signalling_ends_it()
    {
        var client = sfu.ConnectNative();

        sfu.Advance(TimeSpan.FromHours(1));

        Assert.Equal(TransportState.Connected, client.Transport.State);
        Assert.Equal([new TransportReady(client.Id)], sfu.Events); // as it was put, and no more
    }

    [Fact]
    public void Discovery_answers_whoever_asks_and_remembers_nobody()
    {
        var request = new byte[IpDiscovery.Length];
        IpDiscovery.WriteRequest(request, 4711);

        foreach (var from in (RemoteEndPoint[])[Stranger, At("2001:db8::1", 77)])
        {
            sfu.Deliver(request, from);

            var (datagram, to) = sfu.Port.Sent[^1];
            Assert.Equal((from, request.Length), (to, datagram.Length));
            Assert.True(IpDiscovery.TryParseResponse(datagram, out var response));
            Assert.Equal(from.ToIPEndPoint(), new(IPAddress.Parse(System.Text.Encoding.ASCII.GetString(response.Address)), response.Port));
            Assert.Equal(4711u, response.Ssrc);
        }
        Assert.Equal((2, 0), (sfu.Worker.Counters.DiscoveriesAnswered, sfu.Worker.Counters.TotalDrops));
    }

    [Fact]
    public void Keepalives_and_pings_are_echoed_where_media_goes_anyway()
    {
        byte[][] keepalives = [[7, 0, 0, 0, 0, 0, 0, 0], [0xC9, 0, 0, 0, 0, 0, 0, 0, 0]];
        byte[] ping = [0x13, 0x37, 0xCA, 0xFE, 0, 0, 0, 5], pong = [0x13, 0x37, 0xF0, 0x0D, 0, 0, 0, 5];
        foreach (var client in (VirtualNative[])[sfu.ConnectNative(), sfu.AddNative(expected: true)])
        {
            foreach (var datagram in (byte[][])[.. keepalives, ping]) client.Send(datagram);

            Assert.Equal([.. keepalives, pong], client.Inbox);
        }

        var sent = sfu.Port.Sent.Count;
        foreach (var datagram in (byte[][])[.. keepalives, ping]) sfu.Deliver(datagram, Stranger);
        var browser = sfu.Connect();
        browser.Inbox.Clear();
        browser.Send(ping);

        Assert.Empty(browser.Inbox);
        Assert.Equal((3, 1), (sfu.Drops(DropReason.UnknownAddress), sfu.Drops(DropReason.UnknownKind)));
        Assert.Equal(sent + 1, sfu.Port.Sent.Count); // the answer to the browser's check
    }

    [Fact]
    public void Whatever_a_stranger_sends_is_counted_and_changes_nothing()
    {
        var (talker, listener) = (sfu.ConnectNative(), sfu.ConnectNative(EncryptionMode.AeadXChaCha20Poly1305RtpSize));
        sfu.Subscribe(talker, listener);
        var (sent, before) = (sfu.Port.Sent.Count, sfu.Worker.Counters.TotalDrops);
        byte[][] seeds = [talker.Rtp([1, 2, 3], level: 1), listener.Rtp(), talker.Rtcp([0x80, 201, 0, 1, 0, 0, 0, 1])];
        var count = 0;

        Gen.Select(Gen.OneOf(
            Gen.Byte.Array[0, 200].Where(bytes => bytes.Length is not (8 or 9 or IpDiscovery.Length)),
            Gen.Select(Gen.Int[0, 2], Gen.Int[0, 10_000], Gen.Byte[1, 255], (which, at, flip) =>
            {
                var copy = (byte[])seeds[which].Clone();
                copy[at % copy.Length] ^= flip;
                return copy;
            })), Gen.Int[0, 2]).Sample((datagram, from) =>
        {
            count++;
            sfu.Deliver(datagram, from switch { 0 => talker.Address, 1 => listener.Address, _ => Stranger });
        }, iter: 20_000, threads: 1);

        Assert.Equal(sent, sfu.Port.Sent.Count);
        Assert.Equal(count, sfu.Worker.Counters.TotalDrops - before);
        Assert.Equal((talker.Address, listener.Address), (talker.Transport.Selected!.Remote, listener.Transport.Selected!.Remote));
        talker.Send(seeds[0]);
        Assert.Single(listener.TakeRtp());
    }

    private static byte[] Report(VirtualNative client)
    {
        var report = new byte[8];
        (report[0], report[1], report[3]) = (0x80, 201, 1);
        BinaryPrimitives.WriteUInt32BigEndian(report.AsSpan(4), client.SenderSsrc);
        return client.Rtcp(report);
    }

    private static RemoteEndPoint At(string address, int port) => RemoteEndPoint.From(new IPEndPoint(IPAddress.Parse(address), port));
}
