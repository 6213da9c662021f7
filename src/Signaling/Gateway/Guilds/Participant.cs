using Voice.Protocol;
using Voice.Protocol.Gateway;
using Voice.Protocol.Links;

namespace Voice.Signaling.Gateway.Guilds;

/// <summary>What is known of a participant's voice WebSocket.</summary>
public enum VoiceConnection
{
    /// <summary>Was told where to connect, or will be.</summary>
    Awaited,
    Live,

    /// <summary>Lost its socket, and may resume: then it needs no server update.</summary>
    Severed,

    /// <summary>Was live and is gone for good.</summary>
    Lost,

    /// <summary>Its guild was taken up from the store, and the node has not said yet.</summary>
    Unknown,
}

/// <summary>One user in voice. Owned by <see cref="GuildVoice"/>.</summary>
public sealed class Participant(Snowflake user)
{
    /// <summary><see cref="Told"/>, when no voice server is there to be told of.</summary>
    public const long ToldOfNone = -1;

    public Snowflake User { get; } = user;

    /// <summary>The main gateway session that joined; null when another gateway looks after the user.</summary>
    public string? GatewaySession { get; set; }

    /// <summary>The gateway process that has that session; null: not known.</summary>
    public string? Gateway { get; set; }

    /// <summary>Since when that process is known to be gone; null: it is not.</summary>
    public TimeSpan? OrphanedAt { get; set; }

    /// <summary>New at each join and move, so that nothing meant for an earlier one fits.</summary>
    public string SessionId { get; set; } = "";

    public Snowflake Channel { get; set; }

    public string Slot { get; set; } = "";

    /// <summary>Where the client still is, on its way to <see cref="Slot"/>, whose voice session it brings along; null: nowhere else.</summary>
    public string? FormerSlot { get; set; }

    /// <summary>When the client should be gone from there; null before it was told where to go.</summary>
    public TimeSpan? LeavesFormerAt { get; set; }

    /// <summary>By latency as the client measured it, best first; empty: it did not.</summary>
    public string[] PreferredRegions { get; set; } = [];

    public bool SelfMute { get; set; }

    public bool SelfDeaf { get; set; }

    public bool SelfVideo { get; set; }

    public bool Mute { get; set; }

    public bool Deaf { get; set; }

    public bool Suppress { get; set; }

    /// <summary>May be heard whoever else talks.</summary>
    public bool PrioritySpeaker { get; set; }

    /// <summary>On a stage: may speak. Whoever moderates it may from the start, others when they are let.</summary>
    public bool IsSpeaker { get; set; }

    /// <summary>On a stage: when they asked to speak.</summary>
    public DateTimeOffset? RequestToSpeak { get; set; }

    public VoiceConnection Connection { get; set; }

    /// <summary>Since when the voice session lives.</summary>
    public TimeSpan LiveSince { get; set; }

    /// <summary>When op 4 last came for where they were with a live session: perhaps it is dead, and we do not know yet.</summary>
    public TimeSpan? Doubted { get; set; }

    public RejoinDelay Rejoins { get; } = new();

    /// <summary>Is to be told once more what they were told last, from <see cref="NotBefore"/> on.</summary>
    public bool AskedAgain { get; set; }

    public TimeSpan NotBefore { get; set; }

    /// <summary>The <see cref="SessionId"/> of the last VOICE_STATE_UPDATE that went out.</summary>
    public string? Announced { get; set; }

    /// <summary>Epoch of the assignment in the last VOICE_SERVER_UPDATE; 0: none yet.</summary>
    public long Told { get; set; }

    public static Participant From(ParticipantRecord stored) => new(stored.User)
    {
        Channel = stored.Channel,
        Slot = stored.Slot,
        SessionId = stored.SessionId,
        GatewaySession = stored.GatewaySession,
        Gateway = stored.Gateway,
        SelfMute = stored.Flags.HasFlag(ParticipantFlags.SelfMute),
        SelfDeaf = stored.Flags.HasFlag(ParticipantFlags.SelfDeaf),
        SelfVideo = stored.Flags.HasFlag(ParticipantFlags.SelfVideo),
        Mute = stored.Flags.HasFlag(ParticipantFlags.Mute),
        Deaf = stored.Flags.HasFlag(ParticipantFlags.Deaf),
        Suppress = stored.Flags.HasFlag(ParticipantFlags.Suppress),
        PrioritySpeaker = stored.Flags.HasFlag(ParticipantFlags.PrioritySpeaker),
        IsSpeaker = stored.Flags.HasFlag(ParticipantFlags.IsSpeaker),
        RequestToSpeak = stored.RequestToSpeak,
        FormerSlot = stored.FormerSlot,
        Told = stored.Told,
        Announced = stored.Announced ? stored.SessionId : null,
        Connection = VoiceConnection.Unknown,
    };

    public ParticipantRecord ToRecord() => new(User, Channel, Slot, SessionId, GatewaySession, Gateway, ToFlags(), Told, Announced == SessionId)
    {
        RequestToSpeak = RequestToSpeak,
        FormerSlot = FormerSlot,
    };

    public VoiceMember ToMember() => new(User.Value, Channel.Value, SessionId, SelfMute, SelfDeaf, Mute, Deaf, Suppress, PrioritySpeaker);

    public VoiceState ToState() => new(User, SessionId)
    {
        ChannelId = Channel,
        SelfMute = SelfMute,
        SelfDeaf = SelfDeaf,
        SelfVideo = SelfVideo,
        Mute = Mute,
        Deaf = Deaf,
        Suppress = Suppress,
        RequestToSpeakTimestamp = RequestToSpeak,
    };

    private ParticipantFlags ToFlags() =>
        (SelfMute ? ParticipantFlags.SelfMute : 0)
        | (SelfDeaf ? ParticipantFlags.SelfDeaf : 0)
        | (SelfVideo ? ParticipantFlags.SelfVideo : 0)
        | (Mute ? ParticipantFlags.Mute : 0)
        | (Deaf ? ParticipantFlags.Deaf : 0)
        | (Suppress ? ParticipantFlags.Suppress : 0)
        | (PrioritySpeaker ? ParticipantFlags.PrioritySpeaker : 0)
        | (IsSpeaker ? ParticipantFlags.IsSpeaker : 0);
}
