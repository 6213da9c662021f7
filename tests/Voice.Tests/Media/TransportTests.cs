using System.Net;
using CsCheck;
using Voice.Media;
using Voice.Media.Ice;
using Voice.Media.Net;
using Voice.Protocol.Links;
using Voice.Protocol.Srtp;
using Voice.Protocol.Stun;
using Voice.Tests.Fakes;
using Xunit;

namespace Voice.Tests.Media;

public sealed class TransportTests : IDisposable
{
    private static readonly RemoteEndPoint Stranger = RemoteEndPoint.From(new IPEndPoint(IPAddress.Parse("203.0.113.66"), 666));

    private readonly VirtualSfu sfu = new();

    public void Dispose() => sfu.Dispose();

    [Theory]
    [InlineData("192.0.2.77", 4000)]
    [InlineData("2001:db8::1", 5000)]
    public void A_check_is_answered_with_the_address_it_came_from(string address, int port)
    {
        var from = new IPEndPoint(IPAddress.Parse(address), port);
        var client = sfu.Add(address: RemoteEndPoint.From(from));

        client.Send(client.Check());

        var response = Assert.Single(client.Inbox);
        Assert.True(StunMessage.TryParse(response, out var message));
        Assert.Equal(StunClass.SuccessResponse, message.Class);
        Assert.True(message.VerifyFingerprint());
        Assert.True(message.VerifyIntegrity(System.Text.Encoding.UTF8.GetBytes(client.Put.WebRtc().LocalPassword)));
        var mapped = new byte[16];
        Assert.True(message.TryGetXorMappedAddress(mapped, out var length, out var mappedPort));
        Assert.Equal((from.Address, from.Port), (new IPAddress(mapped.AsSpan(0, length)), mappedPort));
        Assert.Equal(client.Address, client.Transport.Selected?.Remote);
    }

    public static TheoryData<string> BadChecks => ["username", "half", "password", "integrity", "fingerprint", "indication", "cut"];

    [Theory]
    [MemberData(nameof(BadChecks))]
    public void A_check_that_does_not_authenticate_gets_no_reply_and_leaves_no_state(string wrong)
    {
        var client = sfu.Add();
        var (datagram, reason) = wrong switch
        {
            "username" => (client.Check(username: "nobody:else"), DropReason.StunUnknownUsername),
            "half" => (client.Check(username: $"{client.Put.WebRtc().LocalUfrag}:other"), DropReason.StunUnknownUsername),
            "password" => (client.Check(password: "wrong"), DropReason.StunIntegrity),
            "integrity" => (client.Check(integrity: false), DropReason.StunIntegrity),
            "fingerprint" => (client.Check(fingerprint: false), DropReason.StunFingerprint),
            "indication" => (Indication(client.Check()), DropReason.StunNotRequest),
            _ => (client.Check()[..^4], DropReason.StunMalformed),
        };

        client.Send(datagram);

        Assert.Equal(1, sfu.Drops(reason));
        Assert.Equal(1, sfu.Worker.Counters.TotalDrops);
        Assert.Equal(TransportState.New, client.Transport.State);
        AssertSilent();
    }

    [Fact]
    public void A_client_that_believes_to_be_controlled_is_told_otherwise()
    {
        var client = sfu.Add();

        client.Send(client.Check(controlled: true));

        AssertError(client, 487, DropReason.StunRoleConflict);
    }

    [Fact]
    public void An_attribute_that_must_be_understood_and_is_not_is_refused_by_name()
    {
        var client = sfu.Add();

        client.Send(client.Check(extra: 0x7F01));

        AssertError(client, 420, DropReason.StunUnknownAttribute);
        Assert.True(StunMessage.TryParse(client.Inbox[0], out var response));
        Assert.True(response.TryGet(StunAttribute.UnknownAttributes, out var types));
        Assert.Equal([0x7F, 0x01], types.ToArray());
    }

