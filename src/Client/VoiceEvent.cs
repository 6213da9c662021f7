using Voice.Protocol;
using Voice.Protocol.Voice;

namespace Voice.Client;

public enum VoiceClientState
{
    /// <summary>Waiting for the gateway to name a voice server.</summary>
    Joining = 0,

    /// <summary>The gateway has no voice server at the moment, and will name one when it has.</summary>
    AwaitingServer,

    /// <summary>With the voice server: identifying, finding the media path, agreeing on keys.</summary>
    Connecting,

    /// <summary>Media goes both ways.</summary>
    Connected,

    /// <summary>The voice WebSocket is lost and being resumed; media goes on.</summary>
    Resuming,

    /// <summary>Left, or ended for good.</summary>
    Closed,
}

/// <summary>What happens in the channel.</summary>
public abstract record VoiceEvent
{
    private VoiceEvent()
    {
    }

    public sealed record StateChanged(VoiceClientState State) : VoiceEvent;

    /// <summary>Somebody else is in the channel.</summary>
    public sealed record ClientConnected(Snowflake User) : VoiceEvent;

    public sealed record ClientDisconnected(Snowflake User) : VoiceEvent;

    /// <summary>Says whose packets carry <paramref name="Ssrc"/>, and, as far as that client tells, whether it talks.</summary>
    public sealed record Speaking(Snowflake User, uint Ssrc, SpeakingFlags Flags) : VoiceEvent;
}
