using System.Net;
using System.Net.Sockets;

namespace Voice.Media.Net;

/// <summary>By .NET's sockets, a datagram at a time, wherever they run.</summary>
internal sealed class SocketUdpPort : UdpPort
{
    private static readonly byte[] WakeUp = [1];

    private readonly SocketAddress sender = new(AddressFamily.InterNetworkV6);
    private readonly byte[] buffer = new byte[Worker.MaxDatagram + 1];
    private readonly List<Socket> waiting = [];
    private readonly Socket wake;
    private int length;
    private int woken;
    private int turn;

    /// <param name="sockets">Bound; owned from here on.</param>
    public SocketUdpPort(Socket[] sockets, WorkerCounters counters)
        : base(sockets, counters)
    {
        // A socket connected to itself: only this process can wake the worker, and waiting for it is like waiting for a packet.
        wake = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp) { Blocking = false };
        wake.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        wake.Connect(wake.LocalEndPoint!);
    }

    public override int Receive()
    {
        for (var i = 0; i < Sockets.Length; i++)
        {
            // In turn: a flood over one address family must not silence the other.
            turn = (turn + 1) % Sockets.Length;
            if (TryReceive(Sockets[turn])) return 1;
        }
        return 0;
    }

    public override Span<byte> Datagram(int index, out RemoteEndPoint from, out long receivedAt)
    {
        (from, receivedAt) = (RemoteEndPoint.From(sender), 0);
        return buffer.AsSpan(0, length);
    }

    public override bool TrySend(ReadOnlySpan<byte> datagram, Destination to)
    {
        var socket = SocketFor(to.Remote);
        if (socket is null) return false;
        try
        {
            socket.SendTo(datagram, SocketFlags.None, to.Portable ??= to.Remote.ToSocketAddress(socket.AddressFamily));
        }
        catch (SocketException)
        {
            Counters.Drop(DropReason.SendFailed);
        }
        return true;
    }

    public override void Flush()
    {
    }

    public override void Wait(TimeSpan timeout)
    {
        waiting.Clear();
        waiting.AddRange(Sockets);
        waiting.Add(wake);
        Socket.Select(waiting, null, null, timeout);
        if (!waiting.Contains(wake)) return;
        DrainWake();
        // Only now: whoever found it set before has posted already, and the caller looks at its mailbox next.
        Interlocked.Exchange(ref woken, 0);
    }

    public override void Wake()
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

    private protected override void Close() => wake.Dispose();

    private void DrainWake()
    {
        Span<byte> scratch = stackalloc byte[1];
        while (wake.Poll(0, SelectMode.SelectRead)) wake.Receive(scratch);
    }

    private bool TryReceive(Socket socket)
    {
        // An empty non-blocking receive throws; asking first is a cheap call.
        if (!socket.Poll(0, SelectMode.SelectRead)) return false;
        try
        {
            sender.Size = sender.Buffer.Length;
            length = socket.ReceiveFrom(buffer, SocketFlags.None, sender);
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
}
