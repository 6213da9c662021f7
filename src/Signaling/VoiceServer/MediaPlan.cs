using Voice.Protocol.Links;

namespace Voice.Signaling.VoiceServer;

/// <summary>A voice channel, as the SFU's fan-out knows it: everybody in it hears everybody else.</summary>
internal readonly record struct RoomId(ulong Guild, ulong Channel);

/// <summary>What a voice state says about who may talk and who listens.</summary>
[Flags]
internal enum VoiceFlags
{
    None = 0,
    SelfMute = 1 << 0,
    Mute = 1 << 1,
    Suppress = 1 << 2,
    SelfDeaf = 1 << 3,
    Deaf = 1 << 4,
}

/// <summary>One participant who has media.</summary>
/// <param name="Audio">The track's SSRC, which every listener sees.</param>
internal sealed record MediaClient(PutTransport Transport, uint Audio, RoomId Room, VoiceFlags Flags);

/// <summary>The state that the media process should be in, and the changes it has not been told. The clients are the whole
/// truth; tracks, subscriptions and gates follow from them. A join, a leave or a flag costs as many changes as the room
/// has people.</summary>
internal sealed class MediaPlan
{
    private const uint OpusClockRate = 48_000; // RFC 7587 section 4.1

    private readonly Dictionary<uint, MediaClient> clients = [];
    private readonly Dictionary<RoomId, List<uint>> rooms = [];
    private List<MediaChange> untold = [];

    /// <summary>Of the last snapshot or delta taken.</summary>
    public long Revision { get; private set; }

    public int Clients => clients.Count;

    public void Add(MediaClient client)
    {
        var id = client.Transport.Id;
        clients.Add(id, client);
        untold.Add(client.Transport);
        untold.Add(Track(client));
        if (!rooms.TryGetValue(client.Room, out var room)) rooms.Add(client.Room, room = []);
        foreach (var other in room)
        {
            untold.Add(Subscription(client, clients[other]));
            untold.Add(Subscription(clients[other], client));
        }

        room.Add(id);
    }

    /// <summary>An absent transport is fine.</summary>
    public void Remove(uint transport)
    {
        if (!clients.Remove(transport, out var client)) return;
        var room = rooms[client.Room];
        room.Remove(transport);
        foreach (var other in room)
        {
            untold.Add(new DropSubscription(client.Audio, other));
            untold.Add(new DropSubscription(clients[other].Audio, transport));
        }

        if (room.Count == 0) rooms.Remove(client.Room);
        untold.Add(new DropTrack(client.Audio));
        untold.Add(new DropTransport(transport));
    }

    public void SetFlags(uint transport, VoiceFlags flags)
    {
        var before = clients[transport];
        var now = clients[transport] = before with { Flags = flags };
        var talks = TalkerGates(before.Flags) != TalkerGates(flags);
        var listens = ListenerGates(before.Flags) != ListenerGates(flags);
        foreach (var other in rooms[now.Room].Where(other => other != transport))
        {
            if (talks) untold.Add(Subscription(now, clients[other]));
            if (listens) untold.Add(Subscription(clients[other], now));
        }
    }

    /// <summary>Everything that changed since the last delta or snapshot; null if nothing did.</summary>
    public MediaDelta? TakeDelta()
    {
        if (untold.Count == 0) return null;
        var changes = untold.ToArray();
        untold = [];
        return new MediaDelta(++Revision, changes);
    }

    /// <summary>All of it, for a media process that knows nothing.</summary>
    public MediaSnapshot TakeSnapshot(byte[] certificate, byte[] privateKey)
    {
        untold = [];
        var subscriptions =
            from room in rooms.Values
            from talker in room
            from listener in room
            where talker != listener
            select Subscription(clients[talker], clients[listener]);
        MediaChange[] changes = [.. clients.Values.Select(client => client.Transport), .. clients.Values.Select(Track), .. subscriptions];
        return new MediaSnapshot(++Revision, certificate, privateKey, changes);
    }

    /// <summary>A UDP client sends under the SSRC that it was given; a browser under one of its own, which its packets tell.</summary>
    private static PutTrack Track(MediaClient client) => new(
        client.Audio, client.Transport.Id, TrackKind.Audio, OpusClockRate, client.Transport.Path is UdpPath udp ? udp.Ssrc : 0);

    private static PutSubscription Subscription(MediaClient talker, MediaClient listener) =>
        new(talker.Audio, listener.Transport.Id, talker.Audio, TalkerGates(talker.Flags) | ListenerGates(listener.Flags));

    private static Gates TalkerGates(VoiceFlags flags) =>
        (flags.HasFlag(VoiceFlags.SelfMute) ? Gates.TalkerSelfMuted : Gates.None)
        | (flags.HasFlag(VoiceFlags.Mute) ? Gates.TalkerMuted : Gates.None)
        | (flags.HasFlag(VoiceFlags.Suppress) ? Gates.TalkerSuppressed : Gates.None);

    private static Gates ListenerGates(VoiceFlags flags) =>
        (flags.HasFlag(VoiceFlags.SelfDeaf) ? Gates.ListenerSelfDeafened : Gates.None)
        | (flags.HasFlag(VoiceFlags.Deaf) ? Gates.ListenerDeafened : Gates.None);
}
