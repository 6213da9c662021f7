using Voice.Media.Dtls;
using Voice.Media.Loudest;
using Voice.Media.Net;
using Voice.Media.Rings;
using Voice.Media.Rtcp;
using Voice.Protocol.DiscordUdp;
using Voice.Protocol.Links;
using Voice.Protocol.Rtp;
using Voice.Protocol.Srtp;

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
}

/// <summary>Owns transports, tracks and subscriptions, and forwards between them. Told the time and handed the bytes; one thread
/// calls it (<see cref="WorkerLoop"/>). The packet's story goes on in <see cref="Transport"/> and <see cref="Forwarder"/>.</summary>
public sealed class Worker
{
    /// <summary>Longer datagrams are dropped: nobody sends media larger than an Ethernet frame.</summary>
    public const int MaxDatagram = 1500;

    /// <summary>How often <see cref="Tick"/> wants to be called.</summary>
    public static readonly TimeSpan TickInterval = TimeSpan.FromMilliseconds(100);

    private const Gates TalkerGates = Gates.TalkerSelfMuted | Gates.TalkerMuted;

    private readonly WorkerContext context;
    private readonly Reporter reporter = new();
    private readonly Shadows shadows;
    private readonly Dictionary<uint, Transport> transports = [];
    private readonly Dictionary<uint, Track> tracks = [];
    private readonly Dictionary<uint, LoudestSpeakers> groups = [];
    private readonly Dictionary<(uint Track, uint Listener), Subscription> subscriptions = [];

    /// <summary>Transports that the commands in hand drop.</summary>
    private readonly HashSet<uint> leaving = [];

    public Worker(WorkerContext context)
    {
        this.context = context;
        Forwarder = new(context.Port, Counters);
        shadows = new(context.Index, context.Rings, context.Port, Forwarder, Counters);
    }

    public WorkerCounters Counters => context.Counters;

    public IReadOnlyDictionary<uint, Transport> Transports => transports;

    public IReadOnlyDictionary<uint, Track> Tracks => tracks;

    public IReadOnlyDictionary<(uint Track, uint Listener), Subscription> Subscriptions => subscriptions;

    internal Forwarder Forwarder { get; }

    internal Routes Routes { get; } = new();

    /// <summary>One datagram. Authenticated or gone: a stranger's leaves no trace but a count.</summary>
    /// <param name="datagram">Decrypted in place; one longer than <see cref="MaxDatagram"/> may be cut off.</param>
    public void Receive(Span<byte> datagram, in RemoteEndPoint from, TimeSpan now)
    {
        Counters.Received(datagram.Length);
        if (Route(datagram, from, now) is { } reason) Counters.Drop(reason);
    }

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
        foreach (var transport in transports.Values)
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

    /// <summary>The whole state of this worker: what is not put here is dropped.</summary>
    public void Replace(IReadOnlyList<MediaChange> changes, TimeSpan now)
    {
        var wantedTransports = changes.OfType<PutTransport>().Select(put => put.Id).ToHashSet();
        var wantedTracks = changes.OfType<PutTrack>().Select(put => put.Ssrc).ToHashSet();
        var wantedGroups = changes.OfType<PutGroup>().Select(put => put.Id).ToHashSet();
        var wantedShadows = changes.OfType<PutShadow>().Select(put => put.Put.Ssrc).ToHashSet();
        var wantedRelays = changes.OfType<PutRelay>().Select(put => (put.Track, put.Worker)).ToHashSet();
        var wantedSubscriptions = changes.OfType<PutSubscription>().Select(put => (put.Track, put.Listener)).ToHashSet();

        leaving.Clear();
        leaving.UnionWith(transports.Keys.Where(id => !wantedTransports.Contains(id)));
        foreach (var key in subscriptions.Keys.Where(key => !wantedSubscriptions.Contains(key)).ToList()) Drop(subscriptions[key], now);
        foreach (var ssrc in tracks.Keys.Where(ssrc => !wantedTracks.Contains(ssrc)).ToList()) Drop(tracks[ssrc], now);
        foreach (var id in leaving) Drop(transports[id], now);
        foreach (var ssrc in shadows.Tracks.Where(ssrc => !wantedShadows.Contains(ssrc)).ToList()) DropShadow(ssrc, now);
        foreach (var track in tracks.Values) track.Relays.RemoveAll(relay => !wantedRelays.Contains((track.Ssrc, relay.Worker)));
        foreach (var id in groups.Keys.Where(id => !wantedGroups.Contains(id)).ToList()) groups.Remove(id);
        Apply(changes, now);
    }

