using Org.BouncyCastle.Tls;
using Voice.Protocol.Links;

namespace Voice.Media.Dtls;

/// <summary>One client's DTLS connection. The handshake blocks a thread of <see cref="DtlsServer"/>; afterwards the
/// connection holds none: a record that arrives is processed on the thread pool (our last flight is sent again where the
/// client lost it, close_notify ends the transport).</summary>
public sealed class DtlsSession
{
    private readonly DtlsPeer peer;
    private readonly SrtpTlsServer server;
    private readonly DatagramQueue queue;
    private volatile DtlsTransport? open;
    private int processing;

    internal DtlsSession(DtlsIdentity identity, DtlsPeer peer)
    {
        this.peer = peer;
        server = new(identity, peer);
        queue = new(peer.Send);
    }

    /// <summary>Takes a copy of one datagram; the worker's thread. False when the queue is full.</summary>
    public bool TryDeliver(ReadOnlySpan<byte> datagram)
    {
        if (!queue.TryDeliver(datagram)) return false;
        if (open is not null) ProcessSoon();
        return true;
    }

    /// <summary>The transport was dropped: ends a running handshake and sends nothing more. Any thread.</summary>
    public void Abort() => queue.Close();

    /// <summary>Blocks until the handshake is done or has failed.</summary>
    internal void Handshake()
    {
        DtlsTransport transport;
        try
        {
            transport = new DtlsServerProtocol().Accept(server, queue);
        }
        catch (Exception)
        {
            // An alert, a timeout, a dropped transport; or a fault of a parser that is not ours, fed by a stranger. Whatever it
            // is, it ends this connection and no other.
            queue.Close();
            peer.Closed(server.FingerprintRefused ? TransportCloseReason.FingerprintMismatch : TransportCloseReason.HandshakeFailed);
            return;
        }
        peer.Connected(server.Keys!);
        open = transport;
        if (!queue.IsEmpty) ProcessSoon();
    }

    private void ProcessSoon()
    {
        if (Interlocked.Exchange(ref processing, 1) == 1) return;
        ThreadPool.UnsafeQueueUserWorkItem(static session => session.Process(), this, preferLocal: false);
    }

    private void Process()
    {
        var ended = false;
        Span<byte> ignored = stackalloc byte[2048];
        try
        {
            // The shortest wait there is: 0 would wait for ever. Nobody sends application data here.
            while (!queue.IsEmpty && !server.PeerEnded) open!.Receive(ignored, waitMillis: 1);
            ended = server.PeerEnded;
        }
        catch (Exception) // as above
        {
            ended = true;
        }
        if (ended)
        {
            queue.Close();
            peer.Closed(TransportCloseReason.PeerClosed);
            return;
        }
        Volatile.Write(ref processing, 0);
        if (!queue.IsEmpty) ProcessSoon();
    }
}
