using Voice.Protocol.Links;

namespace Voice.Media;

/// <summary>Which worker a change belongs to: a transport's own, for its life; a track's is its sender's; a subscription's is its
/// listener's. Where the last two differ, the listener's worker gets a shadow of the track and the track's a relay to it, for as long as there is
/// such a listener.</summary>
public sealed class WorkerPlan(int workers)
{
    private readonly Dictionary<uint, int> transports = [];
    private readonly Dictionary<uint, PlannedTrack> tracks = [];
    private List<MediaChange>[] parts = [];
    private uint lastRelay;

    /// <summary>The changes of each worker, in their order.</summary>
    /// <exception cref="InvalidDataException">A change names a worker that there is not.</exception>
    public List<MediaChange>[] Split(IEnumerable<MediaChange> changes)
    {
        parts = new List<MediaChange>[workers];
        for (var i = 0; i < workers; i++) parts[i] = [];
        foreach (var change in changes) Place(change);
        return parts;
    }

    /// <summary>The same for a whole state: what it does not put is forgotten. Its order does not matter.</summary>
    public List<MediaChange>[] SplitWhole(IEnumerable<MediaChange> changes)
    {
        transports.Clear();
        tracks.Clear();
        return Split(changes.OrderBy(change => change switch { PutGroup => 0, PutTransport => 1, PutTrack => 2, _ => 3 }));
    }

    private void Place(MediaChange change)
    {
        switch (change)
        {
            case PutTransport put:
                if ((uint)put.Worker >= (uint)workers)
                {
                    throw new InvalidDataException($"transport {put.Id} on worker {put.Worker} of {workers}");
                }
                // A second put is the worker's to compare; it must reach the same one.
                transports.TryAdd(put.Id, put.Worker);
                parts[transports[put.Id]].Add(put);
                break;
            case DropTransport drop:
                foreach (var (ssrc, track) in tracks)
                {
                    if (track.Put.Transport == drop.Id) Forget(ssrc, track);
                    else Unsubscribe(track, drop.Id);
                }
                parts[WorkerOf(drop.Id)].Add(drop);
                transports.Remove(drop.Id);
                break;
            case PutTrack put:
                if (!tracks.TryAdd(put.Ssrc, new(put, WorkerOf(put.Transport)))) tracks[put.Ssrc] = Change(tracks[put.Ssrc], put.First);
                parts[tracks[put.Ssrc].Home].Add(put);
                break;
            case PutGroup or DropGroup:
                foreach (var part in parts) part.Add(change);
                break;
            case DropTrack drop:
                if (tracks.TryGetValue(drop.Ssrc, out var dropped)) Forget(drop.Ssrc, dropped);
                parts[dropped?.Home ?? 0].Add(drop);
                break;
            case PutSubscription put:
                if (tracks.TryGetValue(put.Track, out var heard)) Subscribe(heard, put.Listener);
                parts[WorkerOf(put.Listener)].Add(put);
                break;
            case DropSubscription drop:
                parts[WorkerOf(drop.Listener)].Add(drop);
                if (tracks.TryGetValue(drop.Track, out var unheard)) Unsubscribe(unheard, drop.Listener);
                break;
            default:
                throw new InvalidDataException($"unknown change {change.GetType().Name}");
        }
    }

    /// <summary>What is not known is anybody's to refuse.</summary>
    private int WorkerOf(uint transport) => transports.GetValueOrDefault(transport);

    private void Subscribe(PlannedTrack track, uint listener)
    {
        var worker = WorkerOf(listener);
        if (worker == track.Home || !transports.ContainsKey(listener)) return;
        if (!track.Far.TryGetValue(worker, out var far))
        {
            track.Far.Add(worker, far = new(++lastRelay));
            parts[worker].Add(new PutShadow(far.Relay, track.Put));
            parts[track.Home].Add(new PutRelay(far.Relay, track.Put.Ssrc, worker));
        }
        far.Listeners.Add(listener);
    }

    private void Unsubscribe(PlannedTrack track, uint listener)
    {
        var worker = WorkerOf(listener);
        if (!track.Far.TryGetValue(worker, out var far) || !far.Listeners.Remove(listener) || far.Listeners.Count > 0) return;
        track.Far.Remove(worker);
        parts[track.Home].Add(new DropRelay(track.Put.Ssrc, worker));
        parts[worker].Add(new DropShadow(track.Put.Ssrc));
    }

    /// <summary>What else may change, its sender's SSRC, is its home's alone.</summary>
    private PlannedTrack Change(PlannedTrack track, bool first)
    {
        if (track.Put.First == first) return track;
        var changed = track with { Put = track.Put with { First = first } };
        foreach (var (worker, far) in track.Far) parts[worker].Add(new PutShadow(far.Relay, changed.Put));
        return changed;
    }

    private void Forget(uint ssrc, PlannedTrack track)
    {
        tracks.Remove(ssrc);
        foreach (var worker in track.Far.Keys) parts[worker].Add(new DropShadow(ssrc));
    }

    private sealed record PlannedTrack(PutTrack Put, int Home)
    {
        public Dictionary<int, FarWorker> Far { get; } = [];
    }

    /// <summary>Another worker with listeners of a track.</summary>
    private sealed record FarWorker(uint Relay)
    {
        public HashSet<uint> Listeners { get; } = [];
    }
}
