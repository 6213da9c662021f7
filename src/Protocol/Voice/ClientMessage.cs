using System.Text.Json;

namespace Voice.Protocol.Voice;

/// <summary>One message of a client on the voice WebSocket, parsed and checked for form; what it may do is not judged here.</summary>
public abstract record ClientMessage
{
    /// <summary>Never throws: what cannot be taken becomes <see cref="Refused"/> with the close code it deserves.</summary>
    public static ClientMessage Parse(ReadOnlySpan<byte> utf8)
    {
        try
        {
            var envelope = JsonSerializer.Deserialize(utf8, VoiceJson.Default.ClientEnvelope);
            return envelope is null ? Refused.Malformed : Parse(envelope.Op, envelope.D);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            // InvalidOperationException: no `d` where one is needed, or a string of half a surrogate pair.
            return Refused.Malformed;
        }
    }

    /// <summary>Binary messages are for end-to-end encryption alone. Which is not offered, so that libraries do not send any; of one that
    /// does, those that clients may send do no harm.</summary>
    public static ClientMessage ParseBinary(ReadOnlySpan<byte> message) => message switch
    {
        [] => Refused.Malformed,
        [(byte)VoiceOpcode.DaveMlsKeyPackage or (byte)VoiceOpcode.DaveMlsCommitWelcome, ..] => new Ignored(),
        _ => Refused.Unknown,
    };

    private static ClientMessage Parse(int op, JsonElement d) => (VoiceOpcode)op switch
    {
        VoiceOpcode.Identify => d.Deserialize(VoiceJson.Default.Identify) ?? (ClientMessage)Refused.Malformed,
        VoiceOpcode.SelectProtocol => SelectProtocol.Parse(d),
        VoiceOpcode.Heartbeat => Heartbeat.Parse(d),
        VoiceOpcode.Speaking => Speaking.Parse(d),
        VoiceOpcode.Resume => d.Deserialize(VoiceJson.Default.Resume) ?? (ClientMessage)Refused.Malformed,
        VoiceOpcode.VoiceBackendVersion => new BackendVersionRequest(),
        VoiceOpcode.Video or VoiceOpcode.SessionUpdate or VoiceOpcode.MediaSinkWants or VoiceOpcode.ClientPlatform or VoiceOpcode.NoRoute => new Ignored(),
        VoiceOpcode.DaveTransitionReady or VoiceOpcode.DaveMlsInvalidCommitWelcome => new Ignored(),
        _ => Refused.Unknown,
    };
}

internal sealed record ClientEnvelope(int Op)
{
    public JsonElement D { get; init; }
}

/// <summary>Not taken: the socket closes with <paramref name="Code"/>.</summary>
public sealed record Refused(VoiceCloseCode Code, string Reason) : ClientMessage
{
    public static readonly Refused Malformed = new(VoiceCloseCode.DecodeError, "malformed message");
    public static readonly Refused Unknown = new(VoiceCloseCode.UnknownOpcode, "unknown opcode");
}

/// <summary>Known, and nothing that this server acts on (op 12, since video is not forwarded; 14, 15, 20, 32; and of end-to-end encryption 23, 26, 28, 31).</summary>
public sealed record Ignored : ClientMessage;

/// <summary>Op 0 (section 4.1).</summary>
/// <param name="ServerId">The guild.</param>
/// <param name="SessionId">From VOICE_STATE_UPDATE.</param>
/// <param name="Token">From VOICE_SERVER_UPDATE.</param>
public sealed record Identify(Snowflake ServerId, Snowflake UserId, string SessionId, string Token) : ClientMessage
{
    /// <summary>Since version 9.</summary>
    public Snowflake? ChannelId { get; init; }

    public int? MaxDaveProtocolVersion { get; init; }

    /// <summary>Without the token.</summary>
    public override string ToString() => $"{nameof(Identify)} {{ {ServerId}, {UserId}, {SessionId} }}";
}

/// <summary>Op 7 (section 4.6).</summary>
public sealed record Resume(Snowflake ServerId, string SessionId, string Token) : ClientMessage
{
    /// <summary>Since version 9.</summary>
    public Snowflake? ChannelId { get; init; }

    /// <summary>The last sequence number the client has; -1 or absent: none.</summary>
    public int? SeqAck { get; init; }

    /// <summary>Without the token.</summary>
    public override string ToString() => $"{nameof(Resume)} {{ {ServerId}, {SessionId}, {SeqAck} }}";
}