    [Fact]
    public void An_attribute_that_may_be_ignored_is()
    {
        var client = sfu.Add();

        client.Send(client.Check(extra: 0xC057));

        Assert.Equal(TransportState.Reachable, client.Transport.State);
    }

    [Fact]
    public void Media_follows_only_an_authenticated_nomination()
    {
        var (talker, listener) = (sfu.Connect(), sfu.Connect());
        sfu.Subscribe(talker, listener);
        var home = listener.Address;
        var moved = RemoteEndPoint.From(new IPEndPoint(IPAddress.Parse("198.51.100.9"), 9));

        sfu.Deliver(listener.Check(password: "wrong"), moved);
        Assert.Equal(home, listener.Transport.Selected?.Remote);
        sfu.Deliver(listener.Check(nominate: false), moved);
        Assert.Equal(home, listener.Transport.Selected?.Remote);
        sfu.Deliver(listener.Check(), moved);

        talker.Send(talker.Rtp());
        Assert.Equal(moved, sfu.Port.Sent[^1].To);
    }

    [Fact]
    public void A_check_replayed_from_elsewhere_gets_no_reply_and_leaves_no_state()
    {
        var client = sfu.Connect();
        var nomination = client.Check();
        client.Send(nomination);
        var sent = sfu.Port.Sent.Count;

        sfu.Deliver(nomination, Stranger);
        sfu.Deliver(client.Rtp(), Stranger);

        Assert.Equal(sent, sfu.Port.Sent.Count);
        Assert.Equal(client.Address, client.Transport.Selected?.Remote);
        Assert.Equal((1, 1), (sfu.Drops(DropReason.StunReplayed), sfu.Drops(DropReason.UnknownAddress)));
    }

    [Fact]
    public void A_check_is_known_as_long_as_the_history_is()
    {
        var client = sfu.Connect();
        var first = client.Check();
        client.Send(first);
        for (var i = 1; i < CheckHistory.Capacity; i++) client.Send(client.Check());

        sfu.Deliver(first, Stranger);

        Assert.Equal(client.Address, client.Transport.Selected?.Remote);
        Assert.Equal(1, sfu.Drops(DropReason.StunReplayed));
    }

    [Fact]
    public void A_check_sent_again_from_its_own_address_is_answered_again()
    {
        var client = sfu.Add();
        var check = client.Check();

        client.Send(check);
        client.Send(check);

        Assert.Equal(2, client.Inbox.Count);
        Assert.Equal(0, sfu.Worker.Counters.TotalDrops);
    }

    [Fact]
    public void Media_is_taken_from_every_validated_address_and_from_no_other()
    {
        var (talker, listener) = (sfu.Connect(), sfu.Connect());
        sfu.Subscribe(talker, listener);
        var moved = RemoteEndPoint.From(new IPEndPoint(IPAddress.Parse("198.51.100.9"), 9));
        sfu.Deliver(talker.Check(nominate: false), moved);

        sfu.Deliver(talker.Rtp(), moved);
        talker.Send(talker.Rtp());
        sfu.Deliver(talker.Rtp(), Stranger);

        Assert.Equal(2, listener.TakeRtp().Count);
        Assert.Equal(1, sfu.Drops(DropReason.UnknownAddress));
    }

    [Fact]
    public void A_client_has_a_bounded_number_of_addresses_and_keeps_the_selected_one()
    {
        var client = sfu.Connect();
        for (var i = 0; i < 3 * IceLite.MaxAddresses; i++)
        {
            sfu.Advance(TimeSpan.FromMilliseconds(100));
            sfu.Deliver(client.Check(nominate: false), Stranger with { Port = (ushort)(1000 + i) });
        }

        client.Send(client.Rtp());
        sfu.Deliver(client.Rtp(), Stranger with { Port = 1000 });

        Assert.Equal(client.Address, client.Transport.Selected?.Remote);
        Assert.Equal(1, sfu.Drops(DropReason.UnknownAddress));
    }

