namespace Voice.Signaling.VoiceServer;

/// <summary>A voice channel with somebody in it. It is served by one media worker for as long as it lasts.</summary>
internal sealed class VoiceRoom(RoomId id, int worker)
{
    private readonly List<VoiceSession> sessions = [];

    public RoomId Id => id;

    public int Worker => worker;

    public IReadOnlyList<VoiceSession> Sessions => sessions;

    public void Add(VoiceSession session) => sessions.Add(session);

    public void Remove(VoiceSession session) => sessions.Remove(session);

    public IEnumerable<VoiceSession> Except(VoiceSession session) => sessions.Where(other => other != session);
}

/// <summary>All rooms of the node.</summary>
internal sealed class VoiceRooms(int workers)
{
    private readonly Dictionary<RoomId, VoiceRoom> rooms = [];
    private readonly int[] load = new int[workers];

    /// <summary>The room, made on the worker with the fewest participants if nobody is in it.</summary>
    public VoiceRoom Get(RoomId id) =>
        rooms.TryGetValue(id, out var room) ? room : new VoiceRoom(id, Array.IndexOf(load, load.Min()));

    public void Enter(VoiceSession session)
    {
        rooms[session.Room.Id] = session.Room;
        session.Room.Add(session);
        load[session.Room.Worker]++;
    }

    public void Leave(VoiceSession session)
    {
        session.Room.Remove(session);
        load[session.Room.Worker]--;
        if (session.Room.Sessions.Count == 0) rooms.Remove(session.Room.Id);
    }
}
