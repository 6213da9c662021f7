namespace Voice.Signaling.VoiceServer;

/// <summary>All rooms of the node.</summary>
internal sealed class VoiceRooms
{
    private readonly Dictionary<RoomId, VoiceRoom> rooms = [];

    /// <summary>The room, made if nobody is in it.</summary>
    public VoiceRoom Get(RoomId id) => rooms.TryGetValue(id, out var room) ? room : new VoiceRoom(id);

    public void Enter(VoiceSession session)
    {
        rooms[session.Room.Id] = session.Room;
        session.Room.Add(session);
    }

    public void Tick(TimeSpan now)
    {
        foreach (var room in rooms.Values) room.Tick(now);
    }

    public void Leave(VoiceSession session)
    {
        session.Room.Remove(session);
        if (session.Room.Sessions.Count == 0) rooms.Remove(session.Room.Id);
    }
}
