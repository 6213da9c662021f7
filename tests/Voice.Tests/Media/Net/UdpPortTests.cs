using System.Net;
using System.Net.Sockets;
using Voice.Media;
using Voice.Media.Net;
using Xunit;

namespace Voice.Tests.Media.Net;

/// <summary>Both ports, on loopback sockets.</summary>
public sealed class UdpPortTests : IDisposable
{
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(20);

    private readonly WorkerCounters counters = new();
    private readonly List<UdpPort> ports = [];
    private readonly List<Socket> peers = [];

    public void Dispose()
    {
        ports.ForEach(port => port.Dispose());
        peers.ForEach(peer => peer.Dispose());
    }

    [Theory, InlineData(true), InlineData(false)]
    public void What_is_sent_arrives_each_datagram_for_itself_and_in_order(bool portable)
    {
        var port = Open(portable, out _);
        var (near, far) = (Peer(IPAddress.Loopback), Peer(IPAddress.Loopback));
        var (toNear, toFar) = (To(near), To(far));
        int[] lengths = [100, 100, 100, 70, 120, 120, 1, 1200, 1200, 3];
        for (byte i = 0; i < lengths.Length; i++)
        {
            Assert.True(port.TrySend(Filled(i, lengths[i]), toNear));
            if (i % 3 == 0) Assert.True(port.TrySend(Filled(i, 50), toFar));
        }
        port.Flush();

        for (byte i = 0; i < lengths.Length; i++) Assert.Equal(Filled(i, lengths[i]), Receive(near));
        for (byte i = 0; i < lengths.Length; i += 3) Assert.Equal(Filled(i, 50), Receive(far));
        Assert.Equal(0, counters.TotalDrops);
    }

    [Theory, InlineData(true), InlineData(false)]
    public void More_than_a_batch_holds_leaves_without_a_flush_and_in_order(bool portable)
    {
        var port = Open(portable, out _);
        var peer = Peer(IPAddress.Loopback);
        var to = To(peer);
        for (var i = 0; i < 2000; i++)
        {
            Assert.True(port.TrySend(BitConverter.GetBytes(i), to));
            if (i % 100 != 99) continue;
            port.Flush();
            for (var j = i - 99; j <= i; j++) Assert.Equal(BitConverter.GetBytes(j), Receive(peer));
        }
        for (var i = 0; i < 600; i++) port.TrySend(BitConverter.GetBytes(i), to);
        Assert.Equal(BitConverter.GetBytes(0), Receive(peer));
    }

    [Theory, InlineData(true), InlineData(false)]
    public void Both_address_families_are_received_with_their_senders(bool portable)
    {
        var port = Open(portable, out var at, IPAddress.Loopback, IPAddress.IPv6Loopback);
        var (v4, v6) = (Peer(IPAddress.Loopback), Peer(IPAddress.IPv6Loopback));
        v4.SendTo([4], at);
        v6.SendTo([6, 6], new IPEndPoint(IPAddress.IPv6Loopback, at.Port));

        var got = Take(port, 2);
        Assert.Equal(2, got.Count);
        Assert.Contains(got, one => one.Datagram is [4] && one.From == RemoteEndPoint.From((IPEndPoint)v4.LocalEndPoint!));
        Assert.Contains(got, one => one.Datagram is [6, 6] && one.From == RemoteEndPoint.From((IPEndPoint)v6.LocalEndPoint!));
        Assert.True(port.TrySend([1], To(v6)));
        port.Flush();
        Assert.Equal([1], Receive(v6));
    }

    [Theory, InlineData(true), InlineData(false)]
    public void To_an_address_family_without_a_socket_nothing_is_sent(bool portable)
    {
        var port = Open(portable, out _);
        Assert.False(port.TrySend([1], To(Peer(IPAddress.IPv6Loopback))));
    }

    [Theory, InlineData(true), InlineData(false)]
    public void A_datagram_that_is_too_long_shows_it(bool portable)
    {
        var port = Open(portable, out var at);
        Peer(IPAddress.Loopback).SendTo(new byte[4000], at);
        Assert.Equal(Worker.MaxDatagram + 1, Take(port, 1)[0].Datagram.Length);
    }

