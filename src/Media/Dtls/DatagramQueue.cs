using Org.BouncyCastle.Tls;

namespace Voice.Media.Dtls;

/// <summary>The bounded queue between the worker, which delivers what arrived, and the thread that blocks in BouncyCastle.</summary>
/// <param name="maxSilenceMillis">How long that thread waits in all with no datagram in between: a peer that has gone must not hold
/// it until the handshake's own limit.</param>
internal sealed class DatagramQueue(Action<byte[]> send, int maxSilenceMillis = 5_000) : DatagramTransport
{
    /// <summary>Some flights of a handshake; a peer that floods loses its own records.</summary>
    private const int Capacity = 16;

    /// <summary>Payload of the datagrams we send: fits every path that WebRTC runs on.</summary>
    private const int SendLimit = 1200;

    private const int ReceiveLimit = 2048;

    private readonly Queue<byte[]> queue = new(Capacity);
    private bool closed;
    private int silentMillis;

    public bool IsEmpty
    {
        get
        {
            lock (queue) return queue.Count == 0;
        }
    }

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

    /// <summary>The next datagram's length, or -1 after <paramref name="waitMillis"/> (0: until there is one).</summary>
    /// <exception cref="IOException">It is closed, or the peer has been silent for too long.</exception>
    public int Receive(Span<byte> buffer, int waitMillis)
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
            if (!queue.TryDequeue(out var datagram))
            {
                if (silentMillis >= maxSilenceMillis) throw new IOException("the peer is silent");
                return -1;
            }
            silentMillis = 0;
            var length = Math.Min(datagram.Length, buffer.Length);
            datagram.AsSpan(0, length).CopyTo(buffer);
            return length;
        }
    }

    public void Send(byte[] buf, int off, int len) => Send(buf.AsSpan(off, len));

    public void Send(ReadOnlySpan<byte> buffer)
    {
        lock (queue)
        {
            if (closed) return;
        }
        send(buffer.ToArray());
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
