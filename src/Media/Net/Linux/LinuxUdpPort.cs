using System.Diagnostics;
using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace Voice.Media.Net.Linux;

/// <summary>By the kernel's own calls: receives up to <see cref="UdpPort.MaxBatch"/> datagrams with one, with the kernel's timestamps, and sends at the end
/// of each batch. docs/decisions/0007 says what was tried and what it measured.</summary>
internal sealed unsafe class LinuxUdpPort : UdpPort
{
    private readonly ReceiveBatch received = new();
    private readonly SendBatch sending;
    private readonly int[] descriptors;
    private readonly uint?[] overflows;
    private readonly int wake;
    private int woken;
    private int turn;
    private bool closed;

    /// <param name="sockets">Bound; owned from here on.</param>
    public LinuxUdpPort(Socket[] sockets, WorkerCounters counters)
        : base(sockets, counters)
    {
        descriptors = [.. sockets.Select(socket => (int)socket.Handle)];
        overflows = new uint?[sockets.Length];
        var (on, none, segments) = (1, 0, true);
        foreach (var descriptor in descriptors)
        {
            // Where the kernel refuses one of them, the figure is missing and the packets flow.
            _ = Libc.setsockopt(descriptor, Libc.SocketLevel, Libc.TimestampNs, &on, sizeof(int));
            _ = Libc.setsockopt(descriptor, Libc.SocketLevel, Libc.ReceiveOverflow, &on, sizeof(int));
            segments &= Libc.setsockopt(descriptor, Libc.UdpLevel, Libc.UdpSegment, &none, sizeof(int)) == 0;
        }
        sending = new(segments);
        const int CloseOnExec = 0x80000, NonBlocking = 0x800;
        wake = Libc.eventfd(0, CloseOnExec | NonBlocking);
        if (wake < 0) throw new SocketException(Marshal.GetLastSystemError());
    }

    public override int Receive()
    {
        for (var i = 0; i < descriptors.Length; i++)
        {
            // In turn: a flood over one address family must not silence the other.
            turn = (turn + 1) % descriptors.Length;
            var count = received.Take(descriptors[turn]);
            if (count == 0) continue;
            CountOverflows(received.Overflows);
            return count;
        }
        return 0;
    }

    public override Span<byte> Datagram(int index, out RemoteEndPoint from, out long receivedAt)
    {
        receivedAt = received.Timestamp(index);
        from = received.From(index);
        return received.Datagram(index);
    }

    public override TimeSpan Age(long receivedAt) =>
        receivedAt == 0 ? TimeSpan.Zero : TimeSpan.FromTicks(Math.Max(0, Libc.Clock(Libc.ClockRealtime) - receivedAt) / TimeSpan.NanosecondsPerTick);

    public override bool TrySend(ReadOnlySpan<byte> datagram, Destination to)
    {
        if (datagram.IsEmpty || (to.Descriptor == 0 && !TryResolve(to))) return false;
        if (!sending.HasRoomFor(datagram.Length)) Flush();
        sending.Add(datagram, to, ReceivedAt);
        return true;
    }

    public override void Flush()
    {
        if (!sending.IsEmpty) sending.Send(Counters);
    }

    public override void Wait(TimeSpan timeout)
    {
        var count = descriptors.Length + 1;
        var waiting = stackalloc Libc.PollDescriptor[count];
        for (var i = 0; i < descriptors.Length; i++) waiting[i] = new() { Descriptor = descriptors[i], Events = Libc.PollIn };
        waiting[count - 1] = new() { Descriptor = wake, Events = Libc.PollIn };
        // Upwards: a timer must not be looked at a thousand times in the millisecond before it is due.
        var found = Libc.poll(waiting, (nuint)count, (int)Math.Ceiling(Math.Max(timeout.TotalMilliseconds, 0)));
        if (found <= 0 || waiting[count - 1].Returned == 0) return;
        long ignored;
        _ = Libc.read(wake, &ignored, sizeof(long));
        // Only now: whoever found it set before has posted already, and the caller looks at its mailbox next.
        Interlocked.Exchange(ref woken, 0);
    }

    public override void Wake()
    {
        if (Interlocked.Exchange(ref woken, 1) == 1) return;
        // A handshake may outlive the worker, and the descriptor's number may be another's by then.
        lock (received)
        {
            long one = 1;
            if (!closed) _ = Libc.write(wake, &one, sizeof(long));
        }
    }

    private protected override void Close()
    {
        lock (received)
        {
            if (closed) return;
            closed = true;
            _ = Libc.close(wake);
        }
        received.Dispose();
        sending.Dispose();
    }

    private bool TryResolve(Destination to)
    {
        if (SocketFor(to.Remote) is not { } socket) return false;
        Debug.Assert(socket.Handle != 0, "0 is for none");
        var address = to.Remote.ToSocketAddress(socket.AddressFamily);
        address.Buffer.Span[..address.Size].CopyTo(to.Address);
        to.AddressLength = address.Size;
        to.Descriptor = (int)socket.Handle;
        return true;
    }

    /// <summary>The kernel's counter of what it had to drop for want of room in the receive buffer: 32 bits, since the socket was made, which may have
    /// served another process before. So the first that is heard of it only tells where counting begins.</summary>
    private void CountOverflows(uint? total)
    {
        if (total is not { } now) return;
        if (overflows[turn] is { } before && now != before) Counters.Drop(DropReason.ReceiveBufferFull, now - before);
        overflows[turn] = now;
    }
}
