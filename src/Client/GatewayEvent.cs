using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Voice.Protocol.Gateway;

namespace Voice.Client;

/// <summary>What the main gateway told this client, in the order it was told.</summary>
public abstract record GatewayEvent
{
    private GatewayEvent()
    {
    }

    /// <summary>A new session. What the client had asked for in an earlier one, such as a place in voice, has to be asked for again.</summary>
    public sealed record Ready(Protocol.Gateway.Ready Data) : GatewayEvent;

    /// <summary>The session goes on, on another socket; everything missed came before this.</summary>
    public sealed record Resumed : GatewayEvent;

    public sealed record GuildCreate(Guild Guild) : GatewayEvent;

    public sealed record VoiceStateUpdate(VoiceState State) : GatewayEvent;

    public sealed record VoiceServerUpdate(Protocol.Gateway.VoiceServerUpdate Server) : GatewayEvent;

    /// <summary>A dispatch that has no type of its own here.</summary>
    public sealed record Other(string Type, JsonElement Data) : GatewayEvent;

    /// <exception cref="GatewayClosedException">Not what an event of this type is.</exception>
    internal static GatewayEvent From(string type, JsonElement data) => type switch
    {
        "READY" => new Ready(Read(data, GatewayJson.Default.Ready, ready => ready is { User: not null, SessionId: not null, Guilds: not null })),
        "RESUMED" => new Resumed(),
        "GUILD_CREATE" => new GuildCreate(Read(data, GatewayJson.Default.Guild, IsWhole)),
        "VOICE_STATE_UPDATE" => new VoiceStateUpdate(Read(data, GatewayJson.Default.VoiceState, state => state.SessionId is not null && (state.Member is null || IsWhole(state.Member)))),
        "VOICE_SERVER_UPDATE" => new VoiceServerUpdate(Read(data, GatewayJson.Default.VoiceServerUpdate, server => server.Token is not null)),
        _ => new Other(type, data),
    };

    internal static T Read<T>(JsonElement data, JsonTypeInfo<T> type, Func<T, bool> isWhole)
        where T : class
    {
        try
        {
            return data.Deserialize(type) is { } read && isWhole(read) ? read : throw new JsonException("a field is missing");
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException) // the latter: there is no data
        {
            throw new GatewayClosedException(null, $"what the gateway sent is no {typeof(T).Name}: {e.Message}", e);
        }
    }

    private static bool IsWhole(Guild guild) => guild is { Name: not null, Channels: not null, Members: not null }
        && guild.Channels.All(channel => channel?.Name is not null) && guild.Members.All(IsWhole);

    private static bool IsWhole(Member member) => member?.User?.Username is not null;
}
