using System.Buffers;
using System.Text.Json;

namespace Voice.Protocol.Voice;

/// <summary>What a client says on the voice WebSocket, as UTF-8 JSON (protocol/voice-gateway.md section 4), in the form of version 8.</summary>
public static class ClientFrame
{
    public static byte[] Identify(Snowflake server, Snowflake channel, Snowflake user, string sessionId, string token) => Write(VoiceOpcode.Identify, d =>
    {
        d.WriteString("server_id"u8, server.ToString());
        d.WriteString("channel_id"u8, channel.ToString());
        d.WriteString("user_id"u8, user.ToString());
        d.WriteString("session_id"u8, sessionId);
        d.WriteString("token"u8, token);
        d.WriteNumber("max_dave_protocol_version"u8, 0);
    });

    /// <param name="seqAck">The last sequence number received; -1: none.</param>
    public static byte[] Resume(Snowflake server, string sessionId, string token, int seqAck) => Write(VoiceOpcode.Resume, d =>
    {
        d.WriteString("server_id"u8, server.ToString());
        d.WriteString("session_id"u8, sessionId);
        d.WriteString("token"u8, token);
        d.WriteNumber("seq_ack"u8, seqAck);
    });

    /// <summary>Section 4.3, UDP.</summary>
    /// <param name="address">Where the server sees this client, as IP discovery told.</param>
    public static byte[] SelectUdp(string address, int port, string mode) => Write(VoiceOpcode.SelectProtocol, d =>
    {
        d.WriteString("protocol"u8, "udp"u8);
        d.WriteStartObject("data"u8);
        d.WriteString("address"u8, address);
        d.WriteNumber("port"u8, port);
        d.WriteString("mode"u8, mode);
        d.WriteEndObject();
    });

    /// <summary>Section 4.3, WebRTC: the fragment stands twice, as browsers send it.</summary>
    public static byte[] SelectWebRtc(string fragment, int opusPayloadType) => Write(VoiceOpcode.SelectProtocol, d =>
    {
        d.WriteString("protocol"u8, "webrtc"u8);
        d.WriteString("data"u8, fragment);
        d.WriteString("sdp"u8, fragment);
        d.WriteStartArray("codecs"u8);
        d.WriteStartObject();
        d.WriteString("name"u8, "opus"u8);
        d.WriteString("type"u8, "audio"u8);
        d.WriteNumber("priority"u8, 1000);
        d.WriteNumber("payload_type"u8, opusPayloadType);
        d.WriteNull("rtx_payload_type"u8);
        d.WriteEndObject();
        d.WriteEndArray();
    });

    public static byte[] Heartbeat(long nonce, int seqAck) => Write(VoiceOpcode.Heartbeat, d =>
    {
        d.WriteNumber("t"u8, nonce);
        d.WriteNumber("seq_ack"u8, seqAck);
    });

    public static byte[] Speaking(SpeakingFlags flags, uint ssrc) => Write(VoiceOpcode.Speaking, d =>
    {
        d.WriteNumber("speaking"u8, (int)flags);
        d.WriteNumber("delay"u8, 0);
        d.WriteNumber("ssrc"u8, ssrc);
    });

    private static byte[] Write(VoiceOpcode op, Action<Utf8JsonWriter> d)
    {
        var buffer = new ArrayBufferWriter<byte>(256);
        using (var writer = new Utf8JsonWriter(buffer))
        {
            writer.WriteStartObject();
            writer.WriteNumber("op"u8, (int)op);
            writer.WriteStartObject("d"u8);
            d(writer);
            writer.WriteEndObject();
            writer.WriteEndObject();
        }

        return buffer.WrittenSpan.ToArray();
    }
}
