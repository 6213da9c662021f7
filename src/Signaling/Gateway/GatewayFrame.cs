using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using System.Text.Unicode;
using Voice.Protocol.Gateway;

namespace Voice.Signaling.Gateway;

/// <summary>Writes messages to clients (protocol/gateway.md section 2): UTF-8 JSON, `s` and `t` null unless op 0.</summary>
internal static class GatewayFrame
{
    private const int MaxTypeLength = 64;

    public static readonly byte[] HeartbeatAck = Control(GatewayOpcode.HeartbeatAck, "null"u8);
    public static readonly byte[] Reconnect = Control(GatewayOpcode.Reconnect, "null"u8);
    public static readonly byte[] InvalidSession = Control(GatewayOpcode.InvalidSession, "false"u8);

    public static byte[] Hello(int heartbeatMilliseconds) =>
        Control(GatewayOpcode.Hello, JsonSerializer.SerializeToUtf8Bytes(new Hello(heartbeatMilliseconds), GatewayJson.Default.Hello));

    /// <param name="type">An event's name: capitals, digits and underscores.</param>
    public static byte[] Dispatch(string type, int sequence, ReadOnlySpan<byte> data)
    {
        Span<byte> after = stackalloc byte[MaxTypeLength + 32];
        if (type.Length > MaxTypeLength || !Utf8.TryWrite(after, $$""","s":{{sequence}},"t":"{{type}}"}""", out var written))
        {
            throw new ArgumentException("not an event's name", nameof(type));
        }

        return Concat("""{"op":0,"d":"""u8, data, after[..written]);
    }

    public static byte[] Data<T>(T value, JsonTypeInfo<T> type) => JsonSerializer.SerializeToUtf8Bytes(value, type);

    private static byte[] Control(GatewayOpcode op, ReadOnlySpan<byte> data) => Concat(Encoding.UTF8.GetBytes($$"""{"op":{{(int)op}},"d":"""), data, ""","s":null,"t":null}"""u8);

    // One guild event becomes a frame for each of its sessions, which differ in a number: so no serializer here.
    private static byte[] Concat(ReadOnlySpan<byte> before, ReadOnlySpan<byte> data, ReadOnlySpan<byte> after)
    {
        var frame = new byte[before.Length + data.Length + after.Length];
        before.CopyTo(frame);
        data.CopyTo(frame.AsSpan(before.Length));
        after.CopyTo(frame.AsSpan(before.Length + data.Length));
        return frame;
    }
}
