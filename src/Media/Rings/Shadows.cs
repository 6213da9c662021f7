using Voice.Media.Loudest;
using Voice.Media.Net;

namespace Voice.Media.Rings;

/// <summary>The tracks of other workers that this one has listeners of, and what the rings bring for them. The worker's thread only.</summary>
internal sealed class Shadows(int worker, WorkerRings rings, IDatagramPort port, Forwarder forwarder, WorkerCounters counters)
{
    /// <summary>Records taken from one ring before the next one's turn.</summary>
    private const int Burst = 64;

    private readonly Dictionary<uint, (uint Relay, Fanout Fanout)> byTrack = [];
    private readonly Dictionary<uint, Fanout> byRelay = [];

    public IEnumerable<Fanout> Fanouts => byTrack.Values.Select(shadow => shadow.Fanout);

    /// <summary>Something waits in a ring.</summary>
    public bool HasMail
    {
        get
        {
            for (var from = 0; from < rings.Workers; from++)
            {
                if (rings.Between(from, worker) is { IsEmpty: false }) return true;
            }
            return false;
        }
    }

    public Fanout? Find(uint track) => byTrack.GetValueOrDefault(track).Fanout;

    /// <summary>Another relay for a track that is known: its listeners stay.</summary>
    public void Put(PutShadow shadow, LoudestSpeakers? group)
    {
        var put = shadow.Put;
        var fanout = Find(put.Ssrc) ?? new(put.Ssrc, put.Kind, put.ClockRate, put.Transport);
        fanout.Join(group, put.First);
        Forget(put.Ssrc);
        byTrack.Add(put.Ssrc, (shadow.Relay, fanout));
        byRelay.Add(shadow.Relay, fanout);
    }

    public void Remove(uint track)
    {
        Find(track)?.Leave();
        Forget(track);
    }

    /// <summary>Forwards what the rings brought.</summary>
    public void Take(TimeSpan now)
    {
        for (var from = 0; from < rings.Workers; from++)
        {
            if (rings.Between(from, worker) is not { } ring) continue;
            for (var i = 0; i < Burst && ring.TryRead(out var header, out var payload); i++)
            {
                port.ReceivedAt = header.ReceivedAt;
                Take(header, payload, now);
                ring.Release();
            }
        }
        port.ReceivedAt = 0;
    }

    private void Forget(uint track)
    {
        if (byTrack.Remove(track, out var shadow)) byRelay.Remove(shadow.Relay);
    }

    private void Take(in RingHeader header, ReadOnlySpan<byte> payload, TimeSpan now)
    {
        var arrival = TimeSpan.FromTicks(header.Arrival);
        if (!byRelay.TryGetValue(header.Relay, out var fanout)) counters.Drop(DropReason.RelayUnknown); // not put yet, or just dropped
        else if (header.Flags.HasFlag(RingFlags.Report)) fanout.Clock.Report(header.Timestamp, arrival);
        else forwarder.Forward(fanout, Packet(header, payload), arrival, now);
    }

    private static MediaPacket Packet(in RingHeader header, ReadOnlySpan<byte> payload) => new(
        header.Index, header.Timestamp, header.Flags.HasFlag(RingFlags.Marker), header.Flags.HasFlag(RingFlags.Level) ? header.Level : null, payload);
}
