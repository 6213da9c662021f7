using System.Buffers;
using System.Net.WebSockets;
using System.Text.Json;
using Voice.Protocol.Gateway;

namespace Voice.Client;

/// <summary>One WebSocket to the main gateway: whole messages in and out, and the heartbeat.</summary>
internal sealed class GatewaySocket : IDisposable
{
    private const int MaxMessageBytes = 64 * 1024 * 1024;
    private static readonly TimeSpan CloseTimeout = TimeSpan.FromSeconds(2);

    private static readonly JsonElement Null = JsonElement.Parse("null");

    private readonly ClientWebSocket _socket = new();
    private readonly SemaphoreSlim _sending = new(1);
    private readonly CancellationTokenSource _ended = new();
    private readonly ArrayBufferWriter<byte> _message = new(4096);
    private readonly TimeProvider _time;
    private volatile bool _answered = true;

    public GatewaySocket(GatewayClientOptions options)
    {
        _time = options.Time;
        _socket.Options.RemoteCertificateValidationCallback = options.CheckCertificate;
    }

    public async Task Connect(Uri uri, CancellationToken cancellation)
    {
        try
        {
            await _socket.ConnectAsync(uri, cancellation);
        }
        catch (WebSocketException e)
        {
            throw new GatewayClosedException(null, $"{uri.Authority} cannot be reached: {e.Message}", e);
        }
    }

    /// <exception cref="GatewayClosedException">The socket ended.</exception>
    public async Task<GatewayMessage> Receive()
    {
        _message.ResetWrittenCount();
        try
        {
            while (true)
            {
                var part = await _socket.ReceiveAsync(_message.GetMemory(), CancellationToken.None);
                if (part.MessageType == WebSocketMessageType.Close) throw new GatewayClosedException((int?)_socket.CloseStatus, _socket.CloseStatusDescription);
                _message.Advance(part.Count);
                if (_message.WrittenCount > MaxMessageBytes) throw new GatewayClosedException(null, "a message is too long");
                if (part.EndOfMessage) return JsonSerializer.Deserialize(_message.WrittenSpan, GatewayJson.Default.GatewayMessage)!;
            }
        }
        catch (Exception e) when (e is WebSocketException or JsonException or OperationCanceledException) // the last: aborted
        {
            throw new GatewayClosedException(null, e.Message, e);
        }
    }

    public async Task Send(GatewayOpcode op, object? data, CancellationToken cancellation)
    {
        var d = data is null ? Null : JsonSerializer.SerializeToElement(data, data.GetType(), GatewayJson.Default);
        var message = JsonSerializer.SerializeToUtf8Bytes(new GatewayMessage(op) { D = d }, GatewayJson.Default.GatewayMessage);
        await _sending.WaitAsync(cancellation);
        try
        {
            await _socket.SendAsync(message, WebSocketMessageType.Text, endOfMessage: true, cancellation);
        }
        catch (WebSocketException e)
        {
            throw new GatewayClosedException(null, e.Message, e);
        }
        finally
        {
            _sending.Release();
        }
    }

    /// <summary>The first after a random part of the interval, so that clients which lost one server do not beat together.
    /// An unanswered one ends the socket.</summary>
    public void StartHeartbeat(TimeSpan interval, Func<int> sequence) => _ = Beat(interval, sequence);

    public void HeartbeatAnswered() => _answered = true;

    public void Abort() => _socket.Abort();

    /// <summary>Says goodbye with 1000, and goes if it is not answered.</summary>
    public async Task Close()
    {
        using var timeout = new CancellationTokenSource(CloseTimeout);
        try
        {
            await _socket.CloseOutputAsync(WebSocketCloseStatus.NormalClosure, null, timeout.Token);
            await Task.Delay(CloseTimeout, _ended.Token);
            _socket.Abort();
        }
        catch (Exception e) when (e is WebSocketException or OperationCanceledException or ObjectDisposedException or InvalidOperationException)
        {
            // Gone already.
        }
    }

    public void Dispose()
    {
        _ended.Cancel();
        _ended.Dispose();
        _socket.Dispose();
    }

    private async Task Beat(TimeSpan interval, Func<int> sequence)
    {
        var ended = _ended.Token;
        try
        {
            await Task.Delay(interval * Random.Shared.NextDouble(), _time, ended);
            while (_answered)
            {
                _answered = false;
                await Send(GatewayOpcode.Heartbeat, sequence(), ended);
                await Task.Delay(interval, _time, ended);
            }

            Abort();
        }
        catch (Exception e) when (e is OperationCanceledException or GatewayClosedException)
        {
            // The reading side sees the end too.
        }
    }
}
