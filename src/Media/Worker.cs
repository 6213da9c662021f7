using System.Diagnostics;
using Voice.Media.Dtls;
using Voice.Media.Net;
using Voice.Media.Rtcp;
using Voice.Protocol.Links;
using Voice.Protocol.Rtp;
using Voice.Protocol.Srtp;
using Voice.Protocol.Stun;

namespace Voice.Media;

/// <summary>What a worker needs from around it.</summary>
/// <param name="Port">Where it sends.</param>
/// <param name="Post">Runs something on the worker's thread, soon; called from other threads.</param>
/// <param name="Events">What the node must know; called on the worker's thread and must not block.</param>
/// <param name="Log">One line about a command that makes no sense.</param>
public sealed record WorkerContext(
    int Index,
    IDatagramPort Port,
    DtlsServer Dtls,
    Action<Action<Worker>> Post,
    Action<MediaEvent> Events,
    Action<string> Log,
    Random Random);

/// <summary>Owns transports, tracks and subscriptions, and forwards between them. Told the time and handed the bytes; one thread
/// calls it (<see cref="WorkerLoop"/>). The packet's story goes on in <see cref="Transport"/> and <see cref="Forwarder"/>.</summary>
public sealed class Worker
{
    /// <summary>Longer datagrams are dropped: nobody sends media larger than an Ethernet frame.</summary>
    public const int MaxDatagram = 1500;

    /// <summary>How often <see cref="Tick"/> wants to be called.</summary>
    public static readonly TimeSpan TickInterval = TimeSpan.FromMilliseconds(100);

    private readonly WorkerContext context;
    private readonly Reporter reporter = new();
    private readonly Dictionary<RemoteEndPoint, Transport> byAddress = [];
    private readonly Dictionary<string, Transport> byUsername = [];
    private readonly Dictionary<string, Transport>.AlternateLookup<ReadOnlySpan<char>> usernames;
    private readonly Dictionary<uint, Transport> transports = [];
    private readonly Dictionary<uint, Track> tracks = [];
    private readonly Dictionary<(uint Track, uint Listener), Subscription> subscriptions = [];

    public Worker(WorkerContext context)
    {
        this.context = context;
        usernames = byUsername.GetAlternateLookup<ReadOnlySpan<char>>();
        Forwarder = new(context.Port, Counters);
    }

    public WorkerCounters Counters { get; } = new();

    public IReadOnlyDictionary<uint, Transport> Transports => transports;

    public IReadOnlyDictionary<uint, Track> Tracks => tracks;

    public IReadOnlyDictionary<(uint Track, uint Listener), Subscription> Subscriptions => subscriptions;

    internal Forwarder Forwarder { get; }

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
        if (byAddress.TryGetValue(from, out var transport)) return transport.Receive(datagram, from, now);

