using System.Text.Json.Serialization;
using Voice.Protocol;
using Voice.VoiceAllocator;

namespace Voice.Signaling.Gateway.Guilds;

/// <summary>What is stored of a guild's voice, so that another silo, or the same one after a restart, carries its calls on: who is where,
/// on which nodes, and what they were told. As JSON: a property may be added, not renamed.</summary>
public sealed class VoiceRecord
{
    /// <inheritdoc cref="GuildVoice.External"/>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public bool External { get; set; }

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? ExternalRegion { get; set; }

    public Assignment[] Assignments { get; set; } = [];

    public ParticipantRecord[] Participants { get; set; } = [];

    /// <summary>The voice states of the last change, which clients are told once it is stored: told again, they do no harm.</summary>
    public byte[][] Untold { get; set; } = [];

    /// <summary>Nothing but the last change would be lost without it.</summary>
    [JsonIgnore]
    public bool IsEmpty => !External && Participants.Length == 0 && Assignments.Length == 0;

    /// <summary>As this one, whatever was told of it.</summary>
    public bool SaysTheSame(VoiceRecord other) =>
        (External, ExternalRegion) == (other.External, other.ExternalRegion)
        && Assignments.SequenceEqual(other.Assignments)
        && Participants.SequenceEqual(other.Participants);
}

/// <summary>What is stored of a <see cref="Participant"/>.</summary>
/// <param name="Announced">The voice state of this session went out.</param>
public sealed record ParticipantRecord(
    Snowflake User, Snowflake Channel, string Slot, string SessionId, string? GatewaySession, string? Gateway, ParticipantFlags Flags, long Told, bool Announced)
{
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public DateTimeOffset? RequestToSpeak { get; init; }

    /// <inheritdoc cref="Participant.FormerSlot"/>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? FormerSlot { get; init; }
}

/// <summary>As numbers in the store: a bit may be added, not changed.</summary>
[Flags]
public enum ParticipantFlags
{
    None = 0,
    SelfMute = 1,
    SelfDeaf = 1 << 1,
    SelfVideo = 1 << 2,
    Mute = 1 << 3,
    Deaf = 1 << 4,
    Suppress = 1 << 5,
    PrioritySpeaker = 1 << 6,
    IsSpeaker = 1 << 7,
}
