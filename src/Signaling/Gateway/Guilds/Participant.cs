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
}

/// <summary>One user in voice. Owned by <see cref="GuildVoice"/>.</summary>
public sealed class Participant(Snowflake user)
{
    /// <summary><see cref="Told"/>, when no voice server is there to be told of.</summary>
    public const long ToldOfNone = -1;

    public Snowflake User { get; } = user;

    /// <summary>The main gateway session that joined; null when another gateway looks after the user.</summary>
    public string? GatewaySession { get; set; }

    /// <summary>New at each join and move, so that nothing meant for an earlier one fits.</summary>
    public string SessionId { get; set; } = "";

    public Snowflake Channel { get; set; }

    public string Slot { get; set; } = "";

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
}
