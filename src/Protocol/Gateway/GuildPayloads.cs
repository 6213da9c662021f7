using System.Text.Json.Serialization;

namespace Voice.Protocol.Gateway;

// Discord's resource shapes, reduced to what voice clients read (protocol/gateway.md section 3).
// All are written snake_case by GatewayJson; nulls are written, since libraries index them unconditionally.

public enum ChannelType
{
    Text = 0,
    Dm = 1,
    Voice = 2,
    GroupDm = 3,
    Category = 4,
    Stage = 13,
}

public sealed record User(Snowflake Id, string Username)
{
    public string Discriminator { get; init; } = "0";

    public string? GlobalName { get; init; }

    public string? Avatar { get; init; }

    public bool Bot { get; init; }
}

public sealed record Role(Snowflake Id, string Name)
{
    /// <summary>Bits of <see cref="Protocol.Permissions"/>, decimal on the wire.</summary>
    [JsonNumberHandling(JsonNumberHandling.AllowReadingFromString | JsonNumberHandling.WriteAsString)]
    public ulong Permissions { get; init; } = (ulong)Protocol.Permissions.Everyone;

    public int Position { get; init; }

    public int Color { get; init; }

    public bool Hoist { get; init; }

    public bool Managed { get; init; }

    public bool Mentionable { get; init; }
}

/// <param name="Id">A role's id when <paramref name="Type"/> is 0, a user's when it is 1.</param>
public sealed record PermissionOverwrite(Snowflake Id, int Type)
{
    [JsonNumberHandling(JsonNumberHandling.AllowReadingFromString | JsonNumberHandling.WriteAsString)]
    public ulong Allow { get; init; }

    [JsonNumberHandling(JsonNumberHandling.AllowReadingFromString | JsonNumberHandling.WriteAsString)]
    public ulong Deny { get; init; }
}

public sealed record Channel(Snowflake Id, ChannelType Type, string Name)
{
    public Snowflake? GuildId { get; init; }

    public int Position { get; init; }

    public PermissionOverwrite[] PermissionOverwrites { get; init; } = [];

    /// <summary>Bits a second that clients should encode at.</summary>
    public int Bitrate { get; init; } = 64_000;

    /// <summary>Most participants at a time; 0 is no limit.</summary>
    public int UserLimit { get; init; }

    /// <summary>Region that overrides the guild's; null is the guild's.</summary>
    public string? RtcRegion { get; init; }

    public Snowflake? ParentId { get; init; }
}

public sealed record Member(User User)
{
    public string? Nick { get; init; }

    public Snowflake[] Roles { get; init; } = [];

    public DateTimeOffset JoinedAt { get; init; }

    /// <summary>Deafened by a moderator, in every channel of the guild.</summary>
    public bool Deaf { get; init; }

    /// <summary>Muted by a moderator, in every channel of the guild.</summary>
    public bool Mute { get; init; }

    public int Flags { get; init; }
}

/// <summary>One user's place in voice (protocol/gateway.md section 6). <see cref="ChannelId"/> null means: left.</summary>
public sealed record VoiceState(Snowflake UserId, string SessionId)
{
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public Snowflake? GuildId { get; init; }

    public Snowflake? ChannelId { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public Member? Member { get; init; }

    public bool Deaf { get; init; }

    public bool Mute { get; init; }

    public bool SelfDeaf { get; init; }

    public bool SelfMute { get; init; }

    public bool SelfVideo { get; init; }

    public bool Suppress { get; init; }

    public DateTimeOffset? RequestToSpeakTimestamp { get; init; }
}

/// <summary>A guild as GUILD_CREATE carries it. Fields that voice does not use are constants that libraries expect.</summary>
public sealed record Guild(Snowflake Id, string Name, Snowflake OwnerId)
{
    /// <summary>Region that channels without one of their own use; null is automatic.</summary>
    public string? Region { get; init; }

    public Role[] Roles { get; init; } = [];

    public Channel[] Channels { get; init; } = [];

    public Member[] Members { get; init; } = [];

    public int MemberCount { get; init; }

    public VoiceState[] VoiceStates { get; init; } = [];

    public object[] Emojis { get; init; } = [];

    public string[] Features { get; init; } = [];

    public object[] Presences { get; init; } = [];

    public object[] Threads { get; init; } = [];

    public object[] StageInstances { get; init; } = [];

    public object[] GuildScheduledEvents { get; init; } = [];

    public object[] Stickers { get; init; } = [];

    public DateTimeOffset JoinedAt { get; init; }

    public bool Large { get; init; }

    public bool Unavailable { get; init; }

    public int VerificationLevel { get; init; }

    public int DefaultMessageNotifications { get; init; }

    public int ExplicitContentFilter { get; init; }

    public int MfaLevel { get; init; }

    public int NsfwLevel { get; init; }

    public int PremiumTier { get; init; }

    public string PreferredLocale { get; init; } = "en-US";

    public int SystemChannelFlags { get; init; }

    public int AfkTimeout { get; init; } = 300;

    public Snowflake? AfkChannelId { get; init; }

    public Snowflake? SystemChannelId { get; init; }

    public Snowflake? ApplicationId { get; init; }
}
