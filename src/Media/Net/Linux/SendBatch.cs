using System.Runtime.InteropServices;

namespace Voice.Media.Net.Linux;

/// <summary>Datagrams that wait for the end of the batch that made them. What goes to the same peer goes in one call: the kernel then runs its
/// stack once for all of them (UDP_SEGMENT), if they are as long as each other but for a shorter last one.</summary>
/// <param name="segments">The kernel knows UDP_SEGMENT.</param>
internal sealed unsafe class SendBatch(bool segments) : IDisposable
{
    private const int MaxQueued = 512;

    /// <summary>Fits a processor's second cache with room to spare.</summary>
    private const int ArenaBytes = 128 * 1024;

    /// <summary>How many are sent between two looks at the clock.</summary>
    private const int ClockInterval = 8;

    /// <summary>The kernel takes up to 64 segments, and 64 KB.</summary>
    private const int MaxSegments = 32;

    private readonly byte* arena = (byte*)NativeMemory.AlignedAlloc(ArenaBytes, 64);
    private readonly Queued[] queue = new Queued[MaxQueued];
    private int used;
    private int count;

    public bool IsEmpty => count == 0;

    public bool HasRoomFor(int length) => count < MaxQueued && used + length <= ArenaBytes;

    /// <param name="receivedAt">See <see cref="UdpPort.ReceivedAt"/>.</param>
    public void Add(ReadOnlySpan<byte> datagram, Destination to, long receivedAt)
    {
        datagram.CopyTo(new(arena + used, ArenaBytes - used));
        queue[count] = new() { To = to, Offset = used, Length = datagram.Length, ReceivedAt = receivedAt, Next = -1 };
        if (to.LastQueued >= 0) queue[to.LastQueued].Next = count;
        to.LastQueued = count++;
        used += datagram.Length;
    }

    public void Send(WorkerCounters counters)
    {
        var timed = 0;
        for (var i = 0; i < count; i++)
        {
            ref var first = ref queue[i];
            if (first.Length > 0) SendAllTo(first.To, i, counters);
            if (i + 1 - timed < ClockInterval && i + 1 < count) continue;
            CountDelays(timed, i + 1, counters);
            timed = i + 1;
        }
        (count, used) = (0, 0);
    }

    public void Dispose() => NativeMemory.AlignedFree(arena);

    /// <summary>All datagrams to one peer, in their order.</summary>
    private void SendAllTo(Destination to, int index, WorkerCounters counters)
    {
        to.LastQueued = -1;
        while (index >= 0)
        {
            var last = index;
            var together = segments ? Together(ref last) : 1;
            var next = queue[last].Next;
            if (together == 1 || !TrySendTogether(to, index, together, counters))
            {
                for (var each = index; each != next; each = queue[each].Next) SendOne(to, ref queue[each], counters);
            }
            for (var sent = index; sent != next; sent = queue[sent].Next) queue[sent].Length = 0;
            index = next;
        }
    }

    /// <summary>How many from <paramref name="last"/> on fit one call, and which is the last of them.</summary>
    private int Together(ref int last)
    {
        var length = queue[last].Length;
        var number = 1;
        for (var next = queue[last].Next; next >= 0 && number < MaxSegments && queue[next].Length <= length; next = queue[next].Next)
        {
            last = next;
            number++;
            if (queue[next].Length < length) break;
        }
        return number;
    }

    private void SendOne(Destination to, ref Queued datagram, WorkerCounters counters)
    {
        fixed (byte* address = (Span<byte>)to.Address)
        {
            var sent = Libc.sendto(to.Descriptor, arena + datagram.Offset, datagram.Length, Libc.DontWait | Libc.NoSignal, address, to.AddressLength);
            if (sent < 0) counters.Drop(DropReason.SendFailed);
        }
    }

    /// <returns>False when nothing has left and one by one it may: the way to this peer takes no packets of this length (path MTU), or its
    /// card no segments.</returns>
    private bool TrySendTogether(Destination to, int index, int together, WorkerCounters counters)
    {
        var parts = stackalloc Libc.Segment[MaxSegments];
        var length = (ushort)queue[index].Length;
        for (var i = 0; i < together; i++, index = queue[index].Next)
        {
            parts[i] = new() { Base = arena + queue[index].Offset, Length = queue[index].Length };
        }

        var control = stackalloc byte[24]; // cmsghdr, then 16 bits padded to 8 bytes
        *(Libc.ControlHeader*)control = new() { Length = 18, Level = Libc.UdpLevel, Type = Libc.UdpSegment };
        *(ushort*)(control + 16) = length;
        fixed (byte* address = (Span<byte>)to.Address)
        {
            var message = new Libc.Message
            {
                Name = address,
                NameLength = to.AddressLength,
                Segments = parts,
                SegmentCount = together,
                Control = control,
                ControlLength = 24,
            };
            if (Libc.sendmsg(to.Descriptor, &message, Libc.DontWait | Libc.NoSignal) >= 0) return true;
            if (Marshal.GetLastSystemError() != Libc.Again) return false;
            counters.Drop(DropReason.SendFailed, together);
            return true;
        }
    }

    private void CountDelays(int from, int to, WorkerCounters counters)
    {
        var now = Libc.Clock(Libc.ClockRealtime);
        for (var i = from; i < to; i++)
        {
            if (queue[i].ReceivedAt != 0) counters.Delayed((now - queue[i].ReceivedAt) / 1000, 1);
        }
    }

    private struct Queued
    {
        public Destination To;
        public long ReceivedAt;
        public int Offset;
        public int Length; // 0: has left
        public int Next;
    }
}
