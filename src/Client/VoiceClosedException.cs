namespace Voice.Client;

/// <summary>The place in voice is lost for good, or was not to be had.</summary>
/// <param name="code">Close code of the voice WebSocket (protocol/voice-gateway.md section 7); null where there was none.</param>
public sealed class VoiceClosedException(int? code, string? reason, Exception? cause = null)
    : Exception($"voice ended ({code?.ToString() ?? "no code"}{(reason is { Length: > 0 } ? $": {reason}" : "")})", cause)
{
    public int? Code => code;
}
