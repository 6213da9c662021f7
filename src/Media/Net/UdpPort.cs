using System.Net;
using System.Net.Sockets;

namespace Voice.Media.Net;

/// <summary>One worker's UDP port: a dual-stack socket, or one socket for each address family on the same port number.
/// Also waits for both and for <see cref="Wake"/>, which any thread may call.</summary>
public sealed class UdpPort : IDatagramPort, IDisposable
{
    /// <summary>Half a second of 10,000 packets a second; the kernel may allow less.</summary>
    private const int BufferBytes = 4 * 1024 * 1024;

    private static readonly byte[] WakeUp = [1];

    private readonly Socket[] sockets;
    private readonly SocketAddress received = new(AddressFamily.InterNetworkV6);
    private readonly List<Socket> waiting = [];
    private readonly Socket wake;
    private int woken;
    private int turn;

    /// <param name="sockets">Bound; owned from here on.</param>
    public UdpPort(params Socket[] sockets)
    {
        this.sockets = sockets;
        foreach (var socket in sockets)
        {
            socket.Blocking = false;
            socket.ReceiveBufferSize = BufferBytes;
            socket.SendBufferSize = BufferBytes;
        }
        // A socket connected to itself: only this process can wake the worker, and waiting for it is like waiting for a packet.
        wake = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp) { Blocking = false };
        wake.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        wake.Connect(wake.LocalEndPoint!);
    }

    /// <summary>Wraps sockets that a parent process opened and this one inherited.</summary>
    public static UdpPort FromDescriptors(params ReadOnlySpan<int> descriptors)
    {
        var sockets = new Socket[descriptors.Length];
        for (var i = 0; i < sockets.Length; i++) sockets[i] = new Socket(new SafeSocketHandle(descriptors[i], ownsHandle: true));
        return new(sockets);
    }

    public bool TryReceive(Span<byte> buffer, out int length, out RemoteEndPoint from)
    {
        for (var i = 0; i < sockets.Length; i++)
        {
            // In turn: a flood over one address family must not silence the other.
            turn = (turn + 1) % sockets.Length;
            if (!TryReceive(sockets[turn], buffer, out length)) continue;
            from = RemoteEndPoint.From(received);
            return true;
        }
        (length, from) = (0, default);
        return false;
    }

    public bool TrySend(ReadOnlySpan<byte> datagram, Destination to)
    {
        var socket = SocketFor(to.Remote);
        if (socket is null) return false;
        try
        {
            socket.SendTo(datagram, SocketFlags.None, to.Native ??= to.Remote.ToSocketAddress(socket.AddressFamily));
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }

    /// <summary>Returns when a datagram waits, when <see cref="Wake"/> was called since the last wait, or at the timeout.</summary>
    public void Wait(TimeSpan timeout)
    {
        waiting.Clear();
        waiting.AddRange(sockets);
        waiting.Add(wake);
        Socket.Select(waiting, null, null, timeout);
        if (!waiting.Contains(wake)) return;
        DrainWake();
        // Only now: whoever found it set before has posted already, and the caller looks at its mailbox next.
        Interlocked.Exchange(ref woken, 0);
    }

    /// <summary>Any thread. Ends the wait that is on, or the next one.</summary>
    public void Wake()
    {
        if (Interlocked.Exchange(ref woken, 1) == 1) return;
        try
        {
            wake.Send(WakeUp);
        }
        catch (ObjectDisposedException)
        {
            // A handshake outlived the worker.
        }
    }

    public void Dispose()
    {
        foreach (var socket in sockets) socket.Dispose();
        wake.Dispose();
    }

    private void DrainWake()
    {
        Span<byte> scratch = stackalloc byte[1];
        while (wake.Poll(0, SelectMode.SelectRead)) wake.Receive(scratch);
    }

    private bool TryReceive(Socket socket, Span<byte> buffer, out int length)
    {
        length = 0;
        // An empty non-blocking receive throws; asking first is a cheap call.
        if (!socket.Poll(0, SelectMode.SelectRead)) return false;
        try
        {
            received.Size = received.Buffer.Length;
            length = socket.ReceiveFrom(buffer, SocketFlags.None, received);
            return true;
        }
        catch (SocketException e) when (e.SocketErrorCode == SocketError.MessageSize)
        {
            length = buffer.Length; // where the platform reports truncation, it is an oversized datagram like any other
            return true;
        }
        catch (SocketException)
        {
            return false; // an ICMP error reported for an earlier send
        }
    }

    private Socket? SocketFor(in RemoteEndPoint remote)
    {
        Socket? found = null;
        foreach (var socket in sockets)
        {
            if ((socket.AddressFamily == AddressFamily.InterNetwork) == remote.IsV4) return socket;
            if (socket.AddressFamily == AddressFamily.InterNetworkV6 && socket.DualMode) found = socket;
        }
        return found;
    }
}
