using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Voice.Protocol.Links;
using Voice.Signaling.Gateway.Allocation;
using Voice.VoiceAllocator;

namespace Voice.Signaling.Gateway.Probing;

/// <summary>Probes the media paths to all linked nodes, through two sockets: whatever their number, one thread does it, which shares nothing with what
/// else the gateway does: how late a packet is must not depend on who waits for a pool's threads. Any thread may call.</summary>
public sealed partial class MediaProber : IHostedService, IDisposable
{
    /// <summary>How often it is looked what is due.</summary>
    private static readonly TimeSpan TickInterval = TimeSpan.FromMilliseconds(10);

    /// <summary>What a thousand nodes of two workers answer in half a second, as the kernel counts it. As far as the system allows.</summary>
    private const int ReceiveBufferBytes = 4 * 1024 * 1024;

    private const int MaxDatagram = 2048;

    private static readonly TimeSpan PauseAfterFailure = TimeSpan.FromMilliseconds(500);

    /// <summary>Datagrams taken before it is looked again what is due.</summary>
    private const int MaxAtOnce = 1024;

    private readonly ConcurrentQueue<Action<MediaProbes, TimeSpan>> posts = new();
    private readonly TimeProvider time;
    private readonly ILogger<MediaProber> log;
    private readonly ProbeJudge judge;
    private readonly ProbeMetrics metrics;
    private readonly Socket talker = OpenSocket();
    private readonly Socket listener = OpenSocket();
    private readonly Thread thread;
    private volatile bool stopping;

    public MediaProber(NodeProber prober, IMeterFactory meters, TimeProvider time, ILogger<MediaProber> log)
    {
        (this.time, this.log) = (time, log);
        judge = new(prober.MediaOpened, prober.MediaHeard, prober.MediaClosed, prober.MediaPeriod);
        metrics = new(meters.Create("Voice.Gateway"));
        listener.ReceiveBufferSize = ReceiveBufferBytes;
        thread = new Thread(Run) { IsBackground = true, Name = "media probes" };
    }

    /// <inheritdoc cref="MediaProbes.Linked"/>
    public void Linked(NodeIdentity node, string link, Action<GatewayLinkMessage> send) => posts.Enqueue((probes, now) => probes.Linked(node, link, send, now));

    /// <inheritdoc cref="MediaProbes.Unlinked"/>
    public void Unlinked(NodeIdentity node, string link) => posts.Enqueue((probes, now) => probes.Unlinked(node, link, now));

    /// <inheritdoc cref="MediaProbes.Opened"/>
    public void Opened(NodeIdentity node, ProbeOpened opened) => posts.Enqueue((probes, now) => probes.Opened(node, opened, now));

    public Task StartAsync(CancellationToken cancellationToken)
    {
        thread.Start();
        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken)
    {
        stopping = true;
        return thread.IsAlive ? Task.Run(thread.Join, cancellationToken) : Task.CompletedTask;
    }

    /// <summary>A host that did not come up disposes what it never stops.</summary>
    public void Dispose()
    {
        stopping = true;
        if (thread.IsAlive) thread.Join();
        talker.Dispose();
        listener.Dispose();
    }

    private void Run()
    {
        using var probes = new MediaProbes(judge, CanReach, metrics, Random.Shared);
        var datagram = new byte[MaxDatagram];
        var started = time.GetTimestamp();
        var due = TimeSpan.Zero;
        while (!stopping)
        {
            try
            {
                Turn(probes, datagram, started, ref due);
            }
            catch (Exception e)
            {
                // A bug, or a network that is gone for a moment. Without probes a gateway would be blind for good.
                LogFailed(e);
                Thread.Sleep(PauseAfterFailure);
            }
        }
    }

    private void Turn(MediaProbes probes, byte[] datagram, long started, ref TimeSpan due)
    {
        var wait = due - time.GetElapsedTime(started);
        if (wait > TimeSpan.Zero)
        {
            if (listener.Poll(wait, SelectMode.SelectRead)) TakeWaiting(probes, datagram, started);
            return;
        }

        // Read before what is due is sent: a gateway that was held up has answers waiting.
        TakeWaiting(probes, datagram, started);
        var now = time.GetElapsedTime(started);
        due = now + TickInterval;
        while (posts.TryDequeue(out var post)) post(probes, now);
        probes.Tick(now, Send);
    }

    private void TakeWaiting(MediaProbes probes, byte[] datagram, long started)
    {
        for (var i = 0; i < MaxAtOnce; i++)
        {
            var length = listener.Receive(datagram, SocketFlags.None, out var error);
            if (error != SocketError.Success) return; // nothing more, or an ICMP of somebody
            probes.Take(datagram.AsSpan(0, length), time.GetElapsedTime(started));
        }
    }

    private void Send(ProbeSide side, IPEndPoint to, ReadOnlySpan<byte> datagram)
    {
        try
        {
            (side == ProbeSide.Talker ? talker : listener).SendTo(datagram, SocketFlags.None, to);
        }
        catch (SocketException)
        {
            // No route, or no room: lost like any datagram.
        }
    }

    private bool CanReach(IPEndPoint address) =>
        talker.AddressFamily == AddressFamily.InterNetworkV6 || address.AddressFamily == talker.AddressFamily;

    private static Socket OpenSocket()
    {
        var (family, any) = Socket.OSSupportsIPv6 ? (AddressFamily.InterNetworkV6, IPAddress.IPv6Any) : (AddressFamily.InterNetwork, IPAddress.Any);
        var socket = new Socket(family, SocketType.Dgram, ProtocolType.Udp) { Blocking = false };
        if (family == AddressFamily.InterNetworkV6) socket.DualMode = true;
        socket.Bind(new IPEndPoint(any, 0));
        return socket;
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "the probes of the media paths failed at one turn")]
    private partial void LogFailed(Exception e);
}
