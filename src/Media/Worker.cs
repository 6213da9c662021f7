using Voice.Media.Checkpoints;
using Voice.Media.Dtls;
using Voice.Media.Net;
using Voice.Media.Rings;
using Voice.Media.Rtcp;
using Voice.Protocol.DiscordUdp;
using Voice.Protocol.Links;
using Voice.Protocol.Rtp;

namespace Voice.Media;

/// <summary>What a worker needs from around it.</summary>
/// <param name="Port">Where it sends.</param>
/// <param name="Post">Runs something on the worker's thread, soon; called from other threads.</param>
/// <param name="Events">What the node must know; called on the worker's thread and must not block.</param>
/// <param name="Log">One line about a command that makes no sense.</param>
public sealed record WorkerContext(
    int Index,
    IDatagramPort Port,
    WorkerCounters Counters,
    DtlsServer Dtls,
    Action<Action<Worker>> Post,
    Action<MediaEvent> Events,
    Action<string> Log,
    Random Random)
{
    /// <summary>To and from the process's other workers.</summary>
    internal WorkerRings Rings { get; init; } = new(workers: Index + 1);

    /// <summary>What a successor will need, and what an earlier process left.</summary>
    internal WorkerCheckpoints Checkpoints
    {
        get => field ??= CheckpointMemory.Private(workers: 1).Of(0);
        init;
    }
}

/// <summary>Forwards between the transports that it was given (<see cref="WorkerState"/>). Told the time and handed the bytes; one thread
/// calls it (<see cref="WorkerLoop"/>). The packet's story goes on in <see cref="Transport"/> and <see cref="Forwarder"/>.</summary>
public sealed class Worker
{
    /// <summary>Longer datagrams are dropped: nobody sends media larger than an Ethernet frame.</summary>
    public const int MaxDatagram = 1500;

    /// <summary>How often <see cref="Tick"/> wants to be called.</summary>
    public static readonly TimeSpan TickInterval = TimeSpan.FromMilliseconds(100);

    private readonly WorkerContext context;
    private readonly Reporter reporter = new();
    private readonly Shadows shadows;
    private readonly WorkerState state;
    private int preloaded;

    public Worker(WorkerContext context)
    {
        this.context = context;
        Forwarder = new(context.Port, Counters);
        shadows = new(context.Index, context.Rings, context.Port, Forwarder, Counters);
        state = new(this, context, shadows);
    }

    public WorkerCounters Counters => context.Counters;

    public IReadOnlyDictionary<uint, Transport> Transports => state.Transports;

    public IReadOnlyDictionary<uint, Track> Tracks => state.Tracks;

    public IReadOnlyDictionary<(uint Track, uint Listener), Subscription> Subscriptions => state.Subscriptions;

    internal Forwarder Forwarder { get; }

    internal Routes Routes { get; } = new();

    internal WorkerCheckpoints Checkpoints => context.Checkpoints;

    /// <summary>One datagram. Authenticated or gone: a stranger's leaves no trace but a count.</summary>
    /// <param name="datagram">Decrypted in place; one longer than <see cref="MaxDatagram"/> may be cut off.</param>
    public void Receive(Span<byte> datagram, in RemoteEndPoint from, TimeSpan now)
    {
        Counters.Received(datagram.Length);
        if (Route(datagram, from, now) is { } reason) Counters.Drop(reason);
    }

    /// <summary>A datagram from there was taken, and more: called for each before the first is handled, it lets them wait for the memory together.</summary>
    internal void Preload(in RemoteEndPoint from) => preloaded += Routes.Preload(from);

    private DropReason? Route(Span<byte> datagram, in RemoteEndPoint from, TimeSpan now)
    {
        // Port 0 says that no reply is expected (RFC 768), and sockets refuse to send to it.
        if (from.Port == 0) return DropReason.PortZero;
        if (datagram.IsEmpty) return DropReason.Empty;
        if (datagram.Length > MaxDatagram) return DropReason.Oversized;

        if (IpDiscovery.TryParseRequest(datagram, out var request)) return AnswerDiscovery(request.Ssrc, datagram, from);

        var kind = Demux.Classify(datagram);
        return Routes.Find(datagram, kind, from, out var transport) ?? transport!.Receive(datagram, kind, from, now);
    }

