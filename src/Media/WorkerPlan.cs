using Voice.Protocol.Links;

namespace Voice.Media;

/// <summary>Which worker a change belongs to: a transport's own, for its life; a track's is its sender's; a subscription's is its
/// track's.</summary>
public sealed class WorkerPlan(int workers)
{
    private readonly Dictionary<uint, int> transports = [];
    private readonly Dictionary<uint, (int Worker, uint Transport)> tracks = [];

    /// <summary>The changes of each worker, in their order.</summary>
    /// <exception cref="InvalidDataException">A change names a worker that there is not.</exception>
    public List<MediaChange>[] Split(IEnumerable<MediaChange> changes)
    {
        var parts = new List<MediaChange>[workers];
        for (var i = 0; i < workers; i++) parts[i] = [];
        foreach (var change in changes) parts[Place(change)].Add(change);
        return parts;
    }

    /// <summary>The same for a whole state: what it does not put is forgotten. Its order does not matter.</summary>
    public List<MediaChange>[] SplitWhole(IEnumerable<MediaChange> changes)
    {
        transports.Clear();
        tracks.Clear();
        return Split(changes.OrderBy(change => change switch { PutTransport => 0, PutTrack => 1, _ => 2 }));
    }

    private int Place(MediaChange change)
    {
        switch (change)
        {
            case PutTransport put:
                if ((uint)put.Worker >= (uint)workers)
                {
                    throw new InvalidDataException($"transport {put.Id} on worker {put.Worker} of {workers}");
                }
                // A second put is the worker's to compare; it must reach the same one.
                return transports.TryGetValue(put.Id, out var known) ? known : transports[put.Id] = put.Worker;
            case DropTransport drop:
                transports.Remove(drop.Id, out var home);
                foreach (var (ssrc, track) in tracks)
                {
                    if (track.Transport == drop.Id) tracks.Remove(ssrc);
                }
                return home;
            case PutTrack put:
                var sender = transports.GetValueOrDefault(put.Transport);
                tracks.TryAdd(put.Ssrc, (sender, put.Transport));
                return sender;
            case DropTrack drop:
                tracks.Remove(drop.Ssrc, out var gone);
                return gone.Worker;
            case PutSubscription put:
                return tracks.GetValueOrDefault(put.Track).Worker;
            case DropSubscription drop:
                return tracks.GetValueOrDefault(drop.Track).Worker;
            default:
                throw new InvalidDataException($"unknown change {change.GetType().Name}");
        }
    }
}
