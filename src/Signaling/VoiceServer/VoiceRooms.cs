namespace Voice.Signaling.VoiceServer;

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

    public void Tick(TimeSpan now)
    {
        foreach (var room in rooms.Values) room.Tick(now);
    }

    public void Leave(VoiceSession session)
    {
        session.Room.Remove(session);
        load[session.Room.Worker]--;
        if (session.Room.Sessions.Count == 0) rooms.Remove(session.Room.Id);
    }
}