    /// <summary>docs/decisions/0004: whoever asks is told where it is, and forgotten.</summary>
    private DropReason? AnswerDiscovery(uint ssrc, Span<byte> datagram, in RemoteEndPoint from)
    {
        Span<byte> address = stackalloc byte[16];
        from.WriteAddress(address);
        IpDiscovery.WriteResponse(datagram, ssrc, from.IsV4 ? address[12..] : address, from.Port);
        Counters.Discovered();
        Send(datagram, new Destination(from));
        return null;
    }

    /// <summary>Another worker has left something.</summary>
    internal bool HasMail => shadows.HasMail;

    /// <summary>Forwards what other workers have left.</summary>
    internal void TakeMail(TimeSpan now) => shadows.Take(now);

    /// <summary>Timers: transports that end, and reports.</summary>
    public void Tick(TimeSpan now)
    {
        foreach (var transport in state.Transports.Values)
        {
            if (transport.Ending(now) is { } reason)
            {
                Close(transport, reason);
            }
            else if (transport.State == TransportState.Connected && now >= transport.NextReport)
            {
                if (transport.NextReport > TimeSpan.Zero) reporter.Report(transport, now);
                transport.NextReport =
                    now + Reporter.ShortestInterval + context.Random.NextDouble() * (Reporter.LongestInterval - Reporter.ShortestInterval);
            }
        }
    }

    /// <inheritdoc cref="WorkerState.Begin"/>
    public void Begin(IReadOnlyList<MediaChange> changes, TimeSpan now) => state.Begin(changes, now);

    /// <inheritdoc cref="WorkerState.Settle"/>
    public void Settle() => state.Settle();

    /// <summary>Both of the above.</summary>
    public void Replace(IReadOnlyList<MediaChange> changes, TimeSpan now)
    {
        Begin(changes, now);
        Settle();
    }

    /// <summary>Changes, in their order. Each is idempotent; one that makes no sense is counted, logged and left out.</summary>
    public void Apply(IReadOnlyList<MediaChange> changes, TimeSpan now) => state.Apply(changes, now);

    /// <summary>Nothing is received or sent any more: what another process needs is made exact, so that nobody hears that it is another.</summary>
    public void Retire()
    {
        foreach (var transport in state.Transports.Values) transport.Retire();
        Checkpoints.Retire();
    }

    internal void Close(Transport transport, TransportCloseReason reason)
    {
        transport.Close();
        context.Events(new TransportClosed(transport.Id, reason));
    }

    internal void Send(ReadOnlySpan<byte> datagram, Destination to)
    {
        if (!context.Port.TrySend(datagram, to)) Counters.Drop(DropReason.SendFailed);
    }

    /// <summary>Null when the handshake pool is full.</summary>
    /// <param name="origin">Where the client's first flight came from.</param>
    internal DtlsSession? StartDtls(WebRtcTransport transport, Destination origin)
    {
        DtlsSession? session = null;
        return session = context.Dtls.TryStart(new DtlsPeer(
            transport.Path.RemoteFingerprint,
            transport.Path.Profiles,
            Send: datagram => context.Post(_ => transport.SendDtls(session, datagram, origin)),
            Connected: keys => context.Post(worker => worker.Connected(transport, session, keys, origin)),
            Closed: reason => context.Post(worker => worker.Ended(transport, session, reason))));
    }

    private void Connected(WebRtcTransport transport, DtlsSession? session, DtlsKeys keys, Destination origin)
    {
        if (!transport.Runs(session)) return;
        transport.Connect(keys);
        var address = (transport.Selected ?? origin).Remote;
        context.Events(new TransportConnected(transport.Id, keys.Profile, keys.KeyingMaterial, address.ToWire()));
    }

    private void Ended(WebRtcTransport transport, DtlsSession? session, TransportCloseReason reason)
    {
        if (transport.Runs(session)) Close(transport, reason);
    }
}
