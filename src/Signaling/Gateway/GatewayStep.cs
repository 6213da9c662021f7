using Voice.Protocol;
using Voice.Protocol.Gateway;

namespace Voice.Signaling.Gateway;

/// <summary>What is to be done about one message of a client; <see cref="GatewayConnection"/> decides, <see cref="GatewaySocket"/> does.</summary>
public abstract record GatewayStep
{
    private GatewayStep()
    {
    }

    /// <summary>Nothing: the message is allowed and of no use to us.</summary>
    public sealed record None : GatewayStep
    {
        public static readonly None Instance = new();
    }

    public sealed record Reply(byte[] Message) : GatewayStep;

    public sealed record Close(GatewayCloseCode Code) : GatewayStep;

    /// <summary>Check the token; then <see cref="GatewayConnection.Authenticated"/>, or close 4004.</summary>
    public sealed record Login(Identify Identify) : GatewayStep;

    /// <summary>As <see cref="Login"/>, into a session that lost its socket; op 9 if that is impossible.</summary>
    public sealed record Reattach(Resume Resume) : GatewayStep;

    public sealed record SetVoiceState(VoiceStateUpdate Update) : GatewayStep;

    public sealed record SendMembers(RequestGuildMembers Request) : GatewayStep;

    public sealed record SendCall(Snowflake Channel) : GatewayStep;

    public sealed record CheckVoiceServer : GatewayStep
    {
        public static readonly CheckVoiceServer Instance = new();
    }
}
