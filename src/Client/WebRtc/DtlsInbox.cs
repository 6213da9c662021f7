using System.Collections.Concurrent;
using Org.BouncyCastle.Tls;

namespace Voice.Client.WebRtc;

/// <summary>The bounded queue between the socket, which delivers, and the thread that blocks in BouncyCastle.</summary>
#pragma warning disable CA1001 // Without wait handles the queue holds nothing to dispose of, and the handshake's thread may still be in it.
internal sealed class DtlsInbox(Action<ReadOnlySpan<byte>> send) : DatagramTransport
#pragma warning restore CA1001
{
    private const int Capacity = 32;

    /// <summary>Payload of what we send: fits every path that WebRTC runs on.</summary>
    private const int SendLimit = 1200;

    private readonly BlockingCollection<byte[]> queue = new(Capacity);
    private volatile bool closed;

    public void Deliver(ReadOnlySpan<byte> datagram)
    {
        if (!closed) queue.TryAdd(datagram.ToArray());
    }

    public int GetReceiveLimit() => 2048;

    public int GetSendLimit() => SendLimit;

    public int Receive(byte[] buf, int off, int len, int waitMillis) => Receive(buf.AsSpan(off, len), waitMillis);

    /// <summary>The next datagram's length, or -1 after <paramref name="waitMillis"/> (0: until there is one).</summary>
    public int Receive(Span<byte> buffer, int waitMillis)
    {
        var got = queue.TryTake(out var datagram, waitMillis == 0 ? Timeout.Infinite : waitMillis);
        if (closed) throw new IOException("the transport was closed");
        if (!got) return -1;
        var length = Math.Min(datagram!.Length, buffer.Length);
        datagram.AsSpan(0, length).CopyTo(buffer);
        return length;
    }

    public void Send(byte[] buf, int off, int len) => send(buf.AsSpan(off, len));

    public void Send(ReadOnlySpan<byte> buffer) => send(buffer);

    /// <summary>Ends a blocked <see cref="Receive(Span{byte}, int)"/>.</summary>
    public void Close()
    {
        closed = true;
        queue.TryAdd([]);
    }
}
