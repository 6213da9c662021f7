using System.Text.Json;
using System.Text.Json.Serialization;

namespace Voice.Protocol.Gateway;

// The `d` of each main gateway message (protocol/gateway.md sections 2, 3, 5, 7).

public sealed record Hello(int HeartbeatInterval);

/// <param name="Token">A JWT, with or without the prefix "Bot ".</param>
public sealed record Identify(string Token)
{
    public int? Intents { get; init; }

    public int[]? Shard { get; init; }

    /// <summary>Without the token.</summary>
    public override string ToString() => $"{nameof(Identify)} {{ {Intents} }}";
}

public sealed record Resume(string Token, string SessionId, int Seq)
{
    /// <summary>Without the token.</summary>
    public override string ToString() => $"{nameof(Resume)} {{ {SessionId}, {Seq} }}";
}

public sealed record UnavailableGuild(Snowflake Id, bool Unavailable = true);

public sealed record Application(Snowflake Id, int Flags = 0);

public sealed record Ready(int V, User User, UnavailableGuild[] Guilds, string SessionId, string ResumeGatewayUrl, Application Application)
{
    public PrivateChannel[] PrivateChannels { get; init; } = [];

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public int[]? Shard { get; init; }
}

/// <summary>Op 4, from the client: join, move, leave (channel null), or a change of the self flags.</summary>
public sealed record VoiceStateUpdate(Snowflake? GuildId, Snowflake? ChannelId)
{
    public bool SelfMute { get; init; }

    public bool SelfDeaf { get; init; }

    public bool SelfVideo { get; init; }

    /// <summary>Regions by measured latency, best first; a hint.</summary>
    public string[]? PreferredRegions { get; init; }

    /// <summary>The voice session that the client has in this channel, if it lost nothing but its gateway session (our addition):
    /// the new one takes it over as it is. Null: it has none, or does not say.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? SessionId { get; init; }
}

/// <summary>Op 8: the members of a guild that are named, or whose names begin so.</summary>
public sealed record RequestGuildMembers(Snowflake GuildId)
{
    /// <summary>Beginning of the name; empty: everybody.</summary>
    public string? Query { get; init; }

    /// <summary>Most members to send; 0 is no limit.</summary>
    public int Limit { get; init; }

    /// <summary>Instead of <see cref="Query"/>: these users.</summary>
    [JsonConverter(typeof(OneOrMoreSnowflakes))]
    public Snowflake[]? UserIds { get; init; }

    /// <summary>Comes back with the answer, so that the client knows it by that.</summary>
    public string? Nonce { get; init; }
}

/// <summary>One part of the answer to <see cref="RequestGuildMembers"/>.</summary>
public sealed record GuildMembersChunk(Snowflake GuildId, Member[] Members, int ChunkIndex, int ChunkCount)
{
    /// <summary>Users that were asked for and are no members.</summary>
    public Snowflake[] NotFound { get; init; } = [];

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Nonce { get; init; }
}

/// <summary>VOICE_SERVER_UPDATE. <paramref name="Endpoint"/> is host:port without scheme; null while no voice server is available.</summary>
/// <param name="GuildId">Null in a private call.</param>
public sealed record VoiceServerUpdate(string Token, Snowflake? GuildId, string? Endpoint)
{
    /// <summary>In a private call the channel, which is the voice server's id too.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public Snowflake? ChannelId { get; init; }

    /// <summary>Without the token.</summary>
    public override string ToString() => $"{nameof(VoiceServerUpdate)} {{ {GuildId ?? ChannelId}, {Endpoint} }}";
}

/// <summary>One message of the main gateway; <see cref="D"/> is parsed by opcode.</summary>
public sealed record GatewayMessage(GatewayOpcode Op)
{
    public JsonElement D { get; init; }

    public int? S { get; init; }

    public string? T { get; init; }
}

/// <summary>The one way gateway JSON is written and read: snake_case, nulls written, snowflakes as strings.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(GatewayMessage))]
[JsonSerializable(typeof(Hello))]
[JsonSerializable(typeof(Identify))]
[JsonSerializable(typeof(Resume))]
[JsonSerializable(typeof(Ready))]
[JsonSerializable(typeof(VoiceStateUpdate))]
[JsonSerializable(typeof(RequestGuildMembers))]
[JsonSerializable(typeof(GuildMembersChunk))]
[JsonSerializable(typeof(VoiceServerUpdate))]
[JsonSerializable(typeof(VoiceState))]
[JsonSerializable(typeof(Snowflake))]
[JsonSerializable(typeof(User))]
[JsonSerializable(typeof(Role))]
[JsonSerializable(typeof(PrivateChannel))]
[JsonSerializable(typeof(PrivateChannel[]))]
[JsonSerializable(typeof(Call))]
[JsonSerializable(typeof(Channel))]
[JsonSerializable(typeof(Channel[]))]
[JsonSerializable(typeof(Member))]
[JsonSerializable(typeof(Member[]))]
[JsonSerializable(typeof(Guild))]
public sealed partial class GatewayJson : JsonSerializerContext;
