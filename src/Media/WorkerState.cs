using Voice.Media.Checkpoints;
using Voice.Media.Loudest;
using Voice.Media.Net;
using Voice.Media.Rings;
using Voice.Protocol.DiscordUdp;
using Voice.Protocol.Links;
using Voice.Protocol.Srtp;

namespace Voice.Media;

/// <summary>The transports, tracks, subscriptions and groups of one worker: what it was told, made so. The worker's thread only.</summary>
internal sealed class WorkerState(Worker worker, WorkerContext context, Shadows shadows)
{
    private const string Full = "the checkpoint memory is full";

    private const Gates TalkerGates = Gates.TalkerSelfMuted | Gates.TalkerMuted;

    private readonly Dictionary<uint, Transport> transports = [];
    private readonly Dictionary<uint, Track> tracks = [];
    private readonly Dictionary<uint, LoudestSpeakers> groups = [];
    private readonly Dictionary<(uint Track, uint Listener), Subscription> subscriptions = [];

    /// <summary>Transports that the commands in hand drop.</summary>
    private readonly HashSet<uint> leaving = [];

    /// <summary>By id.</summary>
    public Dictionary<uint, Transport> Transports => transports;

    /// <summary>By our SSRC: those whose sender is on this worker.</summary>
    public Dictionary<uint, Track> Tracks => tracks;

    /// <summary>Those whose listener is on this worker.</summary>
    public Dictionary<(uint Track, uint Listener), Subscription> Subscriptions => subscriptions;

    /// <summary>The whole state of this worker: what is not put here is dropped. Until <see cref="Settle"/> more changes may come, and go on where an earlier
    /// process stopped.</summary>
    public void Begin(IReadOnlyList<MediaChange> changes, TimeSpan now)
    {
        var wantedTransports = changes.OfType<PutTransport>().Select(put => put.Id).ToHashSet();
        // One that is to be of another transport is another track, and its listeners begin anew with it.
        var wantedTracks = changes.OfType<PutTrack>().Select(put => (put.Ssrc, put.Transport)).ToHashSet();
        var wantedGroups = changes.OfType<PutGroup>().Select(put => put.Id).ToHashSet();
        var wantedShadows = changes.OfType<PutShadow>().Select(put => (put.Put.Ssrc, put.Put.Transport)).ToHashSet();
        var wantedRelays = changes.OfType<PutRelay>().Select(put => (put.Track, put.Worker)).ToHashSet();
        var wantedSubscriptions = changes.OfType<PutSubscription>().Select(put => (put.Track, put.Listener)).ToHashSet();

        leaving.Clear();
        leaving.UnionWith(transports.Keys.Where(id => !wantedTransports.Contains(id)));
        foreach (var key in subscriptions.Keys.Where(key => !wantedSubscriptions.Contains(key)).ToList()) Drop(subscriptions[key], now);
        foreach (var track in tracks.Values.Where(track => !wantedTracks.Contains((track.Ssrc, track.Sender.Id))).ToList()) Drop(track, now);
        foreach (var id in leaving) Drop(transports[id], now);
        foreach (var shadow in shadows.Fanouts.Where(shadow => !wantedShadows.Contains((shadow.Ssrc, shadow.Talker))).ToList()) DropShadow(shadow.Ssrc, now);
        foreach (var track in tracks.Values) track.Relays.RemoveAll(relay => !wantedRelays.Contains((track.Ssrc, relay.Worker)));
        foreach (var id in groups.Keys.Where(id => !wantedGroups.Contains(id)).ToList()) groups.Remove(id);
        Apply(changes, now);
    }

    /// <summary>All is put: what an earlier process left and nobody took is forgotten.</summary>
    public void Settle()
    {
        foreach (var transport in transports.Values) transport.Settle();
        worker.Checkpoints.ForgetLeft();
    }

    /// <summary>Changes, in their order. Each is idempotent; one that makes no sense is counted, logged and left out.</summary>
    public void Apply(IReadOnlyList<MediaChange> changes, TimeSpan now)
    {
        leaving.Clear();
        leaving.UnionWith(changes.OfType<DropTransport>().Select(drop => drop.Id));
        foreach (var change in changes)
        {
            if (Refusal(change, now) is not { } why) continue;
            context.Counters.Drop(DropReason.CommandRefused);
            context.Log($"refused {change.GetType().Name}: {why}");
        }
    }

