using System.Net.WebSockets;
using Microsoft.Extensions.Logging;
using Voice.Protocol.Gateway;

namespace Voice.Signaling.Gateway;

/// <summary>One client's WebSocket: reads messages, lets <see cref="GatewayConnection"/> decide, and does what it says.</summary>
/// <param name="anteroom">The place of a socket that has no session yet: given up once it has one.</param>
internal sealed class GatewaySocket(
    WebSocket socket,
    string? version,
    ZlibStream? compression,
    string resumeUrl,
    IDisposable anteroom,
    Accounts accounts,
    GatewaySessions sessions,
    ILogger log)
{
    /// <summary>How long a client has to answer our close frame.</summary>
    private static readonly TimeSpan CloseTimeout = TimeSpan.FromSeconds(2);
    private const int FirstBufferBytes = 1024;

    private readonly GatewayConnection _connection = new(sessions.Now);
    private readonly Outbox _outbox = new(socket.Abort);
    private byte[] _buffer = new byte[FirstBufferBytes];
    private LiveSession? _session;
    private volatile bool _closing;

    /// <summary>The API version spoken; null if it is not one of ours. A client that names none gets the newest.</summary>
    private int? Version => version switch { null or "10" => 10, "9" => 9, _ => null };

    /// <summary>Ends when the socket has; a session it had is then detached or ended.</summary>
    public async Task Run(CancellationToken stopping)
    {
        using var goingDown = stopping.Register(Reconnect);
        if (Version is not null) _outbox.Post(GatewayConnection.Hello);
        else Close(GatewayCloseCode.InvalidApiVersion);
        var sending = _outbox.SendAll(socket, compression);
        var receiving = ReceiveAll();
        try
        {
            await await Task.WhenAny(sending, receiving);
            _outbox.Complete();
            await sending;
            await receiving.WaitAsync(CloseTimeout, CancellationToken.None);
            if (socket.State == WebSocketState.CloseReceived)
            {
                using var timeout = new CancellationTokenSource(CloseTimeout);
                await socket.CloseOutputAsync(WebSocketCloseStatus.NormalClosure, null, timeout.Token);
            }
        }
        catch (Exception e) when (e is WebSocketException or OperationCanceledException or TimeoutException or IOException or ObjectDisposedException)
        {
            // The client is gone, or does not read: nobody to tell.
        }
        finally
        {
            _outbox.Complete();
            socket.Abort();

            // Both: the sender may be compressing, and the stream that it does that with ends with this call.
            await Task.WhenAll(sending, receiving).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            await LeaveSession();
        }
    }

    /// <summary>Closes with a code once everything posted is sent, and leaves the session to be resumed. What the client still sends is
    /// read and dropped, so that the close frame is not lost to a reset.</summary>
    private void Close(GatewayCloseCode code)
    {
        _closing = true;
        _session?.Detach(_outbox, sessions.Now);
        _outbox.Complete(code);
    }

    private void Reconnect()
    {
        _outbox.Post(GatewayFrame.Reconnect);
        Close(GatewayCloseCode.UnknownError);
    }

    private async Task ReceiveAll()
    {
        while (await Receive() is { } length)
        {
            if (_closing) continue;
            try
            {
                await Do(_connection.Receive(_buffer.AsSpan(0, length), sessions.Now));
            }
            catch (Exception e) when (e is not (WebSocketException or OperationCanceledException))
            {
                // A guild or the storage failed: the client may resume and ask again.
                log.LogWarning(e, "A message of gateway session {Session} failed", _session?.Id);
                Close(GatewayCloseCode.UnknownError);
            }
        }
    }

    /// <summary>Length of the next message in the buffer, or more than the limit when it is longer; null when the client closed.</summary>
    private async Task<int?> Receive()
    {
        var length = 0;
        while (true)
        {
            if (length == _buffer.Length) Array.Resize(ref _buffer, Math.Min(2 * length, GatewayConnection.MaxMessageBytes + 1));
            var received = await ReceivePart(length);
            if (received.MessageType == WebSocketMessageType.Close) return null;
            length += received.Count;
            if (received.EndOfMessage || length > GatewayConnection.MaxMessageBytes) return length;
        }
    }

    private async Task<ValueWebSocketReceiveResult> ReceivePart(int offset)
    {
        var part = socket.ReceiveAsync(_buffer.AsMemory(offset), CancellationToken.None).AsTask();
        while (!_closing)
        {
            var patience = _connection.Deadline - sessions.Now;
            if (patience > TimeSpan.Zero)
            {
                try
                {
                    return await part.WaitAsync(patience, sessions.Time);
                }
                catch (TimeoutException)
                {
                    // The read goes on below; cancelling it would end the socket without a close code.
                }
            }

            if (_connection.Tick(sessions.Now) is { } timedOut) Close(timedOut.Code);
        }

        return await part;
    }

    private async Task Do(GatewayStep step)
    {
        switch (step)
        {
            case GatewayStep.Reply reply: _outbox.Post(reply.Message); break;
            case GatewayStep.Close close: Close(close.Code); break;
            case GatewayStep.Login login: await Login(login.Identify); break;
            case GatewayStep.Reattach reattach: await Resume(reattach.Resume); break;
            case GatewayStep.SetVoiceState set: await sessions.SetVoiceState(_session!, set.Update); break;
            case GatewayStep.SendMembers send: await sessions.SendMembers(_session!, send.Request); break;
            case GatewayStep.SendCall send: await sessions.SendCall(_session!, send.Channel); break;
            case GatewayStep.CheckVoiceServer: await sessions.CheckVoiceServer(_session!); break;
        }
    }

    private async Task Login(Identify identify)
    {
        if (await accounts.Identify(identify.Token) is not { } user)
        {
            Close(GatewayCloseCode.AuthenticationFailed);
            return;
        }

        _session = await sessions.Open(user, identify, Version!.Value, resumeUrl, _outbox);
        if (_session is not null) Authenticated();
        else Close(GatewayCloseCode.RateLimited);
    }

    private void Authenticated()
    {
        _connection.Authenticated();
        anteroom.Dispose();
    }

    private async Task Resume(Resume resume)
    {
        if (await accounts.Identify(resume.Token) is not { } user)
        {
            Close(GatewayCloseCode.AuthenticationFailed);
            return;
        }

        var found = sessions.Find(resume.SessionId);
        if (found is null || found.User.Id != user.Id)
        {
            _outbox.Post(GatewayFrame.InvalidSession); // the client may identify on this socket
            return;
        }

        if (found.TryResume(_outbox, resume.Seq, out var valid))
        {
            _session = found;
            Authenticated();
            return;
        }

        if (valid) _outbox.Post(GatewayFrame.InvalidSession);
        else Close(GatewayCloseCode.InvalidSequence);
    }

    // protocol/gateway.md section 2: 1000 and 1001 from the client end the session, any other loss lets it be resumed.
    private async Task LeaveSession()
    {
        if (_session is null || !_session.Detach(_outbox, sessions.Now)) return;
        if (socket.CloseStatus is WebSocketCloseStatus.NormalClosure or WebSocketCloseStatus.EndpointUnavailable) await sessions.End(_session);
    }
}
