using Voice.Client;

namespace Voice.Commands.Clients;

internal static class TransportName
{
    /// <summary>As people write it.</summary>
    public static string Name(this VoiceTransport transport) => transport switch
    {
        VoiceTransport.Udp => "UDP",
        VoiceTransport.WebRtc => "WebRTC",
        _ => throw new ArgumentOutOfRangeException(nameof(transport), transport, "no such transport"),
    };
}
