using System.Net;
using System.Net.Sockets;

namespace Voice.Client;

/// <summary>A UDP socket connected to one server: sends at once, receives without a thread of its own.</summary>
internal sealed class DatagramSocket : IAsyncDisposable
{
    /// <summary>Longer datagrams are cut: nothing here is longer than a path's MTU.</summary>
    public const int MaxDatagram = 2048;

    public delegate void Handler(Span<byte> datagram);

    private readonly Socket socket;
    private readonly CancellationTokenSource closing = new();
    private readonly Task receiving;

    /// <param name="handler">Called for each datagram, one after the other; the span is its to change and valid during the call.</param>
    public DatagramSocket(IPEndPoint server, Handler handler)
    {
        socket = new Socket(server.AddressFamily, SocketType.Dgram, ProtocolType.Udp);
        socket.Connect(server);
        receiving = Receive(handler);
    }

    public IPEndPoint LocalEndPoint => (IPEndPoint)socket.LocalEndPoint!;

    public void Send(ReadOnlySpan<byte> datagram)
    {
        try
        {
            socket.Send(datagram);
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // The server's port is closed, a buffer is full, or we are: lost like any datagram. What watches the path finds out.
        }
    }

    public async ValueTask DisposeAsync()
    {
        await closing.CancelAsync();
        await receiving;
        socket.Dispose();
        closing.Dispose();
    }

    private async Task Receive(Handler handler)
    {
        var buffer = GC.AllocateUninitializedArray<byte>(MaxDatagram, pinned: true);
        await Task.Yield();
        while (true)
        {
            try
            {
                var length = await socket.ReceiveAsync(buffer.AsMemory(), SocketFlags.None, closing.Token);
                handler(buffer.AsSpan(0, length));
            }
            catch (OperationCanceledException)
            {
                return;
            }
            catch (SocketException) when (!closing.IsCancellationRequested)
            {
                // ICMP says that the port is closed; it may open again.
            }
            catch (SocketException)
            {
                return;
            }
        }
    }
}
