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
    PrioritySpeaker = 1 << 5,
}

/// <summary>One participant who has media.</summary>
/// <param name="Audio">The track's SSRC, which every listener sees.</param>
/// <param name="First">To be heard whoever else talks.</param>
internal sealed record MediaClient(PutTransport Transport, uint Audio, RoomId Room, VoiceFlags Flags, bool First = false);

/// <summary>The state that the media process should be in, and the changes it has not been told. The clients are the whole
/// truth; tracks, subscriptions and gates follow from them. Who is suppressed, as the audience of a stage is for hours, has no track that
/// others could subscribe to: an audience of thousands costs each of its people as many subscriptions as there are speakers. Mute and deafen come and
/// go, and are gates. A join, a leave or a flag costs at most twice as many changes as the room has people.</summary>
/// <param name="loudest">How many talkers of a room are heard at once; 0: all of them.</param>
internal sealed class MediaPlan(int loudest = 0)
{
    private const uint OpusClockRate = 48_000; // RFC 7587 section 4.1

    private readonly Dictionary<uint, MediaClient> clients = [];
    private readonly Dictionary<RoomId, Room> rooms = [];
    private List<MediaChange> untold = [];
    private HashSet<uint> drafted = [];
    private uint lastGroup;

    /// <summary>Of the last snapshot or delta taken.</summary>
    public long Revision { get; private set; }

    public int Clients => clients.Count;

    public void Add(MediaClient client)
    {
        var id = client.Transport.Id;
        clients.Add(id, client);
        untold.Add(client.Transport);
        var room = Enter(client.Room);
        foreach (var other in room.People)
        {
            if (MaySpeak(clients[other])) untold.Add(Subscription(clients[other], client));
        }

        room.People.Add(id);
        if (MaySpeak(client)) PutTrack(client);
    }

    /// <summary>An absent transport is fine.</summary>
    public void Remove(uint transport)
    {
        if (!clients.Remove(transport, out var client)) return;
        var room = rooms[client.Room];
        room.People.Remove(transport);
        foreach (var other in room.People)
        {
            if (MaySpeak(clients[other])) untold.Add(new DropSubscription(clients[other].Audio, transport));
        }

        if (MaySpeak(client)) DropTrack(client);
        if (room.People.Count == 0) Close(client.Room, room);
        untold.Add(new DropTransport(transport));
    }

    public void SetFlags(uint transport, VoiceFlags flags, bool first = false)
    {
        var before = clients[transport];
        var now = clients[transport] = before with { Flags = flags, First = first };
        if (ListenerGates(before.Flags) != ListenerGates(flags))
        {
            foreach (var other in Others(now).Where(MaySpeak)) untold.Add(Subscription(other, now));
        }

        switch (MaySpeak(before), MaySpeak(now))
        {
            case (false, true):
                PutTrack(now);
                break;
            case (true, false):
                DropTrack(now);
                break;
            case (true, true):
                if (Track(before) != Track(now)) untold.Add(Track(now));
                if (TalkerGates(before.Flags) != TalkerGates(flags)) PutSubscriptions(now);
                break;
        }
    }

    /// <summary>The media process serves the transport: a later one is told, and goes on. An absent transport is fine.</summary>
    public void Served(uint transport, ResumedMedia learned)
    {
        if (clients.TryGetValue(transport, out var client)) clients[transport] = client with { Transport = client.Transport with { Resumed = learned } };
    }

    public bool IsServed(uint transport) => clients[transport].Transport.Resumed is not null;

    /// <summary>What it needs to be connected only a media process knows.</summary>
    public bool IsInHandshake(uint transport) => clients[transport].Transport is { Resumed: null, Path: WebRtcPath };

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
        return new MediaSnapshot(++Revision, certificate, privateKey, Whole());
    }

    /// <summary>All that was told so far, for a media process that will take over from the one that serves. The next delta is for both.</summary>
    public MediaSnapshot TakeDraft(byte[] certificate, byte[] privateKey)
    {
        drafted = [.. clients.Values.Where(client => client.Transport.Resumed is not null).Select(client => client.Transport.Id)];
        return new MediaSnapshot(Revision, certificate, privateKey, Whole(), IsDraft: true);
    }

    /// <summary>Its handshake was done after the last draft, if at all: whoever has the draft does not have its keys.</summary>
    public bool IsMissedByDraft(uint transport) => clients[transport].Transport.Path is WebRtcPath && !drafted.Contains(transport);

    private MediaChange[] Whole()
    {
        var subscriptions =
            from talker in clients.Values
            where MaySpeak(talker)
            from listener in Others(talker)
            select Subscription(talker, listener);
        return
        [
            .. rooms.Values.Where(room => room.Group != 0).Select(room => new PutGroup(room.Group, loudest)),
            .. clients.Values.Select(client => client.Transport), .. clients.Values.Where(MaySpeak).Select(Track), .. subscriptions,
        ];
    }

    private Room Enter(RoomId id)
    {
        if (rooms.TryGetValue(id, out var room)) return room;
        rooms.Add(id, room = new Room(loudest > 0 ? ++lastGroup : 0));
        if (room.Group != 0) untold.Add(new PutGroup(room.Group, loudest));
        return room;
    }

    private void Close(RoomId id, Room room)
    {
        rooms.Remove(id);
        if (room.Group != 0) untold.Add(new DropGroup(room.Group));
    }

    private void PutTrack(MediaClient talker)
    {
        untold.Add(Track(talker));
        PutSubscriptions(talker);
    }

    private void PutSubscriptions(MediaClient talker)
    {
        foreach (var listener in Others(talker)) untold.Add(Subscription(talker, listener));
    }

    private void DropTrack(MediaClient talker)
    {
        foreach (var listener in Others(talker)) untold.Add(new DropSubscription(talker.Audio, listener.Transport.Id));
        untold.Add(new DropTrack(talker.Audio));
    }

    private IEnumerable<MediaClient> Others(MediaClient client) =>
        rooms[client.Room].People.Where(other => other != client.Transport.Id).Select(other => clients[other]);

    private static bool MaySpeak(MediaClient client) => !client.Flags.HasFlag(VoiceFlags.Suppress);

    /// <summary>A UDP client sends under the SSRC that it was given; a browser under one of its own, which its packets tell.</summary>
    private PutTrack Track(MediaClient client) => new(
        client.Audio, client.Transport.Id, TrackKind.Audio, OpusClockRate, client.Transport.Path is UdpPath udp ? udp.Ssrc : 0,
        rooms[client.Room].Group, loudest > 0 && client.First);

    private static PutSubscription Subscription(MediaClient talker, MediaClient listener) =>
        new(talker.Audio, listener.Transport.Id, talker.Audio, TalkerGates(talker.Flags) | ListenerGates(listener.Flags));

    private static Gates TalkerGates(VoiceFlags flags) =>
        (flags.HasFlag(VoiceFlags.SelfMute) ? Gates.TalkerSelfMuted : Gates.None)
        | (flags.HasFlag(VoiceFlags.Mute) ? Gates.TalkerMuted : Gates.None);

    private static Gates ListenerGates(VoiceFlags flags) =>
        (flags.HasFlag(VoiceFlags.SelfDeaf) ? Gates.ListenerSelfDeafened : Gates.None)
        | (flags.HasFlag(VoiceFlags.Deaf) ? Gates.ListenerDeafened : Gates.None);

    /// <param name="Group">In which its talkers compete; 0: they do not.</param>
    private sealed record Room(uint Group)
    {
        public List<uint> People { get; } = [];
    }
}
