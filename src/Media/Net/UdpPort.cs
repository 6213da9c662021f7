using System.Net.Sockets;
using Voice.Media.Net.Linux;

namespace Voice.Media.Net;

/// <summary>One worker's UDP port: a dual-stack socket, or one socket for each address family on the same port number. The worker's thread
/// takes what waits, handles it, and flushes what that made; <see cref="Wake"/> is anybody's.</summary>
public abstract class UdpPort : IDatagramPort, IDisposable
{
    /// <summary>Datagrams taken at once. More wait for the next turn, so that mail and timers are looked at in between.</summary>
    public const int MaxBatch = 64;

    /// <summary>Half a second of 10,000 packets a second; the kernel may allow less.</summary>
    private const int BufferBytes = 4 * 1024 * 1024;

    private protected UdpPort(Socket[] sockets, WorkerCounters counters)
    {
        (Sockets, Counters) = (sockets, counters);
        foreach (var socket in sockets)
        {
            socket.Blocking = false;
            socket.ReceiveBufferSize = BufferBytes;
            socket.SendBufferSize = BufferBytes;
        }
    }

    private protected Socket[] Sockets { get; }

    private protected WorkerCounters Counters { get; }

    public long ReceivedAt { get; set; }

    /// <param name="sockets">Bound; owned from here on.</param>
    public static UdpPort Open(WorkerCounters counters, params Socket[] sockets) =>
        OperatingSystem.IsLinux() && Environment.Is64BitProcess ? new LinuxUdpPort(sockets, counters) : new SocketUdpPort(sockets, counters);

    /// <summary>Wraps sockets that a parent process opened and this one inherited.</summary>
    public static Socket[] Inherited(params ReadOnlySpan<int> descriptors)
    {
        var sockets = new Socket[descriptors.Length];
        for (var i = 0; i < sockets.Length; i++) sockets[i] = new Socket(new SafeSocketHandle(descriptors[i], ownsHandle: true));
        return sockets;
    }

    /// <summary>Takes what waits, of one socket: how many datagrams, 0 when there are none. They are valid until the next call.</summary>
    public abstract int Receive();

    /// <summary>One that was taken, and when (<see cref="ReceivedAt"/>). One longer than <see cref="Worker.MaxDatagram"/> is cut off behind
    /// that length plus one.</summary>
    public abstract Span<byte> Datagram(int index, out RemoteEndPoint from, out long receivedAt);

    /// <summary>How long ago that was (<see cref="ReceivedAt"/>); zero if it is not known.</summary>
    public virtual TimeSpan Age(long receivedAt) => TimeSpan.Zero;

    public abstract bool TrySend(ReadOnlySpan<byte> datagram, Destination to);

    /// <summary>What was given to send and has not left leaves now.</summary>
    public abstract void Flush();

    /// <summary>Returns when a datagram waits, when <see cref="Wake"/> was called since the last wait, or at the timeout.</summary>
    public abstract void Wait(TimeSpan timeout);

    /// <summary>Any thread. Ends the wait that is on, or the next one.</summary>
    public abstract void Wake();

    public void Dispose()
    {
        Close();
        foreach (var socket in Sockets) socket.Dispose();
        GC.SuppressFinalize(this);
    }

    private protected abstract void Close();

    private protected Socket? SocketFor(in RemoteEndPoint remote)
    {
        Socket? found = null;
        foreach (var socket in Sockets)
        {
            if ((socket.AddressFamily == AddressFamily.InterNetwork) == remote.IsV4) return socket;
            if (socket.AddressFamily == AddressFamily.InterNetworkV6 && socket.DualMode) found = socket;
        }
        return found;
    }
}
