using System.Net;
using System.Net.Sockets;
using Voice.Media;
using Voice.Media.Net;
using Voice.Protocol.Links;
using Voice.Protocol.Srtp;
using Voice.Tests.Fakes;
using Xunit;

namespace Voice.Tests.Media;

/// <summary>The whole media process on loopback sockets, with the test as its node.</summary>
public sealed class MediaProcessTests : IAsyncLifetime
{
    private readonly TestCertificate certificate = TestCertificate.Create();
    private readonly StringWriter log = new();
    private Socket node = null!;
    private LinkConnection<MediaCommand, MediaEvent> link = null!;
    private IAsyncEnumerator<MediaEvent> events = null!;
    private Task<int> process = null!;
    private IPEndPoint v4 = null!;
    private IPEndPoint v6 = null!;
    private IPEndPoint secondWorker = null!;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        var udp4 = Bind(IPAddress.Loopback, 0);
        v4 = (IPEndPoint)udp4.LocalEndPoint!;
        var udp6 = Bind(IPAddress.IPv6Loopback, v4.Port);
        v6 = (IPEndPoint)udp6.LocalEndPoint!;
        var second = Bind(IPAddress.Loopback, 0);
        secondWorker = (IPEndPoint)second.LocalEndPoint!;

        (node, var media) = await UnixPair();
        process = Task.Run(() => MediaProcess.RunAsync(new(Detach(media), [[Detach(udp4), Detach(udp6)], [Detach(second)]]), log, Cancel), Cancel);
        var stream = new NetworkStream(node);
        link = new(new StreamPipe(stream), MediaLink.MaxFrame);
        events = link.ReceiveAsync(Cancel).GetAsyncEnumerator(Cancel);
    }

    public async ValueTask DisposeAsync()
    {
        node.Dispose();
        await process;
        link.Dispose();
    }

    [Theory]
    [InlineData(SrtpProfile.AeadAes128Gcm)]
    [InlineData(SrtpProfile.Aes128CmHmacSha1_80)]
    public async Task Two_clients_hear_each_other_one_of_them_over_ipv6(SrtpProfile profile)
    {
        using var first = new UdpClientPeer(v4, Announce(1), profile);
        using var second = new UdpClientPeer(v6, Announce(2), profile);
        Assert.Equal(2, (await Next<MediaReady>()).Workers);
        await link.SendAsync(Snapshot(5, first.Put, second.Put), Cancel);
        await Task.Factory.StartNew(() => first.Connect(Cancel), Cancel, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        await Task.Factory.StartNew(() => second.Connect(Cancel), Cancel, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        var connected = (await Next<TransportConnected>(), await Next<TransportConnected>());
        Assert.Equal(RemoteEndPoint.From(first.LocalEndPoint).ToWire(), connected.Item1.RemoteAddress);
        await link.SendAsync(
            new MediaDelta(6, [new PutSubscription(8, 2, 8, Gates.None), new PutSubscription(16, 1, 16, Gates.None)]), Cancel);
        await ReportOf(6);

        first.SendRtp(111, 50_000, [1, 2, 3]);
        second.SendRtp(222, 60_000, [4, 5, 6]);

        Assert.Equal([1, 2, 3], second.TakeRtp(Cancel).Payload);
        Assert.Equal([4, 5, 6], first.TakeRtp(Cancel).Payload);
        while ((await Next<MediaReport>()).PacketsForwarded < 2) { }
    }

    [Fact]
    public async Task Clients_of_two_workers_hear_each_other()
    {
        using var first = new UdpClientPeer(v4, Announce(1), SrtpProfile.AeadAes128Gcm);
        using var second = new UdpClientPeer(secondWorker, Announce(2, worker: 1), SrtpProfile.AeadAes128Gcm);
        await Next<MediaReady>();
        await link.SendAsync(Snapshot(5, first.Put, second.Put), Cancel);
        await Task.Factory.StartNew(() => first.Connect(Cancel), Cancel, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        await Task.Factory.StartNew(() => second.Connect(Cancel), Cancel, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        await Next<TransportConnected>();
        await Next<TransportConnected>();
        await link.SendAsync(
            new MediaDelta(6, [new PutSubscription(8, 2, 8, Gates.None), new PutSubscription(16, 1, 16, Gates.None)]), Cancel);
        await ReportOf(6);

        for (byte i = 1; i <= 20; i++)
        {
            first.SendRtp(111, 50_000 + (ulong)i, [1, 2, i]);
            Assert.Equal([1, 2, i], second.TakeRtp(Cancel).Payload);
            second.SendRtp(222, 60_000 + (ulong)i, [4, 5, i]);
            Assert.Equal([4, 5, i], first.TakeRtp(Cancel).Payload);
        }
    }

    [Fact]
    public async Task It_ends_with_its_link()
    {
        await Next<MediaReady>();

        node.Shutdown(SocketShutdown.Both);

        Assert.Equal(0, await process.WaitAsync(Cancel));
        Assert.Empty(log.ToString());
    }

    [Fact]
    public async Task A_gap_in_the_revisions_ends_it_with_one_line()
    {
        await link.SendAsync(Snapshot(5), Cancel);
        await link.SendAsync(new MediaDelta(7, []), Cancel);

        Assert.Equal(1, await process.WaitAsync(Cancel));
        Assert.Equal($"voice media: revision 7 came after 5{Environment.NewLine}", log.ToString());
    }

    [Fact]
    public async Task It_practises_while_it_waits_and_then_serves()
    {
        await Next<MediaWarm>();

        await link.SendAsync(Snapshot(5), Cancel);

        await ReportOf(5);
        Assert.Empty(log.ToString());
    }

    [Fact]
    public async Task A_draft_and_its_changes_are_held_until_the_word_and_then_served()
    {
        using var client = new UdpClientPeer(v4, Announce(1), SrtpProfile.AeadAes128Gcm);
        await link.SendAsync(new MediaFollow(Environment.ProcessId), Cancel);
        await link.SendAsync(Snapshot(5) with { IsDraft = true }, Cancel);
        await Next<MediaHeld>();
        await link.SendAsync(new MediaDelta(6, [client.Put]), Cancel);

        await link.SendAsync(new MediaStart(), Cancel);

        Assert.Equal(6, (await Next<MediaReport>()).Revision); // who does not serve reports nothing
        await Task.Factory.StartNew(() => client.Connect(Cancel), Cancel, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        await Next<TransportConnected>();
    }

    [Fact]
    public async Task One_that_was_stopped_says_so_and_reads_no_more()
    {
        await link.SendAsync(Snapshot(5), Cancel);
        await ReportOf(5);

        await link.SendAsync(new MediaStop(), Cancel);
        await Next<MediaStopped>();

        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        socket.SendTo([1, 2, 3], v4);
        var report = await Next<MediaReport>();
        Assert.Equal(0, (await Next<MediaReport>()).PacketsReceived);
        Assert.Equal(0, report.PacketsReceived);
    }

    [Fact]
    public void Descriptors_are_listed_by_worker()
    {
        Assert.True(MediaProcessOptions.TryParseUdp("5,6;7", out var udp));
        Assert.Equal([[5, 6], [7]], udp);
        foreach (var wrong in (string[])["", "a", "1,2,3", "1;", "-1"]) Assert.False(MediaProcessOptions.TryParseUdp(wrong, out _));
    }

    private static PutTransport Announce(uint id, int worker = 0) => new(id, worker, 111, 1, new WebRtcPath($"ufrag{id}", "a-password-of-22-chars", "theirs", [], []));

    private MediaSnapshot Snapshot(long revision, params PutTransport[] transports) => new(
        revision, certificate.Certificate, certificate.PrivateKey,
        [.. transports, .. transports.Select(put => new PutTrack(put.Id * 8, put.Id, TrackKind.Audio, 48_000, 0))]);

    private async Task<T> Next<T>()
        where T : MediaEvent
    {
        while (await events.MoveNextAsync())
        {
            if (events.Current is T wanted) return wanted;
        }
        throw new InvalidOperationException($"the link ended: {log}");
    }

    /// <summary>The changes were in the worker's mailbox before the revision was reported.</summary>
    private async Task ReportOf(long revision)
    {
        while ((await Next<MediaReport>()).Revision < revision) { }
    }

    private static Socket Bind(IPAddress address, int port)
    {
        var socket = new Socket(address.AddressFamily, SocketType.Dgram, ProtocolType.Udp);
        if (address.AddressFamily == AddressFamily.InterNetworkV6) socket.DualMode = false;
        socket.Bind(new IPEndPoint(address, port));
        return socket;
    }

    /// <summary>The descriptor, without its socket closing it.</summary>
    private static int Detach(Socket socket)
    {
        var descriptor = (int)socket.Handle;
        socket.SafeHandle.SetHandleAsInvalid();
        return descriptor;
    }

    private static async Task<(Socket Ours, Socket Theirs)> UnixPair()
    {
        var path = Path.Combine(Path.GetTempPath(), $"{Guid.NewGuid():n}.sock");
        using var listener = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        listener.Bind(new UnixDomainSocketEndPoint(path));
        listener.Listen();
        var ours = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        await ours.ConnectAsync(new UnixDomainSocketEndPoint(path));
        var theirs = await listener.AcceptAsync();
        File.Delete(path);
        return (ours, theirs);
    }
}
