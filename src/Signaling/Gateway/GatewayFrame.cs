using System.Buffers;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Voice.Protocol.Gateway;

namespace Voice.Signaling.Gateway;

/// <summary>Writes messages to clients (protocol/gateway.md section 2): UTF-8 JSON, `s` and `t` null unless op 0.</summary>
internal static class GatewayFrame
{
    public static readonly byte[] HeartbeatAck = Control(GatewayOpcode.HeartbeatAck, "null"u8);
    public static readonly byte[] Reconnect = Control(GatewayOpcode.Reconnect, "null"u8);
    public static readonly byte[] InvalidSession = Control(GatewayOpcode.InvalidSession, "false"u8);

    public static byte[] Hello(int heartbeatMilliseconds) =>
        Control(GatewayOpcode.Hello, JsonSerializer.SerializeToUtf8Bytes(new Hello(heartbeatMilliseconds), GatewayJson.Default.Hello));

    public static byte[] Dispatch(string type, int sequence, ReadOnlySpan<byte> data) => Write(GatewayOpcode.Dispatch, data, sequence, type);

    public static byte[] Data<T>(T value, JsonTypeInfo<T> type) => JsonSerializer.SerializeToUtf8Bytes(value, type);

    private static byte[] Control(GatewayOpcode op, ReadOnlySpan<byte> data) => Write(op, data, null, null);

    private static byte[] Write(GatewayOpcode op, ReadOnlySpan<byte> data, int? sequence, string? type)
    {
        var buffer = new ArrayBufferWriter<byte>(data.Length + 64);
        using var json = new Utf8JsonWriter(buffer, new JsonWriterOptions { SkipValidation = true });
        json.WriteStartObject();
        json.WriteNumber("op"u8, (int)op);
        json.WritePropertyName("d"u8);
        json.WriteRawValue(data, skipInputValidation: true);
        if (sequence is { } s) json.WriteNumber("s"u8, s);
        else json.WriteNull("s"u8);
        json.WriteString("t"u8, type);
        json.WriteEndObject();
        json.Flush();
        return buffer.WrittenSpan.ToArray();
    }
}
