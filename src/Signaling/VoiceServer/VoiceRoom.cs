using Voice.Protocol;
using Voice.Protocol.Voice;

namespace Voice.Signaling.VoiceServer;

/// <summary>A voice channel with somebody in it: its people, and what they are told of each other. It is served by one media
/// worker for as long as it lasts.</summary>
internal sealed class VoiceRoom(RoomId id, int worker)
{
    private readonly List<VoiceSession> sessions = [];

    public RoomId Id => id;

    public int Worker => worker;

    public IReadOnlyList<VoiceSession> Sessions => sessions;

    /// <summary>Who comes hears who is here, and they of it (protocol/voice-gateway.md section 4.8). After its Ready, or libraries drop it.</summary>
    public void Add(VoiceSession session)
    {
        if (sessions.Count > 0) session.Send(ServerFrame.Connect([.. sessions.Select(other => new Snowflake(other.User))]));
        foreach (var other in sessions) SendDetails([session], other.User);
        SendAll(sessions, ServerFrame.Connect(session.User));
        SendDetails(sessions, session.User);
        sessions.Add(session);
    }

    public void Remove(VoiceSession session)
    {
        sessions.Remove(session);
        SendAll(sessions, ServerFrame.Disconnect(session.User));
    }

    /// <summary>It has its session description. Op 5 is the only thing that maps an SSRC to a user, so both sides hear it even
    /// of the silent (section 4.5).</summary>
    public void Describe(VoiceSession session)
    {
        session.Described = true;
        foreach (var other in Listeners(session)) session.Send(other.SpeakingFrame());
        SendAll(Listeners(session), session.SpeakingFrame());
    }

    /// <summary>Also of somebody whom the server mutes: what is gated is the media, not what a client says of itself.</summary>
    public void Speaks(VoiceSession session, SpeakingFlags flags)
    {
        if (session.Speaking == flags) return;
        session.Speaking = flags;
        if (session.Described) SendAll(Listeners(session), session.SpeakingFrame());
    }

    /// <summary>Video is not forwarded yet, so nobody is told of streams that will not come.</summary>
    public void ShowsVideo(VoiceSession session) =>
        SendAll(Listeners(session), ServerFrame.Video(new UserVideo(session.User, session.Ssrc, VideoSsrc: 0)));

    private IEnumerable<VoiceSession> Listeners(VoiceSession session) => sessions.Where(other => other != session && other.Described);

    private static void SendDetails(IEnumerable<VoiceSession> to, ulong user)
    {
        SendAll(to, ServerFrame.Flags(user));
        SendAll(to, ServerFrame.Platform(user));
    }

    private static void SendAll(IEnumerable<VoiceSession> sessions, byte[] frame)
    {
        foreach (var session in sessions) session.Send(frame);
    }
}
