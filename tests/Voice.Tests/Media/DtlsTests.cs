using Org.BouncyCastle.Tls;
using Voice.Media;
using Voice.Media.Dtls;
using Voice.Protocol.Links;
using Voice.Protocol.Srtp;
using Voice.Tests.Fakes;
using Xunit;

namespace Voice.Tests.Media;

/// <summary>Handshakes between BouncyCastle and the SFU on the virtual network. Both sides' threads are BouncyCastle's; every
/// wait is for one of them to post.</summary>
public sealed class DtlsTests : IDisposable
{
    private const byte ChangeCipherSpec = 20;

    private static readonly TestCertificate Server = TestCertificate.Create();
    private static readonly TestCertificate Client = TestCertificate.Create();

    private readonly VirtualSfu sfu = new();

    public DtlsTests() => sfu.Dtls.Identity = new(Server.Certificate, Server.PrivateKey);

    public void Dispose() => sfu.Dispose();

    [Theory]
    [InlineData(SrtpProfile.AeadAes128Gcm)]
    [InlineData(SrtpProfile.Aes128CmHmacSha1_80)]
    public void A_handshake_yields_the_same_keys_on_both_sides(SrtpProfile profile)
    {
        var (transport, client) = Start(Client.Fingerprint, [(ushort)profile], SrtpProfile.Aes128CmHmacSha1_80, SrtpProfile.AeadAes128Gcm);

        sfu.PumpUntil(() => sfu.Events.Count > 0 && client.Succeeded is not null);

        Assert.True(client.Succeeded);
        var connected = Assert.IsType<TransportConnected>(Assert.Single(sfu.Events));
        Assert.Equal((ushort)profile, connected.Profile);
        Assert.Equal(client.KeyingMaterial, connected.KeyingMaterial);
        Assert.Equal(transport.Address.ToWire(), connected.RemoteAddress);
        Assert.Equal(Server.Fingerprint, client.ServerFingerprint);
        Assert.Equal(TransportState.Connected, transport.Transport.State);
    }

    [Fact]
    public void The_first_of_our_profiles_that_the_client_offers_is_taken()
    {
        var (_, client) = Start(
            Client.Fingerprint, [7, 1], SrtpProfile.Aes128CmHmacSha1_80, SrtpProfile.AeadAes256Gcm, SrtpProfile.AeadAes128Gcm);

        sfu.PumpUntil(() => client.Succeeded is not null);

        Assert.Equal(SrtpProfile.AeadAes128Gcm, client.Profile);
    }

    [Fact]
    public void A_certificate_that_was_not_signalled_is_refused_inside_the_handshake()
    {
        var (transport, client) = Start(TestCertificate.Create().Fingerprint, [7], SrtpProfile.AeadAes128Gcm);

        sfu.PumpUntil(() => sfu.Events.Count > 0 && client.Succeeded is not null);

        Assert.False(client.Succeeded);
        Assert.Equal(AlertDescription.bad_certificate, client.Alert);
        Assert.Equal([new TransportClosed(transport.Id, TransportCloseReason.FingerprintMismatch)], sfu.Events);
        Assert.Equal(TransportState.Closed, transport.Transport.State);
    }

    [Theory]
    [InlineData(new SrtpProfile[0])]
    [InlineData(new[] { SrtpProfile.AeadAes256Gcm })]
    public void No_common_profile_no_connection(SrtpProfile[] offered)
    {
        var (transport, client) = Start(Client.Fingerprint, [7, 1], offered);

        sfu.PumpUntil(() => sfu.Events.Count > 0 && client.Succeeded is not null);

        Assert.False(client.Succeeded);
        Assert.Equal([new TransportClosed(transport.Id, TransportCloseReason.HandshakeFailed)], sfu.Events);
    }

    [Fact]
    public void A_lost_flight_is_sent_again()
    {
        var lost = 0;
        // The server's hello, and then its last flight, get lost once each.
        var (_, client) = Start(
            Client.Fingerprint, [7], datagram => FirstOf(datagram) && ++lost <= 2, (transport, datagram) => transport.Send(datagram),
            null, SrtpProfile.AeadAes128Gcm);

        sfu.PumpUntil(() => client.Succeeded is not null);

        Assert.True(client.Succeeded);
        Assert.True(lost >= 2);

        bool FirstOf(byte[] datagram) => (lost == 0 && datagram[0] == 22) || datagram[0] == 20;
    }

    [Fact]
    public void A_forged_record_does_not_end_the_handshake()
    {
        var forged = 0;
        var (_, client) = Start(Client.Fingerprint, [7], _ => false, SendForgedFirst, null, SrtpProfile.AeadAes128Gcm);

        sfu.PumpUntil(() => client.Succeeded is not null);

        Assert.True(client.Succeeded);
        Assert.True(forged > 0);

        void SendForgedFirst(VirtualClient transport, byte[] datagram)
        {
            var encrypted = datagram[4] == 1; // the epoch
            if (encrypted)
            {
                forged++;
                var copy = (byte[])datagram.Clone();
                copy[^1] ^= 1;
                transport.Send(copy);
            }
            transport.Send(datagram);
        }
    }