    [Fact]
    public void A_check_from_port_zero_gets_no_reply_and_leaves_no_state()
    {
        var client = sfu.Add();

        sfu.Deliver(client.Check(), client.Address with { Port = 0 });

        Assert.Equal(1, sfu.Drops(DropReason.PortZero));
        Assert.Equal(TransportState.New, client.Transport.State);
        AssertSilent();
    }

    [Fact]
    public void An_address_in_use_is_not_given_to_another_client()
    {
        var (owner, other) = (sfu.Connect(), sfu.Add());

        sfu.Deliver(other.Check(), owner.Address);
        Assert.Equal(TransportState.New, other.Transport.State);
        Assert.Equal(1, sfu.Drops(DropReason.StunUnknownUsername));

        sfu.Apply([new DropTransport(owner.Id)]);
        sfu.Deliver(other.Check(), owner.Address);
        Assert.Equal(TransportState.Reachable, other.Transport.State);
    }

    [Fact]
    public void Consent_lasts_thirty_seconds_past_the_last_check()
    {
        var client = sfu.Connect();
        sfu.Advance(TimeSpan.FromSeconds(20));
        client.Send(client.Check());
        sfu.Advance(TimeSpan.FromSeconds(29.9));
        Assert.Empty(sfu.Events);

        sfu.Advance(TimeSpan.FromSeconds(0.1));

        Assert.Equal([new TransportClosed(client.Id, TransportCloseReason.ConsentExpired)], sfu.Events);
        Assert.Equal(TransportState.Closed, client.Transport.State);
        client.Send(client.Rtp());
        client.Send(client.Check());
        Assert.Equal((1, 1), (sfu.Drops(DropReason.UnknownAddress), sfu.Drops(DropReason.TransportClosed)));
    }

    [Fact]
    public void Consent_to_an_address_is_not_kept_by_checks_from_another()
    {
        var client = sfu.Connect();
        for (var i = 0; i < 31; i++)
        {
            sfu.Advance(TimeSpan.FromSeconds(1));
            sfu.Deliver(client.Check(nominate: false), Stranger);
        }

        Assert.Contains(new TransportClosed(client.Id, TransportCloseReason.ConsentExpired), sfu.Events);
    }

    [Theory]
    [InlineData(SrtpProfile.AeadAes128Gcm)]
    [InlineData(SrtpProfile.Aes128CmHmacSha1_80)]
    public void Failed_auth_creates_no_stream_state(SrtpProfile profile)
    {
        var talker = sfu.Connect(profile);
        var good = talker.Rtp();
        for (var i = 0; i < good.Length * 8; i++)
        {
            var bad = (byte[])good.Clone();
            bad[i / 8] ^= (byte)(1 << i % 8);
            talker.Send(bad);
        }

        Assert.Equal(0u, talker.Transport.Tracks[0].SenderSsrc);
        talker.Send(good);
        Assert.Equal(talker.SenderSsrc, talker.Transport.Tracks[0].SenderSsrc);
        Assert.Equal(good.Length * 8, sfu.Worker.Counters.TotalDrops);
    }

    [Theory]
    [InlineData(SrtpProfile.AeadAes128Gcm)]
    [InlineData(SrtpProfile.Aes128CmHmacSha1_80)]
    public void A_truncated_packet_is_never_forwarded(SrtpProfile profile)
    {
        var (talker, listener) = (sfu.Connect(profile), sfu.Connect());
        sfu.Subscribe(talker, listener);
        var good = talker.Rtp();

        for (var length = 0; length < good.Length; length++) talker.Send(good.AsSpan(0, length));

        Assert.Empty(listener.TakeRtp());
        Assert.Equal(good.Length, sfu.Worker.Counters.TotalDrops);
    }