        // RFC 8445 section 7.3: from an address that nobody validated only a check by one of our clients counts.
        if (Demux.Classify(datagram) != PacketKind.Stun) return DropReason.UnknownAddress;
        if (!StunMessage.TryParse(datagram, out var check)) return DropReason.StunMalformed;
        return FindByUsername(check) is { } addressee ? addressee.Receive(datagram, from, now) : DropReason.StunUnknownUsername;
    }

    /// <summary>Timers: consent and reports.</summary>
    public void Tick(TimeSpan now)
    {
        foreach (var transport in transports.Values)
        {
            if (!transport.KeepsConsent(now))
            {
                Close(transport, TransportCloseReason.ConsentExpired);
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
    public void Replace(IReadOnlyList<MediaChange> changes)
    {
        var wantedTransports = changes.OfType<PutTransport>().Select(put => put.Id).ToHashSet();
        var wantedTracks = changes.OfType<PutTrack>().Select(put => put.Ssrc).ToHashSet();
        var wantedSubscriptions = changes.OfType<PutSubscription>().Select(put => (put.Track, put.Listener)).ToHashSet();

        foreach (var key in subscriptions.Keys.Where(key => !wantedSubscriptions.Contains(key)).ToList()) Drop(subscriptions[key]);
        foreach (var ssrc in tracks.Keys.Where(ssrc => !wantedTracks.Contains(ssrc)).ToList()) Drop(tracks[ssrc]);
        foreach (var id in transports.Keys.Where(id => !wantedTransports.Contains(id)).ToList()) Drop(transports[id]);
        Apply(changes);
    }

    /// <summary>Changes, in their order. Each is idempotent; one that makes no sense is counted, logged and left out.</summary>
    public void Apply(IReadOnlyList<MediaChange> changes)
    {
        foreach (var change in changes)
        {
            if (Refusal(change) is not { } why) continue;
            Counters.Drop(DropReason.CommandRefused);
            context.Log($"refused {change.GetType().Name}: {why}");
        }
    }

    private string? Refusal(MediaChange change)
    {
        switch (change)
        {
            case PutTransport put: return TryPut(put);
            case PutTrack put: return TryPut(put);
            case PutSubscription put: return TryPut(put);
            case DropTransport drop when transports.TryGetValue(drop.Id, out var transport):
                Drop(transport);
                break;
            case DropTrack drop when tracks.TryGetValue(drop.Ssrc, out var track):
                Drop(track);
                break;
            case DropSubscription drop when subscriptions.TryGetValue((drop.Track, drop.Listener), out var subscription):
                Drop(subscription);
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
        if (put.Path is not WebRtcPath path) return $"transport {put.Id}: an unknown path";
        if (path.RemoteFingerprint.Length != 32) return $"transport {put.Id}: a SHA-256 fingerprint has 32 bytes";
        if (!path.Profiles.All(profile => ((SrtpProfile)profile).IsSupported)) return $"transport {put.Id}: an unknown SRTP profile";
        if (put.OpusPayloadType > 127) return $"transport {put.Id}: payload type {put.OpusPayloadType}";
        if (put.AudioLevelExtension > 14) return $"transport {put.Id}: extension id {put.AudioLevelExtension}";
        var transport = new Transport(this, put, path) { ReporterSsrc = (uint)context.Random.NextInt64(1, uint.MaxValue) };
        if (!byUsername.TryAdd(transport.Username, transport)) return $"transport {put.Id}: its ufrags are another's";
        transports.Add(put.Id, transport);
        return null;
    }

    private string? TryPut(PutTrack put)
    {
        if (tracks.TryGetValue(put.Ssrc, out var known))
        {
            if (known.Sender.Id != put.Transport || known.Kind != put.Kind || known.ClockRate != put.ClockRate)
            {
                return $"track {put.Ssrc} is there already and not the same";
            }
            if (put.SenderSsrc != 0) known.SetSource(put.SenderSsrc);
            return null;
        }
        if (!transports.TryGetValue(put.Transport, out var sender)) return $"track {put.Ssrc}: no transport {put.Transport}";
        if (put.ClockRate == 0) return $"track {put.Ssrc}: a clock rate of 0";
        var track = new Track(put.Ssrc, sender, put.Kind, put.ClockRate, put.SenderSsrc);
        tracks.Add(put.Ssrc, track);
        sender.Add(track);
        return null;
    }

    private string? TryPut(PutSubscription put)
    {
        if (subscriptions.TryGetValue((put.Track, put.Listener), out var known))
        {
            if (known.Stream.Ssrc != put.Ssrc) return $"subscription of {put.Listener} to {put.Track} has another SSRC already";
            known.Gates = put.Gates;
            return null;
        }
        // A listener on another worker needs the ring between workers (design.md section 3.3): it would be put here too, as a
        // listener whose forwarder hands the packet over.
        if (!tracks.TryGetValue(put.Track, out var track)) return $"no track {put.Track} on worker {context.Index}";
        if (!transports.TryGetValue(put.Listener, out var listener)) return $"no listener {put.Listener} on worker {context.Index}";
        if (listener.Streams.ContainsKey(put.Ssrc)) return $"listener {put.Listener} has a stream {put.Ssrc}";

        var stream = listener.AddStream(put.Ssrc, track.ClockRate, (ulong)context.Random.Next(EgressIndex.MaxStart));
        var subscription = new Subscription(track, listener, stream) { Gates = put.Gates };
        subscriptions.Add((put.Track, put.Listener), subscription);
        track.Subscriptions.Add(subscription);
        listener.Subscriptions.Add(subscription);
        return null;
    }

    private void Drop(Subscription subscription)
    {
        subscriptions.Remove((subscription.Track.Ssrc, subscription.Listener.Id));
        subscription.Track.Subscriptions.Remove(subscription);
        subscription.Listener.Subscriptions.Remove(subscription);
        subscription.Listener.Remove(subscription.Stream);
    }

    private void Drop(Track track)
    {
        foreach (var subscription in track.Subscriptions.ToArray()) Drop(subscription);
        tracks.Remove(track.Ssrc);
        track.Sender.Remove(track);
    }

    private void Drop(Transport transport)
    {
        foreach (var subscription in transport.Subscriptions.ToArray()) Drop(subscription);
        foreach (var track in transport.Tracks.ToArray()) Drop(track);
        transports.Remove(transport.Id);
        byUsername.Remove(transport.Username);
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

    /// <summary>Datagrams from the address are the transport's from now on.</summary>
    internal void Claim(in RemoteEndPoint address, Transport transport)
    {
        byAddress.TryAdd(address, transport);
        Debug.Assert(byAddress[address] == transport, "while it is another's, that one gets what comes from it");
    }

    internal void Release(in RemoteEndPoint address, Transport transport)
    {
        if (byAddress.TryGetValue(address, out var owner) && owner == transport) byAddress.Remove(address);
    }

    /// <summary>Null when the handshake pool is full.</summary>
    /// <param name="origin">Where the client's first flight came from.</param>
    internal DtlsSession? StartDtls(Transport transport, Destination origin)
    {
        DtlsSession? session = null;
        return session = context.Dtls.TryStart(new DtlsPeer(
            transport.Path.RemoteFingerprint,
            transport.Path.Profiles,
            Send: datagram => context.Post(_ => transport.SendDtls(session, datagram, origin)),
            Connected: keys => context.Post(worker => worker.Connected(transport, session, keys, origin)),
            Closed: reason => context.Post(worker => worker.Ended(transport, session, reason))));
    }

    private void Connected(Transport transport, DtlsSession? session, DtlsKeys keys, Destination origin)
    {
        if (!transport.Runs(session)) return;
        transport.Connect(keys);
        var address = (transport.Selected ?? origin).Remote;
        context.Events(new TransportConnected(transport.Id, keys.Profile, keys.KeyingMaterial, address.ToWire()));
    }

    private void Ended(Transport transport, DtlsSession? session, TransportCloseReason reason)
    {
        if (transport.Runs(session)) Close(transport, reason);
    }

    private Transport? FindByUsername(in StunMessage check)
    {
        Span<char> name = stackalloc char[513]; // RFC 8489 section 14.3
        if (!check.TryGetUsername(out var bytes) || bytes.Length > name.Length) return null;
        for (var i = 0; i < bytes.Length; i++) name[i] = (char)bytes[i]; // ice-chars are ASCII (RFC 8839 section 5.4)
        return usernames.TryGetValue(name[..bytes.Length], out var transport) ? transport : null;
    }

    private static bool Same(PutTransport left, PutTransport right) =>
        left with { Path = right.Path } == right && Same((WebRtcPath)left.Path, (WebRtcPath)right.Path);

    private static bool Same(WebRtcPath left, WebRtcPath right) =>
        left with { RemoteFingerprint = right.RemoteFingerprint, Profiles = right.Profiles } == right
        && left.RemoteFingerprint.AsSpan().SequenceEqual(right.RemoteFingerprint)
        && left.Profiles.AsSpan().SequenceEqual(right.Profiles);
}
