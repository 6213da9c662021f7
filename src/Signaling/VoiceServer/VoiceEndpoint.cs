using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Net.WebSockets;
using Microsoft.AspNetCore.Http;
using Voice.Protocol.Voice;

namespace Voice.Signaling.VoiceServer;

/// <summary>What a node serves over HTTP: its health, and everything else is the voice WebSocket.</summary>
/// <param name="healthy">Whether media can flow.</param>
internal sealed class VoiceEndpoint(NodeMailbox mailbox, Func<bool> healthy, TimeProvider time, CancellationToken stopping)
{
    /// <summary>A client that names no version speaks this one (protocol/voice-gateway.md section 1).</summary>
    private const int OldestVersion = 4;
    private const int NewestVersion = 9;

    private readonly ConcurrentDictionary<long, VoiceSocket> sockets = new();
    private long lastSocket;

    public void Send(long socket, byte[] frame)
    {
        if (sockets.TryGetValue(socket, out var found)) found.Send(frame);
    }

    public void Close(long socket, VoiceCloseCode code, string reason)
    {
        if (sockets.TryGetValue(socket, out var found)) found.Close(code, reason);
    }

    /// <summary>Completes when those who are here now have gone.</summary>
    public Task Emptied() => Task.WhenAll(sockets.Values.Select(socket => socket.Ended));

    public async Task ServeAsync(HttpContext http)
    {
        if (http.Request.Path == "/healthz")
        {
            http.Response.StatusCode = healthy() ? StatusCodes.Status200OK : StatusCodes.Status503ServiceUnavailable;
            await http.Response.WriteAsync(healthy() ? "ok\n" : "no media process\n");
        }
        else if (!http.WebSockets.IsWebSocketRequest || http.Request.Path.Value?.Trim('/') is not (null or ""))
        {
            http.Response.StatusCode = StatusCodes.Status404NotFound;
        }
        else if (!TryVersion(http.Request.Query["v"], out var version))
        {
            http.Response.StatusCode = StatusCodes.Status400BadRequest;
        }
        else
        {
            using var webSocket = await http.WebSockets.AcceptWebSocketAsync();
            await ServeAsync(webSocket, version, http.Connection.RemoteIpAddress);
        }
    }

    private async Task ServeAsync(WebSocket webSocket, int version, IPAddress? from)
    {
        var id = Interlocked.Increment(ref lastSocket);
        using var socket = new VoiceSocket(id, webSocket, mailbox, time);
        sockets[id] = socket;
        try
        {
            await socket.RunAsync(version, from, stopping);
        }
        finally
        {
            sockets.TryRemove(id, out _);
        }
    }

    private static bool TryVersion(string? text, out int version)
    {
        version = OldestVersion;
        if (text is null) return true;
        return int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out version) && version is >= OldestVersion and <= NewestVersion;
    }
}