/// <summary>Op 1 (section 4.3). A protocol that is neither `webrtc` nor `udp` is taken as far as its name.</summary>
/// <param name="OpusPayloadType">From the codec list, if it names Opus.</param>
public sealed record SelectProtocol(string Protocol, int? OpusPayloadType) : ClientMessage
{
    public const string WebRtc = "webrtc";
    public const string Udp = "udp";

    /// <summary>With `webrtc`: the SDP fragment, which browsers send as `data` and again as `sdp`.</summary>
    public string? Fragment { get; init; }

    /// <summary>With `udp`, and always there then.</summary>
    public UdpTarget? Target { get; init; }

    internal static ClientMessage Parse(JsonElement d)
    {
        if (d.Deserialize(VoiceJson.Default.SelectProtocolPayload) is not { } payload) return Refused.Malformed;
        var opus = payload.Codecs?.FirstOrDefault(codec => codec?.Name == "opus");
        var select = new SelectProtocol(payload.Protocol, opus?.PayloadType);
        return payload.Protocol switch
        {
            WebRtc => select with { Fragment = payload.Data.ValueKind == JsonValueKind.String ? payload.Data.GetString() : payload.Sdp },
            Udp => payload.Data.Deserialize(VoiceJson.Default.UdpTarget) is { } target ? select with { Target = target } : Refused.Malformed,
            _ => select,
        };
    }
}

/// <summary>The `data` of a UDP selection.</summary>
/// <param name="Mode">Name of the encryption mode.</param>
public sealed record UdpTarget(string Mode)
{
    /// <summary>Where the client believes that its packets come from: what IP discovery told it. A hint, not checked here.</summary>
    public string? Address { get; init; }

    public int Port { get; init; }
}

internal sealed record SelectProtocolPayload(string Protocol)
{
    public JsonElement Data { get; init; }

    public string? Sdp { get; init; }

    public OfferedCodec?[]? Codecs { get; init; }
}

internal sealed record OfferedCodec(string Name)
{
    public int? PayloadType { get; init; }
}

/// <summary>Op 3. Its form follows the type of `d`, not the version (section 1).</summary>
/// <param name="Nonce">What the ACK gives back: a JSON number or string, as the client wrote it.</param>
/// <param name="SeqAck">Version 8: the last sequence number the client has.</param>
/// <param name="Plain">`d` was the number itself.</param>
public sealed record Heartbeat(string Nonce, int? SeqAck, bool Plain) : ClientMessage
{
    /// <summary>Characters; every number of 64 bits has fewer.</summary>
    private const int MaxNonce = 64;

    internal static ClientMessage Parse(JsonElement d)
    {
        if (d.ValueKind != JsonValueKind.Object) return Parse(d, null, plain: true);
        return d.Deserialize(VoiceJson.Default.HeartbeatPayload) is { } payload ? Parse(payload.T, payload.SeqAck, plain: false) : Refused.Malformed;
    }

    private static ClientMessage Parse(JsonElement nonce, int? seqAck, bool plain) =>
        nonce.ValueKind is JsonValueKind.Number or JsonValueKind.String && nonce.GetRawText() is { Length: <= MaxNonce } raw
            ? new Heartbeat(raw, seqAck, plain)
            : Refused.Malformed;
}

internal sealed record HeartbeatPayload(JsonElement T)
{
    public int? SeqAck { get; init; }
}

/// <summary>Op 5 (section 4.5). The SSRC a client names is its own business: the server announces the one it assigned.</summary>
public sealed record Speaking(SpeakingFlags Flags) : ClientMessage
{
    internal static ClientMessage Parse(JsonElement d)
    {
        if (d.ValueKind != JsonValueKind.Object || !d.TryGetProperty("speaking", out var speaking)) return Refused.Malformed;
        return speaking.ValueKind switch
        {
            JsonValueKind.Number when speaking.TryGetInt32(out var bits) => new Speaking((SpeakingFlags)bits & All),
            JsonValueKind.True => new Speaking(SpeakingFlags.Microphone),
            JsonValueKind.False => new Speaking(SpeakingFlags.None),
            _ => Refused.Malformed,
        };
    }

    private const SpeakingFlags All = SpeakingFlags.Microphone | SpeakingFlags.Soundshare | SpeakingFlags.Priority;
}

/// <summary>Op 16, from the client.</summary>
public sealed record BackendVersionRequest : ClientMessage;
