using System.Buffers;
using System.Net.Security;
using System.Net.WebSockets;

namespace Voice.Client;

/// <summary>A client's WebSocket of whole text messages. One may receive while others send; what ends it is thrown as the exception that
/// <paramref name="ended"/> makes of close code, reason and cause. From connecting to <see cref="StartHeartbeat"/> it has ten seconds.</summary>
internal sealed class MessageSocket(
    RemoteCertificateValidationCallback? check, int maxMessage, Func<int?, string?, Exception?, Exception> ended) : IDisposable
{
    private static readonly TimeSpan OpenTimeout = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan CloseTimeout = TimeSpan.FromSeconds(2);

    private readonly ClientWebSocket socket = new() { Options = { RemoteCertificateValidationCallback = check } };
    private readonly SemaphoreSlim sending = new(1);
    private readonly CancellationTokenSource life = new();
    private readonly CancellationTokenSource opening = new(OpenTimeout);
    private readonly ArrayBufferWriter<byte> message = new(4096);
    private volatile bool answered = true;
    private Task? beating;

    public async Task Connect(Uri uri, CancellationToken cancellation)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellation, opening.Token);
        try
        {
            await socket.ConnectAsync(uri, limit.Token);
        }
        catch (Exception e) when (opening.IsCancellationRequested && !cancellation.IsCancellationRequested)
        {
            throw ended(null, $"{uri.Authority} does not answer", e);
        }
        catch (WebSocketException e)
        {
            throw ended(null, $"{uri.Authority} cannot be reached: {Innermost(e).Message}", e);
        }
    }

    /// <summary>The next text message, valid until the call after. Binary ones are passed over: they are of end-to-end encryption.</summary>
    public async Task<ReadOnlyMemory<byte>> Receive()
    {
        message.ResetWrittenCount();
        try
        {
            while (true)
            {
                var part = await socket.ReceiveAsync(message.GetMemory(), opening.Token);
                if (part.MessageType == WebSocketMessageType.Close) throw ended((int?)socket.CloseStatus, socket.CloseStatusDescription, null);
                message.Advance(part.Count);
                if (message.WrittenCount > maxMessage) throw ended(null, "a message is too long", null);
                if (!part.EndOfMessage) continue;
                if (part.MessageType == WebSocketMessageType.Text) return message.WrittenMemory;
                message.ResetWrittenCount();
            }
        }
        catch (Exception e) when (e is WebSocketException or OperationCanceledException or ObjectDisposedException) // the last two: aborted
        {
            throw ended(null, opening.IsCancellationRequested ? "no Hello came in time" : e.Message, e);
        }
    }

    public async Task Send(ReadOnlyMemory<byte> text, CancellationToken cancellation)
    {
        await sending.WaitAsync(cancellation);
        try
        {
            await socket.SendAsync(text, WebSocketMessageType.Text, endOfMessage: true, cancellation);
        }
        catch (Exception e) when (e is WebSocketException or InvalidOperationException or ObjectDisposedException)
        {
            throw ended(null, e.Message, e);
        }
        finally
        {
            sending.Release();
        }
    }

    /// <summary>At Hello. The first after a random part of the interval, so that clients which lost one server do not beat together; an unanswered
    /// one ends the socket.</summary>
    /// <param name="beat">The message.</param>
    public void StartHeartbeat(TimeSpan interval, TimeProvider time, Func<byte[]> beat)
    {
        opening.CancelAfter(Timeout.InfiniteTimeSpan);
        beating ??= Beat(interval, time, beat);
    }

    public void HeartbeatAnswered() => answered = true;

    public void Abort() => socket.Abort();

    /// <summary>Says goodbye with 1000, and goes if it is not answered. The answer ends a <see cref="Receive"/>.</summary>
    public async Task Close()
    {
        try
        {
            using var timeout = CancellationTokenSource.CreateLinkedTokenSource(life.Token);
            timeout.CancelAfter(CloseTimeout);
            await socket.CloseOutputAsync(WebSocketCloseStatus.NormalClosure, null, timeout.Token);
            await Task.Delay(CloseTimeout, life.Token);
            socket.Abort();
        }
        catch (Exception e) when (e is WebSocketException or OperationCanceledException or ObjectDisposedException or InvalidOperationException)
        {
            // Gone already.
        }
    }

    public void Dispose()
    {
        life.Cancel();
        life.Dispose();
        socket.Dispose();
        opening.Dispose();
    }

    private async Task Beat(TimeSpan interval, TimeProvider time, Func<byte[]> beat)
    {
        var ended = life.Token;
        try
        {
            await Task.Delay(interval * Random.Shared.NextDouble(), time, ended);
            while (answered)
            {
                answered = false;
                await Send(beat(), ended);
                await Task.Delay(interval, time, ended);
            }

            Abort();
        }
        catch (Exception e) when (e is OperationCanceledException or GatewayClosedException or VoiceClosedException)
        {
            // The reading side sees the end too.
        }
    }

    private static Exception Innermost(Exception e) => e.InnerException is { } inner ? Innermost(inner) : e;
}
