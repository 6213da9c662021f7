using System.Diagnostics.CodeAnalysis;
using Org.BouncyCastle.Tls;

namespace Voice.Media.Dtls;

/// <summary>The bounded queue between the worker, which delivers what arrived, and the thread that blocks in BouncyCastle.</summary>
/// <param name="turns">Of which that thread has one, and gives it away while it waits.</param>
/// <param name="maxSilenceMillis">How long that thread waits in all with no datagram in between: a peer that has gone must not hold
/// it until the handshake's own limit.</param>
internal sealed class DatagramQueue(Action<byte[]> send, SemaphoreSlim? turns = null, int maxSilenceMillis = 5_000) : DatagramTransport
{
    /// <summary>Some flights of a handshake; a peer that floods loses its own records.</summary>
    private const int Capacity = 16;

    /// <summary>Payload of the datagrams we send: fits every path that WebRTC runs on.</summary>
    private const int SendLimit = 1200;

    private const int ReceiveLimit = 2048;

    private readonly Queue<byte[]> queue = new();
    private readonly List<byte[]> flight = [];
    private bool closed;
    private int silentMillis;

    /// <summary>What was sent since the last datagram was received.</summary>
    public byte[][] LastFlight => [.. flight];

    /// <summary>False when it is full.</summary>
    public bool TryDeliver(ReadOnlySpan<byte> datagram)
    {
        lock (queue)
        {
            if (closed || queue.Count == Capacity) return false;
            queue.Enqueue(datagram.ToArray());
            Monitor.Pulse(queue);
            return true;
        }
    }

    public int GetReceiveLimit() => ReceiveLimit;

    public int GetSendLimit() => SendLimit;

    public int Receive(byte[] buf, int off, int len, int waitMillis) => Receive(buf.AsSpan(off, len), waitMillis);

    /// <summary>What nobody received.</summary>
    public bool TryTake([NotNullWhen(true)] out byte[]? datagram)
    {
        lock (queue) return queue.TryDequeue(out datagram);
    }

    /// <summary>The next datagram's length, or -1 after <paramref name="waitMillis"/> (0: until there is one).</summary>
    /// <exception cref="IOException">It is closed, or the peer has been silent for too long.</exception>
    public int Receive(Span<byte> buffer, int waitMillis)
    {
        if (!TryTake(out var datagram))
        {
            turns?.Release();
            try
            {
                datagram = Await(waitMillis);
            }
            finally
            {
                turns?.Wait();
            }
        }
        if (datagram is null) return -1;
        silentMillis = 0;
        flight.Clear();
        var length = Math.Min(datagram.Length, buffer.Length);
        datagram.AsSpan(0, length).CopyTo(buffer);
        return length;
    }

    private byte[]? Await(int waitMillis)
    {
        lock (queue)
        {
            if (queue.Count == 0 && !closed)
            {
                var patience = maxSilenceMillis - silentMillis;
                var wait = waitMillis == 0 ? patience : Math.Min(waitMillis, patience);
                if (!Monitor.Wait(queue, wait)) silentMillis += wait;
            }
            if (closed) throw new IOException("the transport was dropped");
            if (!queue.TryDequeue(out var datagram) && silentMillis >= maxSilenceMillis) throw new IOException("the peer is silent");
            return datagram;
        }
    }

    public void Send(byte[] buf, int off, int len) => Send(buf.AsSpan(off, len));

    public void Send(ReadOnlySpan<byte> buffer)
    {
        lock (queue)
        {
            if (closed) return;
        }
        var datagram = buffer.ToArray();
        flight.Add(datagram);
        send(datagram);
    }

    /// <summary>Ends a blocked <see cref="Receive(Span{byte}, int)"/> with an exception, and with it the handshake.</summary>
    public void Close()
    {
        lock (queue)
        {
            closed = true;
            queue.Clear();
            Monitor.PulseAll(queue);
        }
    }
}