    [Theory, InlineData(true), InlineData(false)]
    public void What_cannot_leave_is_counted_and_the_next_leaves(bool portable)
    {
        var port = Open(portable, out _);
        var peer = Peer(IPAddress.Loopback);
        Assert.True(port.TrySend([1], new(RemoteEndPoint.From(new IPEndPoint(IPAddress.Broadcast, 9)))));
        Assert.True(port.TrySend([2], To(peer)));
        port.Flush();
        Assert.Equal([2], Receive(peer));
        Assert.Equal(1, counters[DropReason.SendFailed]);
    }

    [Theory, InlineData(true), InlineData(false)]
    public void Several_that_cannot_leave_are_each_counted_and_the_next_leave(bool portable)
    {
        var port = Open(portable, out _);
        var peer = Peer(IPAddress.Loopback);
        Destination nowhere = new(RemoteEndPoint.From(new IPEndPoint(IPAddress.Broadcast, 9)));
        for (var i = 0; i < 3; i++)
        {
            Assert.True(port.TrySend([1, 2], nowhere));
            Assert.True(port.TrySend([3, (byte)i], To(peer)));
        }
        port.Flush();
        for (var i = 0; i < 3; i++) Assert.Equal([3, (byte)i], Receive(peer));
        Assert.Equal(3, counters[DropReason.SendFailed]);
    }

    [Theory, InlineData(true), InlineData(false)]
    public async Task A_wake_ends_the_wait_that_is_on_and_the_next_one(bool portable)
    {
        var port = Open(portable, out _);
        port.Wake();
        port.Wait(TimeSpan.FromMinutes(30));
        var waiting = Task.Run(() => port.Wait(TimeSpan.FromMinutes(30)), TestContext.Current.CancellationToken);
        port.Wake();
        await waiting.WaitAsync(Soon, TestContext.Current.CancellationToken);
    }

    [Fact]
    public void The_kernel_says_when_it_received_and_the_delay_until_the_send_is_counted()
    {
        var port = Open(portable: false, out var at);
        var peer = Peer(IPAddress.Loopback);
        peer.SendTo([1], at);
        port.ReceivedAt = Take(port, 1)[0].ReceivedAt;
        Assert.NotEqual(0, port.ReceivedAt);
        port.TrySend([1], To(peer));
        port.ReceivedAt = 0;
        port.TrySend([2], To(peer));
        port.Flush();
        Assert.Equal(1, counters.Report().AddedDelay.Sum());
    }

    private static byte[] Filled(byte value, int length) => [.. Enumerable.Repeat(value, length)];

    private static Destination To(Socket peer) => new(RemoteEndPoint.From((IPEndPoint)peer.LocalEndPoint!));

    private static byte[] Receive(Socket peer)
    {
        var buffer = new byte[2000];
        return buffer[..peer.Receive(buffer)];
    }

    private static List<(byte[] Datagram, RemoteEndPoint From, long ReceivedAt)> Take(UdpPort port, int number)
    {
        var taken = new List<(byte[], RemoteEndPoint, long)>();
        while (taken.Count < number)
        {
            var count = port.Receive();
            for (var i = 0; i < count; i++) taken.Add((port.Datagram(i, out var from, out var at).ToArray(), from, at));
            if (count == 0) port.Wait(Soon);
        }
        return taken;
    }

    private UdpPort Open(bool portable, out IPEndPoint at, params IPAddress[] addresses)
    {
        List<Socket> sockets = [];
        foreach (var address in addresses is [] ? [IPAddress.Loopback] : addresses)
        {
            var socket = new Socket(address.AddressFamily, SocketType.Dgram, ProtocolType.Udp);
            socket.Bind(new IPEndPoint(address, sockets is [var first, ..] ? ((IPEndPoint)first.LocalEndPoint!).Port : 0));
            sockets.Add(socket);
        }
        at = (IPEndPoint)sockets[0].LocalEndPoint!;
        UdpPort port = portable ? new SocketUdpPort([.. sockets], counters) : UdpPort.Open(counters, [.. sockets]);
        ports.Add(port);
        return port;
    }

    private Socket Peer(IPAddress address)
    {
        var peer = new Socket(address.AddressFamily, SocketType.Dgram, ProtocolType.Udp) { ReceiveTimeout = (int)Soon.TotalMilliseconds };
        peer.Bind(new IPEndPoint(address, 0));
        peers.Add(peer);
        return peer;
    }
}