    /// <summary>Changes, in their order. Each is idempotent; one that makes no sense is counted, logged and left out.</summary>
    public void Apply(IReadOnlyList<MediaChange> changes, TimeSpan now)
    {
        leaving.Clear();
        leaving.UnionWith(changes.OfType<DropTransport>().Select(drop => drop.Id));
        foreach (var change in changes)
        {
            if (Refusal(change, now) is not { } why) continue;
            Counters.Drop(DropReason.CommandRefused);
            context.Log($"refused {change.GetType().Name}: {why}");
        }
    }

    private string? Refusal(MediaChange change, TimeSpan now)
    {
        switch (change)
        {
            case PutTransport put: return TryPut(put);
            case PutTrack put: return TryPut(put);
            case PutSubscription put: return TryPut(put, now);
            case PutRelay put: return TryPut(put);
            case PutGroup put: return TryPut(put);
            case PutShadow put:
                shadows.Put(put, groups.GetValueOrDefault(put.Put.Group));
                break;
            case DropGroup drop:
                groups.Remove(drop.Id);
                break;
            case DropShadow drop:
                DropShadow(drop.Track, now);
                break;
            case DropRelay drop when tracks.TryGetValue(drop.Track, out var relayed):
                relayed.DropRelay(drop.Worker);
                break;
            case DropTransport drop when transports.TryGetValue(drop.Id, out var transport):
                Drop(transport, now);
                break;
            case DropTrack drop when tracks.TryGetValue(drop.Ssrc, out var track):
                Drop(track, now);
                break;
            case DropSubscription drop when subscriptions.TryGetValue((drop.Track, drop.Listener), out var subscription):
                Drop(subscription, now);
                break;
        }
        return null;
    }

    private string? TryPut(PutTransport put)
    {
        if (transports.TryGetValue(put.Id, out var known))
        {
            return Same(known.Put, put) ? null : $"transport {put.Id} is there already and not the same";
        }
        if (put.OpusPayloadType > 127) return $"transport {put.Id}: payload type {put.OpusPayloadType}";
        if (put.AudioLevelExtension > 14) return $"transport {put.Id}: extension id {put.AudioLevelExtension}";
        if (Refusal(put.Path) is { } why) return $"transport {put.Id}: {why}";

        var reporter = (uint)context.Random.NextInt64(1, uint.MaxValue);
        Transport transport = put.Path is UdpPath udp
            ? new UdpTransport(this, put, udp) { ReporterSsrc = reporter }
            : new WebRtcTransport(this, put, (WebRtcPath)put.Path) { ReporterSsrc = reporter };
        if (Routes.TryAdd(transport) is { } common) return $"transport {put.Id}: {common}";
        transports.Add(put.Id, transport);
        if (transport is UdpTransport) context.Events(new TransportReady(put.Id));
        return null;
    }

    private static string? Refusal(MediaPath path) => path switch
    {
        WebRtcPath { RemoteFingerprint.Length: not 32 } => "a SHA-256 fingerprint has 32 bytes",
        WebRtcPath web => web.Profiles.All(profile => ((SrtpProfile)profile).IsSupported) ? null : "an unknown SRTP profile",
        UdpPath { SecretKey.Length: not EncryptionModes.KeyLength } => "a key has 32 bytes",
        UdpPath udp when !udp.Mode.IsSupported => $"no encryption mode {udp.Mode} here",
        UdpPath udp => udp.Expected.Length == 0 || RemoteEndPoint.TryFromWire(udp.Expected, out _) ? null : "an expected address that is none",
        _ => "an unknown path",
    };

    private string? TryPut(PutTrack put)
    {
        if (tracks.TryGetValue(put.Ssrc, out var known))
        {
            if (known.Sender.Id != put.Transport || known.Fanout.Kind != put.Kind || known.Fanout.ClockRate != put.ClockRate
                || known.Group != put.Group)
            {
                return $"track {put.Ssrc} is there already and not the same";
            }
            if (put.SenderSsrc != 0) known.SetSource(put.SenderSsrc);
            known.Fanout.Join(groups.GetValueOrDefault(put.Group), put.First);
            return null;
        }
        if (!transports.TryGetValue(put.Transport, out var sender)) return $"track {put.Ssrc}: no transport {put.Transport}";
        if (put.ClockRate == 0) return $"track {put.Ssrc}: a clock rate of 0";
        if (put.Group != 0 && !groups.ContainsKey(put.Group)) return $"track {put.Ssrc}: no group {put.Group}";
        var track = new Track(put.Ssrc, sender, put.Kind, put.ClockRate, put.SenderSsrc) { Group = put.Group };
        track.Fanout.Join(groups.GetValueOrDefault(put.Group), put.First);
        tracks.Add(put.Ssrc, track);
        sender.Add(track);
        return null;
    }

