using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace Voice.Protocol.Voice;

/// <summary>What a voice server says, as UTF-8 JSON. A message for many is written once and numbered for each.</summary>
public static class ServerFrame
{
    public static byte[] Hello(VoiceHello d) => Write(VoiceOpcode.Hello, d, VoiceJson.Default.VoiceHello);

    public static byte[] Ready(VoiceReady d) => Write(VoiceOpcode.Ready, d, VoiceJson.Default.VoiceReady);

    public static byte[] Description(SessionDescription d) =>
        Write(VoiceOpcode.SessionDescription, d, VoiceJson.Default.SessionDescription);

    public static byte[] Description(UdpSessionDescription d) =>
        Write(VoiceOpcode.SessionDescription, d, VoiceJson.Default.UdpSessionDescription);

    public static byte[] Speaking(UserSpeaking d) => Write(VoiceOpcode.Speaking, d, VoiceJson.Default.UserSpeaking);

    public static byte[] Connect(params Snowflake[] users) =>
        Write(VoiceOpcode.ClientsConnect, new ClientsConnect(users), VoiceJson.Default.ClientsConnect);

    public static byte[] Disconnect(Snowflake user) =>
        Write(VoiceOpcode.ClientDisconnect, new ClientDisconnect(user), VoiceJson.Default.ClientDisconnect);

    public static byte[] Flags(Snowflake user) => Write(VoiceOpcode.ClientFlags, new ClientFlags(user, 0), VoiceJson.Default.ClientFlags);

    public static byte[] Platform(Snowflake user) =>
        Write(VoiceOpcode.ClientPlatform, new ClientPlatform(user, null), VoiceJson.Default.ClientPlatform);

    public static byte[] Version(BackendVersion d) => Write(VoiceOpcode.VoiceBackendVersion, d, VoiceJson.Default.BackendVersion);

    public static byte[] Resumed() => """{"op":9,"d":null}"""u8.ToArray();

    /// <summary>The ACK in the form of the heartbeat it answers.</summary>
    public static byte[] Ack(Heartbeat heartbeat) => Encoding.UTF8.GetBytes(
        heartbeat.Plain ? $$"""{"op":6,"d":{{heartbeat.Nonce}}}""" : $$$"""{"op":6,"d":{"t":{{{heartbeat.Nonce}}}}}""");

    /// <summary>The same message with a sequence number (section 2): the closing brace makes room for it.</summary>
    public static byte[] Numbered(ReadOnlySpan<byte> frame, ushort seq)
    {
        var tail = Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $",\"seq\":{seq}}}"));
        var numbered = new byte[frame.Length - 1 + tail.Length];
        frame[..^1].CopyTo(numbered);
        tail.CopyTo(numbered, frame.Length - 1);
        return numbered;
    }

    private static byte[] Write<T>(VoiceOpcode op, T d, JsonTypeInfo<T> type)
    {
        var buffer = new ArrayBufferWriter<byte>(256);
        using (var writer = new Utf8JsonWriter(buffer))
        {
            writer.WriteStartObject();
            writer.WriteNumber("op"u8, (int)op);
            writer.WritePropertyName("d"u8);
            JsonSerializer.Serialize(writer, d, type);
            writer.WriteEndObject();
        }

        return buffer.WrittenSpan.ToArray();
    }
}
