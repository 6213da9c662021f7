using System.Text.Json.Serialization;

namespace Voice.Protocol.Voice;

// The `d` of what a voice server says (protocol/voice-gateway.md section 4). What a client says: ClientMessage.

public sealed record VoiceHello(int V, int HeartbeatInterval);

/// <param name="Ssrc">First of the client's block: its audio.</param>
/// <param name="Ip">Where media goes; an IPv4 literal wherever the node has IPv4.</param>
/// <param name="Modes">Encryption modes of the UDP protocol, best first.</param>
public sealed record VoiceReady(uint Ssrc, string Ip, int Port, string[] Modes)
{
    public string[] Experiments { get; init; } = [];

    public object[] Streams { get; init; } = [];

    /// <summary>Ours, for people to see: who serves them. Libraries do not look at it.</summary>
    public string Node { get; init; } = "";

    public string Region { get; init; } = "";
}

/// <summary>Op 4 for UDP. Nulls are written, and numbers that are off are 0: libraries index the fields unconditionally.</summary>
/// <param name="SecretKey">32 bytes, as JSON has them: numbers.</param>
/// <param name="MediaSessionId">32 hexadecimal digits.</param>
public sealed record UdpSessionDescription(string Mode, int[] SecretKey, string MediaSessionId)
{
    public string AudioCodec { get; init; } = "opus";

    public string? VideoCodec { get; init; }

    public int DaveProtocolVersion { get; init; }
}

/// <summary>Op 4 for WebRTC. Nulls are written: libraries index the fields unconditionally.</summary>
/// <param name="MediaSessionId">32 hexadecimal digits.</param>
public sealed record SessionDescription(string Sdp, string MediaSessionId)
{
    public string AudioCodec { get; init; } = "opus";

    public string? VideoCodec { get; init; }

    public int DaveProtocolVersion { get; init; }
}

/// <param name="Ssrc">What this user's packets carry.</param>
public sealed record UserSpeaking(Snowflake UserId, uint Ssrc, SpeakingFlags Speaking);

/// <param name="Flags">What the user's client allows others to do, such as clips of it. 0: nothing.</param>
public sealed record ClientFlags(Snowflake UserId, int Flags);

/// <param name="Platform">Null: not known, and no client says it.</param>
public sealed record ClientPlatform(Snowflake UserId, int? Platform);

public sealed record ClientsConnect(Snowflake[] UserIds);

public sealed record ClientDisconnect(Snowflake UserId);

public sealed record BackendVersion(string Voice, string RtcWorker);

/// <summary>The one way voice gateway JSON is written and read: snake_case, nulls written, snowflakes as strings; what a
/// record's constructor names must be there and not null.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower,
    RespectNullableAnnotations = true,
    RespectRequiredConstructorParameters = true)]
[JsonSerializable(typeof(ClientEnvelope))]
[JsonSerializable(typeof(Identify))]
[JsonSerializable(typeof(Resume))]
[JsonSerializable(typeof(SelectProtocolPayload))]
[JsonSerializable(typeof(HeartbeatPayload))]
[JsonSerializable(typeof(VoiceHello))]
[JsonSerializable(typeof(VoiceReady))]
[JsonSerializable(typeof(SessionDescription))]
[JsonSerializable(typeof(UdpSessionDescription))]
[JsonSerializable(typeof(UdpTarget))]
[JsonSerializable(typeof(UserSpeaking))]
[JsonSerializable(typeof(ClientsConnect))]
[JsonSerializable(typeof(ClientDisconnect))]
[JsonSerializable(typeof(ClientFlags))]
[JsonSerializable(typeof(ClientPlatform))]
[JsonSerializable(typeof(BackendVersion))]
internal sealed partial class VoiceJson : JsonSerializerContext;
