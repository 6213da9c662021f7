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
}

public sealed record Resume(string Token, string SessionId, int Seq);

public sealed record UnavailableGuild(Snowflake Id, bool Unavailable = true);

public sealed record Application(Snowflake Id, int Flags = 0);

public sealed record Ready(int V, User User, UnavailableGuild[] Guilds, string SessionId, string ResumeGatewayUrl, Application Application)
{
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
}

/// <summary>VOICE_SERVER_UPDATE. <paramref name="Endpoint"/> is host:port without scheme; null while no voice server is available.</summary>
public sealed record VoiceServerUpdate(string Token, Snowflake GuildId, string? Endpoint);

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
[JsonSerializable(typeof(VoiceServerUpdate))]
[JsonSerializable(typeof(VoiceState))]
[JsonSerializable(typeof(User))]
[JsonSerializable(typeof(Role))]
[JsonSerializable(typeof(Channel))]
[JsonSerializable(typeof(Channel[]))]
[JsonSerializable(typeof(Member))]
[JsonSerializable(typeof(Member[]))]
[JsonSerializable(typeof(Guild))]
public sealed partial class GatewayJson : JsonSerializerContext;
