using System.Net;
using System.Net.WebSockets;
using System.Threading.Channels;
using Voice.Protocol.Voice;

namespace Voice.Signaling.VoiceServer;

/// <summary>One client's WebSocket: reads messages into the mailbox, writes what it is given, and bounds both. It decides nothing.</summary>
internal sealed class VoiceSocket(long id, WebSocket socket, NodeMailbox mailbox, TimeProvider time) : IDisposable
{
    /// <summary>Largest message taken, in bytes; a browser's SDP fragment comes twice in one of about 2,500.</summary>
    public const int MaxMessage = 16 * 1024;

    /// <summary>Bytes that wait for a client that does not read. More, and its socket is cut; it may resume.</summary>
    private const int MaxWaiting = 1024 * 1024;

    private const int BurstMessages = 120;
    private const int MessagesPerSecond = 20;
    private static readonly TimeSpan CloseTimeout = TimeSpan.FromSeconds(5);

    private readonly Channel<Outgoing> outgoing = Channel.CreateUnbounded<Outgoing>(new UnboundedChannelOptions { SingleReader = true });
    private readonly CancellationTokenSource life = new();
    private readonly TaskCompletionSource ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int waiting;

    /// <summary>Completes when the socket is done with.</summary>
    public Task Ended => ended.Task;

    /// <summary>Any thread; never waits.</summary>
    public void Send(byte[] frame)
    {
        if (Interlocked.Add(ref waiting, frame.Length) > MaxWaiting) socket.Abort();
        else outgoing.Writer.TryWrite(new Outgoing(frame, default, ""));
    }

    /// <summary>Closes after what was sent before.</summary>
    public void Close(VoiceCloseCode code, string reason)
    {
        outgoing.Writer.TryWrite(new Outgoing(null, code, reason));
        outgoing.Writer.TryComplete();
    }

    /// <summary>Serves the socket until it is closed, lost, or <paramref name="stopping"/>.</summary>
    /// <param name="version">The protocol version the client asked for.</param>
    /// <param name="from">The client's address, if it is known.</param>
    public async Task RunAsync(int version, IPAddress? from, CancellationToken stopping)
    {
        await using var stop = stopping.UnsafeRegister(static socket => ((VoiceSocket)socket!).life.Cancel(), this);
        await mailbox.PostAsync((core, now) => core.Accepted(now, id, version, from));
        var sending = SendAllAsync();
        var closeCode = await ReceiveAllAsync();
        await mailbox.PostAsync((core, now) => core.Lost(now, id, closeCode));
        outgoing.Writer.TryComplete();
        await sending;
    }

    public void Dispose()
    {
        life.Dispose();
        ended.TrySetResult();
    }

    /// <returns>The client's close code; null when there was none.</returns>
    private async Task<int?> ReceiveAllAsync()
    {
        var buffer = new byte[MaxMessage];
        var rate = new TokenBucket(BurstMessages, MessagesPerSecond);
        var started = time.GetTimestamp();
        var length = 0;
        var refused = false;
        try
        {
            while (true)
            {
                var got = await socket.ReceiveAsync(buffer.AsMemory(length), life.Token);
                if (got.MessageType == WebSocketMessageType.Close) return (int?)socket.CloseStatus;
                length += got.Count;
                if (!got.EndOfMessage && length < buffer.Length) continue;

                // After a refusal the client is read on, so that it gets to see the close frame, and not listened to.
                if (!refused)
                {
                    var message = !rate.TryTake(time.GetElapsedTime(started)) ? new Refused(VoiceCloseCode.RateLimited, "too many messages")
                        : !got.EndOfMessage ? new Refused(VoiceCloseCode.DecodeError, "message too long")
                        : got.MessageType == WebSocketMessageType.Binary ? ClientMessage.ParseBinary(buffer.AsSpan(0, length))
                        : ClientMessage.Parse(buffer.AsSpan(0, length));
                    refused = message is Refused;
                    await mailbox.PostAsync((core, now) => core.Received(now, id, message));
                }

                length = 0;
            }
        }
        catch (Exception e) when (e is WebSocketException or OperationCanceledException or IOException)
        {
            return null;
        }
    }

    private async Task SendAllAsync()
    {
        try
        {
            await foreach (var item in outgoing.Reader.ReadAllAsync(life.Token))
            {
                if (item.Frame is { } frame)
                {
                    await socket.SendAsync(frame, WebSocketMessageType.Text, endOfMessage: true, life.Token);
                    Interlocked.Add(ref waiting, -frame.Length);
                }
                else
                {
                    // The receiver waits for the client's answer, but not for long.
                    await socket.CloseOutputAsync((WebSocketCloseStatus)item.Code, item.Reason, life.Token);
                    life.CancelAfter(CloseTimeout);
                    return;
                }
            }

            if (socket.State == WebSocketState.CloseReceived) await socket.CloseOutputAsync(WebSocketCloseStatus.NormalClosure, null, life.Token);
        }
        catch (Exception e) when (e is WebSocketException or OperationCanceledException or IOException or ObjectDisposedException)
        {
            await life.CancelAsync();
        }
    }

    private readonly record struct Outgoing(byte[]? Frame, VoiceCloseCode Code, string Reason);
}