    [Fact]
    public void A_client_that_has_P256_only_is_served()
    {
        var (_, client) = Start(Client.Fingerprint, [7], _ => false, (transport, datagram) => transport.Send(datagram), [NamedGroup.secp256r1], SrtpProfile.AeadAes128Gcm);

        sfu.PumpUntil(() => client.Succeeded is not null);

        Assert.True(client.Succeeded);
    }

    [Fact]
    public void What_comes_again_after_the_handshake_is_answered_only_if_it_is_new_and_authentic()
    {
        List<byte[]> sent = [];
        var answers = 0;
        var (transport, client) = Start(
            Client.Fingerprint, [7], datagram => datagram[0] == ChangeCipherSpec && ++answers <= 1, (transport, datagram) =>
            {
                sent.Add(datagram);
                transport.Send(datagram);
            }, null, SrtpProfile.AeadAes128Gcm);
        sfu.PumpUntil(() => client.Succeeded is not null); // its Finished came twice: the first answer was lost
        Assert.Equal(2, answers);

        var finished = sent.Where(datagram => datagram[4] == 1).ToArray();
        foreach (var datagram in finished) transport.Send(datagram);
        var renumbered = (byte[])finished[^1].Clone();
        renumbered[10]++;
        transport.Send(renumbered);
        transport.Send([.. finished[^1][..^1]]);
        transport.Send([21, 0xFE, 0xFD, 0, 0, 0, 0, 0, 0, 0, 99, 0, 2, 2, 0]); // an alert in clear
        client.SayGoodbye(); // a datagram that is answered, so that all before it are done
        sfu.PumpUntil(() => sfu.Events.OfType<TransportClosed>().Any());

        Assert.Equal(2, answers);
    }

    [Fact]
    public void Close_notify_ends_the_transport()
    {
        var (transport, client) = Start(Client.Fingerprint, [7], SrtpProfile.AeadAes128Gcm);
        sfu.PumpUntil(() => sfu.Events.Count > 0 && client.Succeeded is not null);
        sfu.Events.Clear();

        client.SayGoodbye();
        sfu.PumpUntil(() => sfu.Events.Count > 0);

        Assert.Equal([new TransportClosed(transport.Id, TransportCloseReason.PeerClosed)], sfu.Events);
    }

    [Fact]
    public void A_dropped_transport_ends_its_handshake_and_says_nothing()
    {
        // More than there are threads: if one of them stayed, the last client would wait for the others' timeout.
        for (var i = 0; i < 8; i++)
        {
            var silent = Announce(Client.Fingerprint, [7]);
            silent.Send(silent.Check());
            silent.Send([22, 0xFE, 0xFF, 0, 0]);
            sfu.Apply([new DropTransport(silent.Id)]);
        }
        var (_, client) = Start(Client.Fingerprint, [7], SrtpProfile.AeadAes128Gcm);
        sfu.PumpUntil(() => client.Succeeded is not null && sfu.Events.Count > 0);

        Assert.IsType<TransportConnected>(Assert.Single(sfu.Events));
    }

    [Fact]
    public void A_full_pool_refuses_and_counts()
    {
        using var full = new DtlsServer(maxThreads: 1, maxQueued: 0) { Identity = sfu.Dtls.Identity };

        Assert.Null(full.TryStart(new([], [7], _ => { }, _ => { }, _ => { })));
    }

    [Fact]
    public void A_peer_that_falls_silent_ends_its_handshake_and_one_that_goes_on_does_not()
    {
        var queue = new DatagramQueue(_ => { }, maxSilenceMillis: 3);
        var buffer = new byte[10];
        for (var i = 0; i < 5; i++)
        {
            Assert.Equal(-1, queue.Receive(buffer, waitMillis: 2));
            Assert.True(queue.TryDeliver([22, 1]));
            Assert.Equal(2, queue.Receive(buffer, waitMillis: 2));
        }

        Assert.Equal(-1, queue.Receive(buffer, waitMillis: 2));
        Assert.Throws<IOException>(() => queue.Receive(buffer, waitMillis: 0));
    }

    private VirtualClient Announce(byte[] fingerprint, ushort[] profiles) =>
        sfu.Add(customize: put => put.With(path => path with { RemoteFingerprint = fingerprint, Profiles = profiles }));

    private (VirtualClient Transport, DtlsClient Client) Start(byte[] fingerprint, ushort[] ours, params SrtpProfile[] theirs) =>
        Start(fingerprint, ours, _ => false, (transport, datagram) => transport.Send(datagram), null, theirs);

    private (VirtualClient Transport, DtlsClient Client) Start(
        byte[] fingerprint, ushort[] ours, Func<byte[], bool> loses, Action<VirtualClient, byte[]> send, int[]? groups, params SrtpProfile[] theirs)
    {
        var transport = Announce(fingerprint, ours);
        transport.Send(transport.Check());
        var client = new DtlsClient(Client, theirs, datagram => sfu.Post(_ => send(transport, datagram))) { Groups = groups };
        sfu.Port.Attach(transport.Address, datagram =>
        {
            if (!loses(datagram)) client.Deliver(datagram);
        });
        client.Start(done => sfu.Post(_ => done()));
        return (transport, client);
    }
}
