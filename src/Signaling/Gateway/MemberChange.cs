using Voice.Protocol;
using Voice.Protocol.Gateway;

namespace Voice.Signaling.Gateway;

/// <summary>What a moderator changes of a member. Null: as it was.</summary>
/// <param name="Mute">In every channel of the guild.</param>
/// <param name="Deaf">In every channel of the guild.</param>
[GenerateSerializer, Immutable]
public sealed record MemberChange(bool? Mute = null, bool? Deaf = null, VoiceMove? Move = null, RolesChange? Roles = null)
{
    /// <summary>Only for somebody who is in voice, as Discord has it.</summary>
    public bool IsOfVoice => Mute is not null || Deaf is not null || Move is not null;

    public Member ApplyTo(Member member) => member with
    {
        Mute = Mute ?? member.Mute,
        Deaf = Deaf ?? member.Deaf,
        Roles = Roles?.ApplyTo(member.Roles) ?? member.Roles,
    };
}

/// <param name="To">A channel of the guild; null: out of voice.</param>
[GenerateSerializer, Immutable]
public sealed record VoiceMove(Snowflake? To);

/// <param name="All">Instead of those the member has; null: those.</param>
[GenerateSerializer, Immutable]
public sealed record RolesChange(Snowflake[]? All = null, Snowflake? Add = null, Snowflake? Remove = null)
{
    public Snowflake[] ApplyTo(Snowflake[] roles)
    {
        var changed = (All ?? roles).ToHashSet();
        if (Add is { } added) changed.Add(added);
        if (Remove is { } removed) changed.Remove(removed);
        return [.. changed];
    }
}

/// <summary>What is changed of somebody on a stage. Null: as it was.</summary>
/// <param name="Channel">The stage they have to be on.</param>
[GenerateSerializer, Immutable]
public sealed record VoiceStateChange(Snowflake? Channel = null, bool? Suppress = null, SpeechRequest? Request = null);

/// <param name="At">Null: asks no longer.</param>
[GenerateSerializer, Immutable]
public sealed record SpeechRequest(DateTimeOffset? At);

/// <summary>Why a guild does not do what it was asked.</summary>
public enum Refusal
{
    None,
    UnknownGuild,
    UnknownChannel,
    UnknownMember,
    UnknownRole,
    UnknownVoiceState,
    MissingPermissions,

    /// <summary>Only for members who are in voice.</summary>
    NotInVoice,
    UnknownOverwrite,
    TooManyChannels,
    TooManyRoles,

    /// <summary>Not for a channel of this type.</summary>
    WrongChannelType,
}

/// <summary>What became of a change that was asked for.</summary>
/// <param name="Value">As it is then; null if refused.</param>
[GenerateSerializer, Immutable]
public sealed record Changed<T>(Refusal Refusal, T? Value)
    where T : class
{
    public static implicit operator Changed<T>(Refusal refusal) => new(refusal, null);

    public static implicit operator Changed<T>(T value) => new(Refusal.None, value);
}
