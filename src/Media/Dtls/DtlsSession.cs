using Org.BouncyCastle.Tls;
using Voice.Protocol.Dtls;
using Voice.Protocol.Links;

namespace Voice.Media.Dtls;

/// <summary>One client's DTLS. Its handshake blocks a thread of <see cref="DtlsServer"/>; what remains afterwards is a
/// <see cref="DtlsConnection"/>, which whoever delivers a datagram runs.</summary>
public sealed class DtlsSession
{
    private readonly DtlsPeer peer;
    private readonly Lock gate = new();
    private Running? running;
    private DtlsConnection? connection;

    internal DtlsSession(DtlsCredentials identity, DtlsPeer peer, SemaphoreSlim? turns = null)
    {
        this.peer = peer;
        running = new(new(identity, peer), new(peer.Send, turns));
    }

    /// <summary>Takes a copy of one datagram; the worker's thread. False when the queue is full.</summary>
    public bool TryDeliver(ReadOnlySpan<byte> datagram)
    {
        lock (gate)
        {
            if (running is not null) return running.Queue.TryDeliver(datagram);
            Receive(datagram);
            return true;
        }
    }

    /// <summary>The transport was dropped: ends a running handshake and sends nothing more. Any thread.</summary>
    public void Abort()
    {
        lock (gate)
        {
            running?.Queue.Close();
            connection = null;
        }
    }

    /// <summary>Blocks until the handshake is done or has failed.</summary>
    internal void Handshake()
    {
        var (server, queue) = running!;
        try
        {
            new DtlsServerProtocol().Accept(server, queue);
        }
        catch (Exception)
        {
            // An alert, a timeout, a dropped transport; or a fault of a parser that is not ours, fed by a stranger. Whatever it
            // is, it ends this connection and no other.
            queue.Close();
            lock (gate) running = null;
            peer.Closed(server.FingerprintRefused ? TransportCloseReason.FingerprintMismatch : TransportCloseReason.HandshakeFailed);
            return;
        }
        lock (gate)
        {
            peer.Connected(server.Keys!);
            (running, connection) = (null, new(server.Opener, queue.LastFlight));
            while (queue.TryTake(out var late)) Receive(late);
        }
    }

    private void Receive(ReadOnlySpan<byte> datagram)
    {
        if (connection is null) return;
        var open = connection.Receive(datagram, out var resend);
        foreach (var lost in resend) peer.Send(lost);
        if (open) return;
        connection = null;
        peer.Closed(TransportCloseReason.PeerClosed);
    }

    private sealed record Running(SrtpTlsServer Server, DatagramQueue Queue);
}
