namespace Voice.Client;

/// <summary>The gateway ended the connection for good, or it was lost and could not be had back.</summary>
/// <param name="code">WebSocket close code; null if the socket broke without one.</param>
public sealed class GatewayClosedException(int? code, string? reason, Exception? cause = null)
    : Exception($"the gateway closed the connection ({code?.ToString() ?? "no code"}{(reason is { Length: > 0 } ? $": {reason}" : "")})", cause)
{
    public int? Code => code;
}
