using Voice.Protocol;
using Voice.Protocol.Voice;

namespace Voice.Signaling.VoiceServer;

/// <summary>A voice channel with somebody in it: its people, and what they are told of each other.</summary>
internal sealed class VoiceRoom(RoomId id)
{
    private readonly List<VoiceSession> sessions = [];

    public RoomId Id => id;

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
        TellSpeaking(session);
    }

    /// <summary>Also of somebody whom the server mutes: what is gated is the media, not what a client says of itself.</summary>
    public void Speaks(TimeSpan now, VoiceSession session, SpeakingFlags flags)
    {
        session.Speaking = flags;
        TellIfChanged(now, session);
    }

    /// <summary>Tells what was held back of those who changed too often.</summary>
    public void Tick(TimeSpan now)
    {
        foreach (var session in sessions) TellIfChanged(now, session);
    }

    private IEnumerable<VoiceSession> Listeners(VoiceSession session) => sessions.Where(other => other != session && other.Described);

    private void TellIfChanged(TimeSpan now, VoiceSession session)
    {
        if (session.Described && session.Speaking != session.ToldSpeaking && session.SpeakingChanges.TryTake(now)) TellSpeaking(session);
    }

    private void TellSpeaking(VoiceSession session)
    {
        session.ToldSpeaking = session.Speaking;
        SendAll(Listeners(session), session.SpeakingFrame());
    }

    /// <summary>Ops 18 and 20, which libraries expect after 11. They say the same of everybody, so whoever missed them has missed
    /// nothing: kept for a resume, those of a large room would push out what matters.</summary>
    private static void SendDetails(List<VoiceSession> to, ulong user)
    {
        if (to.Count == 0) return;
        var (flags, platform) = (ServerFrame.Flags(user), ServerFrame.Platform(user));
        foreach (var session in to)
        {
            session.SendOnce(flags);
            session.SendOnce(platform);
        }
    }

    private static void SendAll(IEnumerable<VoiceSession> sessions, byte[] frame)
    {
        foreach (var session in sessions) session.Send(frame);
    }
}
