using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Voice.Protocol.Gateway;

namespace Voice.Signaling.Gateway;

/// <summary>The rules for one client socket of the main gateway (protocol/gateway.md section 2): what may be sent when, how much
/// and how often, and when a silent client is given up. Handed complete messages and told the time, which only has to go forward.</summary>
public sealed class GatewayConnection
{
    public const int MaxMessageBytes = 15 * 1024;
    public const int MaxMessagesPerWindow = 120;

    public static readonly TimeSpan HeartbeatInterval = TimeSpan.FromMilliseconds(41_250);
    public static readonly TimeSpan HeartbeatTolerance = TimeSpan.FromSeconds(20);
    public static readonly TimeSpan RateWindow = TimeSpan.FromSeconds(60);

    /// <summary>How long a client may stay without a session, heartbeats or not.</summary>
    public static readonly TimeSpan IdentifyTimeout = TimeSpan.FromSeconds(15);

    /// <summary>Every intent bit that Discord has defined; others are a mistake of the client.</summary>
    private const int KnownIntents = 0x0331_FFFF;

    private readonly TimeSpan _opened;
    private TimeSpan _lastHeartbeat;
    private TimeSpan _windowStart;
    private int _messagesInWindow;
    private bool _authenticated;

    public GatewayConnection(TimeSpan now)
    {
        _opened = _lastHeartbeat = _windowStart = now;
    }

    /// <summary>Sent first, at once.</summary>
    public static byte[] Hello { get; } = GatewayFrame.Hello((int)HeartbeatInterval.TotalMilliseconds);

    /// <summary>When <see cref="Tick"/> next has something to say, unless a message comes first.</summary>
    public TimeSpan Deadline
    {
        get
        {
            var heartbeat = _lastHeartbeat + HeartbeatInterval + HeartbeatTolerance;
            var identify = _opened + IdentifyTimeout;
            return _authenticated || heartbeat < identify ? heartbeat : identify;
        }
    }

    /// <summary>The client has a session from now on.</summary>
    public void Authenticated() => _authenticated = true;

    /// <summary>Null while the client may stay.</summary>
    public GatewayStep.Close? Tick(TimeSpan now)
    {
        if (now < Deadline) return null;
        return new GatewayStep.Close(_authenticated ? GatewayCloseCode.SessionTimedOut : GatewayCloseCode.NotAuthenticated);
    }

    /// <summary>One whole message, text or binary; of a longer one, any part beyond the limit is enough.</summary>
    public GatewayStep Receive(ReadOnlySpan<byte> message, TimeSpan now)
    {
        if (message.Length > MaxMessageBytes) return Close(GatewayCloseCode.DecodeError);
        if (!WithinRate(now)) return Close(GatewayCloseCode.RateLimited);
        try
        {
            var parsed = JsonSerializer.Deserialize(message, GatewayJson.Default.GatewayMessage);
            return parsed is null ? Close(GatewayCloseCode.DecodeError) : Handle(parsed, now);
        }
        catch (JsonException)
        {
            return Close(GatewayCloseCode.DecodeError);
        }
    }

    private static GatewayStep.Close Close(GatewayCloseCode code) => new(code);

    private GatewayStep Handle(GatewayMessage message, TimeSpan now)
    {
        switch (message.Op)
        {
            case GatewayOpcode.Heartbeat: // allowed before Identify
                if (message.D.ValueKind is not (JsonValueKind.Null or JsonValueKind.Number or JsonValueKind.Undefined)) return Close(GatewayCloseCode.DecodeError);
                _lastHeartbeat = now;
                return new GatewayStep.Reply(GatewayFrame.HeartbeatAck);
            case GatewayOpcode.Identify:
                return _authenticated ? Close(GatewayCloseCode.AlreadyAuthenticated) : Identify(Parse(message, GatewayJson.Default.Identify));
            case GatewayOpcode.Resume:
                return _authenticated ? Close(GatewayCloseCode.AlreadyAuthenticated) : Resume(Parse(message, GatewayJson.Default.Resume));
            case GatewayOpcode.VoiceStateUpdate:
                return _authenticated ? new GatewayStep.SetVoiceState(Parse(message, GatewayJson.Default.VoiceStateUpdate)) : Close(GatewayCloseCode.NotAuthenticated);
            case GatewayOpcode.VoiceServerPing:
                return _authenticated ? GatewayStep.CheckVoiceServer.Instance : Close(GatewayCloseCode.NotAuthenticated);
            case GatewayOpcode.RequestGuildMembers:
                return _authenticated ? new GatewayStep.SendMembers(Parse(message, GatewayJson.Default.RequestGuildMembers)) : Close(GatewayCloseCode.NotAuthenticated);
            case GatewayOpcode.CallConnect:
                return _authenticated ? new GatewayStep.SendCall(Parse(message, GatewayJson.Default.Call).ChannelId) : Close(GatewayCloseCode.NotAuthenticated);
            case GatewayOpcode.PresenceUpdate: // we keep none
                return _authenticated ? GatewayStep.None.Instance : Close(GatewayCloseCode.NotAuthenticated);
            default:
                return Close(GatewayCloseCode.UnknownOpcode);
        }
    }

    private static GatewayStep Identify(Identify identify)
    {
        if (string.IsNullOrEmpty(identify.Token)) return Close(GatewayCloseCode.DecodeError);
        if (identify.Intents is { } intents && (intents & ~KnownIntents) != 0) return Close(GatewayCloseCode.InvalidIntents);
        if (identify.Shard is { } shard && shard is not [>= 0, > 0]) return Close(GatewayCloseCode.InvalidShard);
        if (identify.Shard is [var id, var count] && id >= count) return Close(GatewayCloseCode.InvalidShard);
        return new GatewayStep.Login(identify);
    }

    private static GatewayStep Resume(Resume resume) =>
        string.IsNullOrEmpty(resume.Token) || string.IsNullOrEmpty(resume.SessionId)
            ? Close(GatewayCloseCode.DecodeError)
            : new GatewayStep.Reattach(resume);

    private static T Parse<T>(GatewayMessage message, JsonTypeInfo<T> type)
        where T : class =>
        message.D.ValueKind == JsonValueKind.Object ? message.D.Deserialize(type)! : throw new JsonException("d is not an object");

    /// <summary>A window opens with its first message, so that a client may send 120 in any burst and then waits.</summary>
    private bool WithinRate(TimeSpan now)
    {
        if (now - _windowStart >= RateWindow)
        {
            _windowStart = now;
            _messagesInWindow = 0;
        }

        return ++_messagesInWindow <= MaxMessagesPerWindow;
    }
}
