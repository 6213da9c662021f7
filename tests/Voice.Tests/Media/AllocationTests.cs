using Voice.Media.Net;
using Voice.Protocol.DiscordUdp;
using Voice.Protocol.Links;
using Voice.Protocol.Srtp;
using Voice.Tests.Fakes;
using Xunit;

namespace Voice.Tests.Media;

public sealed class AllocationTests
{
    private const int Listeners = 10;
    private const int Round = 2_000;
    private const int Packets = 100_000;

    [Theory]
    [InlineData(SrtpProfile.AeadAes128Gcm)]
    [InlineData(SrtpProfile.Aes128CmHmacSha1_80)]
    public void Forwarding_allocates_nothing(SrtpProfile profile)
    {
        using var sfu = new VirtualSfu(port: new CountingPort());
        Forwards(sfu, sfu.Connect(profile), () => sfu.Connect(profile));
    }

    [Theory]
    [InlineData(EncryptionMode.AeadAes256GcmRtpSize)]
    [InlineData(EncryptionMode.AeadXChaCha20Poly1305RtpSize)]
    [InlineData(EncryptionMode.XSalsa20Poly1305Suffix)]
    public void Forwarding_between_native_clients_allocates_nothing(EncryptionMode mode)
    {
        using var sfu = new VirtualSfu(port: new CountingPort());
        Forwards(sfu, sfu.ConnectNative(mode), () => sfu.ConnectNative(mode));
    }

    [Fact]
    public void Forwarding_to_another_worker_allocates_nothing()
    {
        using var sfu = new VirtualSfu(port: new CountingPort(), workers: 2);
        var next = 0;
        Forwards(sfu, sfu.Connect(), () => sfu.Connect(worker: next++ % 2));
    }

    [Fact]
    public void Choosing_the_loudest_allocates_nothing()
    {
        using var sfu = new VirtualSfu(port: new CountingPort());
        sfu.Apply([new PutGroup(5, 1)]);
        Forwards(sfu, sfu.Connect(group: 5), () => sfu.Connect());
    }

    private static void Forwards(VirtualSfu sfu, VirtualPeer talker, Func<VirtualPeer> listener)
    {
        for (var i = 0; i < Listeners; i++) sfu.Subscribe(talker, listener());
        var payload = new byte[100];

        // Made beforehand, in rounds, for the client allocates what it likes.
        var datagrams = new byte[Round][];
        var (sent, measured, allocated) = (0, 0, 0L);
        while (measured < Packets)
        {
            for (var i = 0; i < Round; i++) datagrams[i] = talker.Rtp(payload, level: 20);
            var bytes = Allocated.By(() =>
            {
                foreach (var datagram in datagrams)
                {
                    sfu.Worker.Receive(datagram, talker.Address, sfu.Now);
                    foreach (var worker in sfu.Workers) worker.TakeMail(sfu.Now);
                }
            });
            var warm = sent > 0;
            sent += Round;
            if (!warm || bytes is null) continue;
            measured += Round;
            allocated += bytes.Value;
        }

        Assert.Equal(0, allocated);
        Assert.Equal(sent * Listeners, sfu.Workers.Sum(worker => worker.Counters.PacketsForwarded));
        Assert.Equal(0, sfu.Workers.Sum(worker => worker.Counters.TotalDrops));
    }

    [Fact]
    public void A_strangers_datagrams_allocate_nothing()
    {
        using var sfu = new VirtualSfu(port: new CountingPort());
        var (client, native) = (sfu.Add(), sfu.AddNative());
        var chacha = sfu.AddNative(EncryptionMode.AeadXChaCha20Poly1305RtpSize);
        byte[][] datagrams =
        [
            client.Check(username: "nobody:knows"), client.Check(password: "wrong"), client.Rtp(), [22, 1, 2], [], Forged(native), Forged(chacha),
            native.Rtcp([0x80, 201, 0, 1, 0, 0, 0, 1]), [1, 2, 3, 4, 5, 6, 7, 8],
        ];
        for (var i = 0; i < 100; i++) Receive();

        Assert.Equal(0, Allocated.ByUndisturbed(() =>
        {
            for (var i = 0; i < 1000; i++) Receive();
        }));

        void Receive()
        {
            foreach (var datagram in datagrams) sfu.Worker.Receive(datagram, client.Address, sfu.Now);
        }
    }

    [Fact]
    public void Consent_and_reports_allocate_nothing()
    {
        using var sfu = new VirtualSfu(port: new CountingPort());
        VirtualClient[] clients = [.. Enumerable.Range(0, 3).Select(_ => sfu.Connect())];
        foreach (var talker in clients)
        {
            foreach (var listener in clients) if (talker != listener) sfu.Subscribe(talker, listener);
        }
        byte[][][] seconds = [.. Enumerable.Range(0, 1000).Select(_ => clients.SelectMany(client => new[] { client.Check(), client.Rtp() }).ToArray())];
        var second = 0;
        while (second < 700) PassSecond(); // until the history of checks is as long as it gets

        Assert.Equal(0, Allocated.ByUndisturbed(() =>
        {
            for (var i = 0; i < 50; i++) PassSecond();
        }));
        Assert.Equal(0, sfu.Worker.Counters.TotalDrops);

        void PassSecond()
        {
            var datagrams = seconds[second++];
            for (var i = 0; i < datagrams.Length; i++) sfu.Worker.Receive(datagrams[i], clients[i / 2].Address, sfu.Now);
            sfu.Advance(TimeSpan.FromSeconds(1));
        }
    }

    private static byte[] Forged(VirtualNative client)
    {
        var packet = client.Rtp();
        packet[^10] ^= 1;
        return packet;
    }

    private sealed class CountingPort : IDatagramPort
    {
        public bool TrySend(ReadOnlySpan<byte> datagram, Destination to) => true;
    }
}