    private string? TryPut(PutGroup put)
    {
        if (put.Id == 0 || put.Loudest < 1) return $"group {put.Id} of {put.Loudest}";
        if (groups.TryGetValue(put.Id, out var known)) known.Resize(put.Loudest);
        else groups.Add(put.Id, new(put.Loudest));
        return null;
    }

    private string? TryPut(PutRelay put)
    {
        if (!tracks.TryGetValue(put.Track, out var track)) return $"relay: no track {put.Track} on worker {context.Index}";
        track.Put(context.Rings.Open(put.Relay, context.Index, put.Worker));
        return null;
    }

    private string? TryPut(PutSubscription put, TimeSpan now)
    {
        if (subscriptions.TryGetValue((put.Track, put.Listener), out var known))
        {
            if (known.Stream.Ssrc != put.Ssrc) return $"subscription of {put.Listener} to {put.Track} has another SSRC already";
            var wasOpen = known.Gates == Gates.None;
            known.Fanout.SetGates(known, put.Gates);
            // Whom the server muted shall fall silent; who deafened himself hears nothing anyway.
            if (wasOpen && put.Gates != Gates.None && (put.Gates & ~TalkerGates) == 0) Forwarder.End(known, now);
            return null;
        }
        if ((tracks.GetValueOrDefault(put.Track)?.Fanout ?? shadows.Find(put.Track)) is not { } fanout) return $"no track {put.Track} on worker {context.Index}";
        if (!transports.TryGetValue(put.Listener, out var listener)) return $"no listener {put.Listener} on worker {context.Index}";
        if (listener.Streams.ContainsKey(put.Ssrc)) return $"listener {put.Listener} has a stream {put.Ssrc}";

        var stream = listener.AddStream(put.Ssrc, fanout.ClockRate, (ulong)context.Random.Next(EgressIndex.MaxStart));
        var subscription = new Subscription(fanout, listener, stream) { Gates = put.Gates };
        subscriptions.Add((put.Track, put.Listener), subscription);
        fanout.Add(subscription);
        listener.Subscriptions.Add(subscription);
        return null;
    }

    private void Drop(Subscription subscription, TimeSpan now)
    {
        if (subscription.Gates == Gates.None && !leaving.Contains(subscription.Listener.Id)) Forwarder.End(subscription, now);
        subscriptions.Remove((subscription.Fanout.Ssrc, subscription.Listener.Id));
        subscription.Fanout.Remove(subscription);
        subscription.Listener.Subscriptions.Remove(subscription);
        subscription.Listener.Remove(subscription.Stream);
    }

    private void Drop(Fanout fanout, TimeSpan now)
    {
        foreach (var subscription in fanout.Subscriptions.ToArray()) Drop(subscription, now);
    }

    private void DropShadow(uint track, TimeSpan now)
    {
        if (shadows.Find(track) is not { } fanout) return;
        Drop(fanout, now);
        shadows.Remove(track);
    }

    private void Drop(Track track, TimeSpan now)
    {
        Drop(track.Fanout, now);
        track.Fanout.Leave();
        tracks.Remove(track.Ssrc);
        track.Sender.Remove(track);
    }

    private void Drop(Transport transport, TimeSpan now)
    {
        foreach (var subscription in transport.Subscriptions.ToArray()) Drop(subscription, now);
        foreach (var track in transport.Tracks.ToArray()) Drop(track, now);
        transports.Remove(transport.Id);
        Routes.Remove(transport);
        transport.Close();
    }

    private void Close(Transport transport, TransportCloseReason reason)
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

    private static bool Same(PutTransport left, PutTransport right) => left with { Path = right.Path } == right && (left.Path, right.Path) switch
    {
        (WebRtcPath a, WebRtcPath b) => Same(a, b),
        (UdpPath a, UdpPath b) => Same(a, b),
        _ => false,
    };

    private static bool Same(WebRtcPath left, WebRtcPath right) =>
        left with { RemoteFingerprint = right.RemoteFingerprint, Profiles = right.Profiles } == right
        && left.RemoteFingerprint.AsSpan().SequenceEqual(right.RemoteFingerprint)
        && left.Profiles.AsSpan().SequenceEqual(right.Profiles);

    private static bool Same(UdpPath left, UdpPath right) =>
        left with { SecretKey = right.SecretKey, Expected = right.Expected } == right
        && left.SecretKey.AsSpan().SequenceEqual(right.SecretKey)
        && left.Expected.AsSpan().SequenceEqual(right.Expected);
}