    private string? Refusal(MediaChange change, TimeSpan now)
    {
        switch (change)
        {
            case PutTransport put: return TryPut(put, now);
            case PutTrack put: return TryPut(put);
            case PutSubscription put: return TryPut(put, now);
            case PutRelay put: return TryPut(put);
            case PutGroup put: return TryPut(put, now);
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

    private string? TryPut(PutTransport put, TimeSpan now)
    {
        if (transports.TryGetValue(put.Id, out var known))
        {
            return Same(known.Put, put) ? null : $"transport {put.Id} is there already and not the same";
        }
        if (put.OpusPayloadType > 127) return $"transport {put.Id}: payload type {put.OpusPayloadType}";
        if (put.AudioLevelExtension > 14) return $"transport {put.Id}: extension id {put.AudioLevelExtension}";
        if (Refusal(put.Path) is { } why) return $"transport {put.Id}: {why}";

        var left = worker.Checkpoints.TakeLeft(put.Id);
        if (Own(left) is not { } checkpoint) return $"transport {put.Id}: {Full}";
        Transport transport = put.Path is UdpPath udp
            ? new UdpTransport(worker, put, udp, checkpoint)
            : new WebRtcTransport(worker, put, (WebRtcPath)put.Path, checkpoint);
        if (worker.Routes.TryAdd(transport) is { } common)
        {
            worker.Checkpoints.Remove(checkpoint);
            return $"transport {put.Id}: {common}";
        }
        transports.Add(put.Id, transport);
        transport.Resume(left, now);
        if (transport.ReporterSsrc == 0) transport.ReporterSsrc = (uint)context.Random.NextInt64(1, uint.MaxValue);
        if (put.Resumed is not null && left.Count == 0) worker.Close(transport, TransportCloseReason.NotResumed);
        else if (transport is UdpTransport) context.Events(new TransportReady(put.Id));
        return null;

        Checkpoint? Own(List<Checkpoint> left)
        {
            foreach (var its in left)
            {
                if (its.Kind == CheckpointKind.Transport) return its;
            }
            // What else there is of it cannot be told to be whole.
            foreach (var its in left) worker.Checkpoints.Remove(its);
            left.Clear();
            return worker.Checkpoints.TryAdd(CheckpointKind.Transport, put.Id, 0);
        }
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
        if (sender.TryAddTrack(put.Ssrc) is not { } checkpoint) return $"track {put.Ssrc}: {Full}";
        var track = new Track(put, sender, checkpoint);
        track.Fanout.Join(groups.GetValueOrDefault(put.Group), put.First);
        tracks.Add(put.Ssrc, track);
        sender.Add(track);
        return null;
    }

    private string? TryPut(PutGroup put, TimeSpan now)
    {
        if (put.Id == 0 || put.Loudest < 1) return $"group {put.Id} of {put.Loudest}";
        if (groups.TryGetValue(put.Id, out var known)) known.Resize(put.Loudest, now);
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
            if (wasOpen && put.Gates != Gates.None && (put.Gates & ~TalkerGates) == 0) worker.Forwarder.End(known, now);
            return null;
        }
        if ((tracks.GetValueOrDefault(put.Track)?.Fanout ?? shadows.Find(put.Track)) is not { } fanout) return $"no track {put.Track} on worker {context.Index}";
        if (!transports.TryGetValue(put.Listener, out var listener)) return $"no listener {put.Listener} on worker {context.Index}";
        if (listener.Streams.ContainsKey(put.Ssrc)) return $"listener {put.Listener} has a stream {put.Ssrc}";

        if (listener.TryAddStream(put.Ssrc, fanout, (ulong)context.Random.Next(EgressIndex.MaxStart)) is not { } stream)
        {
            return $"subscription of {put.Listener} to {put.Track}: {Full}";
        }
        var subscription = new Subscription(fanout, listener, stream) { Gates = put.Gates };
        subscriptions.Add((put.Track, put.Listener), subscription);
        fanout.Add(subscription);
        listener.Subscriptions.Add(subscription);
        return null;
    }

    private void Drop(Subscription subscription, TimeSpan now)
    {
        if (subscription.Gates == Gates.None && !leaving.Contains(subscription.Listener.Id)) worker.Forwarder.End(subscription, now);
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
        track.Forget(worker.Checkpoints);
    }

    private void Drop(Transport transport, TimeSpan now)
    {
        foreach (var subscription in transport.Subscriptions.ToArray()) Drop(subscription, now);
        foreach (var track in transport.Tracks.ToArray()) Drop(track, now);
        transports.Remove(transport.Id);
        worker.Routes.Remove(transport);
        transport.Close();
        transport.Forget();
    }

    /// <summary>But for what an earlier process said of it, which is of no interest any more.</summary>
    private static bool Same(PutTransport left, PutTransport right) => left with { Path = right.Path, Resumed = right.Resumed } == right && (left.Path, right.Path) switch
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
