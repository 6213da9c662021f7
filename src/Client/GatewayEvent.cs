using System.Text.Json;
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

    internal static GatewayEvent From(string type, JsonElement data) => type switch
    {
        "READY" => new Ready(data.Deserialize(GatewayJson.Default.Ready)!),
        "RESUMED" => new Resumed(),
        "GUILD_CREATE" => new GuildCreate(data.Deserialize(GatewayJson.Default.Guild)!),
        "VOICE_STATE_UPDATE" => new VoiceStateUpdate(data.Deserialize(GatewayJson.Default.VoiceState)!),
        "VOICE_SERVER_UPDATE" => new VoiceServerUpdate(data.Deserialize(GatewayJson.Default.VoiceServerUpdate)!),
        _ => new Other(type, data),
    };
}
