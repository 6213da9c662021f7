using System.Net.WebSockets;
using System.Threading.Channels;
using Voice.Protocol.Gateway;
using Channel = System.Threading.Channels.Channel;

namespace Voice.Signaling.Gateway;

/// <summary>What is to be sent on one socket, in order and bounded: a client that does not read is cut off, never buffered
/// for without end. Any thread may post; posting does not wait.</summary>
/// <param name="overflowed">Called once when the client fell too far behind; ends the socket.</param>
internal sealed class Outbox(Action overflowed)
{
    public const int MaxMessages = 2048;
    public const int MaxBytes = 16 * 1024 * 1024;

    /// <summary>One write that takes longer means that the client does not read.</summary>
    private static readonly TimeSpan WriteTimeout = TimeSpan.FromSeconds(10);

    private readonly Channel<byte[]> _messages =
        Channel.CreateBounded<byte[]>(new BoundedChannelOptions(MaxMessages) { SingleReader = true });

    private GatewayCloseCode? _close;
    private int _bytes;

    public void Post(byte[] message)
    {
        if (Interlocked.Add(ref _bytes, message.Length) > MaxBytes || !_messages.Writer.TryWrite(message)) Overflow();
    }

    /// <summary>Nothing is posted after this; what was posted is still sent, then the close frame if there is a code.</summary>
    public void Complete(GatewayCloseCode? close = null)
    {
        _close ??= close;
        _messages.Writer.TryComplete();
    }

    /// <param name="compression">What the client asked for; null: plain text.</param>
    public async Task SendAll(WebSocket socket, ZlibStream? compression = null)
    {
        using var slow = new CancellationTokenSource();
        await foreach (var message in _messages.Reader.ReadAllAsync())
        {
            slow.CancelAfter(WriteTimeout);
            if (compression is null) await socket.SendAsync(message, WebSocketMessageType.Text, endOfMessage: true, slow.Token);
            else await socket.SendAsync(compression.Compress(message), WebSocketMessageType.Binary, endOfMessage: true, slow.Token);
            Interlocked.Add(ref _bytes, -message.Length);
            slow.CancelAfter(Timeout.InfiniteTimeSpan);
        }

        if (_close is not { } code) return;
        slow.CancelAfter(WriteTimeout);
        await socket.CloseOutputAsync((WebSocketCloseStatus)(int)code, code.ToString(), slow.Token);
    }

    private void Overflow()
    {
        if (_messages.Writer.TryComplete()) overflowed();
    }
}
