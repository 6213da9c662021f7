using System.Text.Json;

namespace Voice.Protocol.Voice;

/// <summary>One message of a voice server, as a client reads it (protocol/voice-gateway.md section 4).</summary>
public abstract record ServerMessage
{
    private ServerMessage()
    {
    }

    /// <summary>Numbered messages can be replayed (section 2); null for the others.</summary>
    public int? Seq { get; private init; }

    public sealed record Hello(TimeSpan HeartbeatInterval) : ServerMessage;

    /// <param name="Ssrc">What this client's packets carry.</param>
    /// <param name="Modes">Of the UDP protocol, best first.</param>
    public sealed record Ready(uint Ssrc, string Ip, int Port, string[] Modes) : ServerMessage;

    /// <param name="Sdp">WebRTC only.</param>
    /// <param name="Mode">UDP only, as is the key.</param>
    public sealed record Description(string? Sdp, string? Mode, byte[]? SecretKey) : ServerMessage;

    public sealed record Speaking(Snowflake User, uint Ssrc, SpeakingFlags Flags) : ServerMessage;

    public sealed record ClientsConnect(Snowflake[] Users) : ServerMessage;

    public sealed record ClientDisconnect(Snowflake User) : ServerMessage;

    public sealed record HeartbeatAck : ServerMessage;

    public sealed record Resumed : ServerMessage;

    /// <summary>Known or not, nothing a voice client needs.</summary>
    public sealed record Other(int Op) : ServerMessage;

    /// <summary>Null for what is no such message; never throws.</summary>
    public static ServerMessage? Parse(ReadOnlySpan<byte> utf8)
    {
        try
        {
            var reader = new Utf8JsonReader(utf8);
            var envelope = JsonElement.ParseValue(ref reader);
            var d = envelope.TryGetProperty("d", out var data) ? data : default;
            var message = Parse(envelope.GetProperty("op").GetInt32(), d);
            return envelope.TryGetProperty("seq", out var seq) && seq.ValueKind == JsonValueKind.Number ? message with { Seq = seq.GetInt32() } : message;
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or KeyNotFoundException or FormatException)
        {
            return null; // not JSON, a field of another type, missing, out of range
        }
    }

    private static ServerMessage Parse(int op, JsonElement d) => (VoiceOpcode)op switch
    {
        VoiceOpcode.Hello => new Hello(Interval(d.GetProperty("heartbeat_interval").GetDouble())),
        VoiceOpcode.Ready => new Ready(
            d.GetProperty("ssrc").GetUInt32(), Text(d.GetProperty("ip")), d.GetProperty("port").GetUInt16(), [.. d.GetProperty("modes").EnumerateArray().Select(Text)]),
        VoiceOpcode.SessionDescription => new Description(
            Optional(d, "sdp"),
            Optional(d, "mode"),
            d.TryGetProperty("secret_key", out var key) && key.ValueKind == JsonValueKind.Array ? [.. key.EnumerateArray().Select(b => b.GetByte())] : null),
        VoiceOpcode.Speaking => new Speaking(UserId(d), d.GetProperty("ssrc").GetUInt32(), (SpeakingFlags)d.GetProperty("speaking").GetInt32()),
        VoiceOpcode.ClientsConnect => new ClientsConnect([.. d.GetProperty("user_ids").EnumerateArray().Select(id => id.Deserialize(ServerMessageJson.Default.Snowflake))]),
        VoiceOpcode.ClientDisconnect => new ClientDisconnect(UserId(d)),
        VoiceOpcode.HeartbeatAck => new HeartbeatAck(),
        VoiceOpcode.Resumed => new Resumed(),
        _ => new Other(op),
    };

    /// <summary>Written 13750, and sometimes 13750.0.</summary>
    private static TimeSpan Interval(double milliseconds) =>
        milliseconds is >= 1 and <= 3_600_000 ? TimeSpan.FromMilliseconds(milliseconds) : throw new FormatException("no interval to beat at");

    private static Snowflake UserId(JsonElement d) => d.GetProperty("user_id").Deserialize(ServerMessageJson.Default.Snowflake);

    private static string Text(JsonElement text) => text.GetString() ?? throw new FormatException("null where text belongs");

    private static string? Optional(JsonElement d, string name) =>
        d.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;
}

[System.Text.Json.Serialization.JsonSerializable(typeof(Snowflake))]
internal sealed partial class ServerMessageJson : System.Text.Json.Serialization.JsonSerializerContext;