    [Fact]
    public void A_replayed_packet_is_forwarded_once()
    {
        var (talker, listener) = (sfu.Connect(), sfu.Connect());
        sfu.Subscribe(talker, listener);
        var packet = talker.Rtp();

        for (var i = 0; i < 3; i++) talker.Send(packet);

        Assert.Single(listener.TakeRtp());
        Assert.Equal(2, sfu.Drops(DropReason.SrtpReplayed));
    }

    [Fact]
    public void An_oversized_datagram_is_dropped_unread()
    {
        var talker = sfu.Connect();

        talker.Send(talker.Rtp(new byte[Worker.MaxDatagram]));

        Assert.Equal(1, sfu.Drops(DropReason.Oversized));
    }

    [Fact]
    public void A_client_cannot_make_stream_states_without_bound()
    {
        var talker = sfu.Connect();
        for (var i = 0; i < 2 * SrtpReceiver.DefaultMaxStreams; i++)
        {
            talker.SenderSsrc++;
            talker.Send(talker.Rtp());
        }

        Assert.Equal(SrtpReceiver.DefaultMaxStreams, sfu.Drops(DropReason.SrtpTooManyStreams));
    }

    [Theory]
    [InlineData(22)]
    [InlineData(25)]
    public void Dtls_from_an_address_that_nobody_validated_is_not_listened_to(byte contentType)
    {
        var client = sfu.Add();

        client.Send([contentType, 0xFE, 0xFD, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);

        Assert.Equal(1, sfu.Drops(DropReason.UnknownAddress));
        AssertSilent();
    }

    [Fact]
    public void Dtls_begins_with_a_handshake_record()
    {
        var client = sfu.Add();
        client.Send(client.Check());

        client.Send([23, 0xFE, 0xFD, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);

        Assert.Equal(1, sfu.Drops(DropReason.DtlsUnexpected));
    }

    [Fact]
    public void Whatever_a_stranger_sends_is_counted_and_not_answered()
    {
        var (talker, listener) = (sfu.Connect(), sfu.Connect());
        sfu.Subscribe(talker, listener);
        var (sent, before) = (sfu.Port.Sent.Count, sfu.Worker.Counters.TotalDrops);
        byte[][] seeds = [talker.Check(), talker.Rtp(), talker.Rtcp([0x80, 201, 0, 1, 0, 0, 0, 1])];
        var count = 0;

        Gen.Select(Gen.OneOf(
            Gen.Byte.Array[0, 200],
            Gen.Select(Gen.Int[0, 2], Gen.Int[0, 10_000], Gen.Byte[1, 255], (which, at, flip) =>
            {
                var copy = (byte[])seeds[which].Clone();
                copy[at % copy.Length] ^= flip;
                return copy;
            })), Gen.Bool).Sample((datagram, fromClient) =>
        {
            count++;
            sfu.Deliver(datagram, fromClient ? talker.Address : Stranger);
        }, iter: 20_000, threads: 1);

        Assert.Equal(sent, sfu.Port.Sent.Count);
        Assert.Equal(count, sfu.Worker.Counters.TotalDrops - before);
        Assert.Empty(sfu.Events);
        talker.Send(seeds[1]);
        Assert.Single(listener.TakeRtp());
    }

    private static byte[] Indication(byte[] check)
    {
        check[1] |= 0x10;
        return check;
    }

    private void AssertSilent()
    {
        Assert.Empty(sfu.Port.Sent);
        Assert.Empty(sfu.Events);
    }

    private void AssertError(VirtualClient client, int code, DropReason reason)
    {
        Assert.True(StunMessage.TryParse(Assert.Single(client.Inbox), out var response));
        Assert.True(response.TryGetErrorCode(out var error));
        Assert.Equal((StunClass.ErrorResponse, code), (response.Class, error));
        Assert.Equal(1, sfu.Drops(reason));
        Assert.Equal(TransportState.New, client.Transport.State);
    }
}
