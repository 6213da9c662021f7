using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace Voice.Media.Net.Linux;

/// <summary>Room for what one recvmmsg takes: datagrams, senders, timestamps.</summary>
internal sealed unsafe class ReceiveBatch : IDisposable
{
    /// <summary>One byte more than is acceptable shows that a datagram was longer.</summary>
    private const int DatagramLength = Worker.MaxDatagram + 1;

    private const int DatagramRoom = 1536; // whole cache lines
    private const int NameRoom = 32;
    private const int ControlRoom = 64; // a timestamp takes 32, a drop count 24

    private const int Room = DatagramRoom + NameRoom + ControlRoom;

    private readonly byte* memory = (byte*)NativeMemory.AlignedAlloc(UdpPort.MaxBatch * Room, 64);
    private readonly Libc.MessageHeader* messages =
        (Libc.MessageHeader*)NativeMemory.AllocZeroed((nuint)(UdpPort.MaxBatch * (sizeof(Libc.MessageHeader) + sizeof(Libc.Segment))));

    private int taken = UdpPort.MaxBatch;

    public ReceiveBatch()
    {
        var segments = (Libc.Segment*)(messages + UdpPort.MaxBatch);
        for (var i = 0; i < UdpPort.MaxBatch; i++)
        {
            segments[i] = new() { Base = memory + i * DatagramRoom, Length = DatagramLength };
            messages[i].Message = new() { Name = Name(i), Segments = segments + i, SegmentCount = 1, Control = Control(i) };
        }
    }

    /// <summary>What the kernel said last of how many datagrams found no room since the socket was made; null: it said nothing.</summary>
    public uint? Overflows { get; private set; }

    /// <summary>How many were taken; 0: nothing waits, or an error of an earlier send was waiting.</summary>
    public int Take(int descriptor)
    {
        for (var i = 0; i < taken; i++)
        {
            messages[i].Message.NameLength = NameRoom;
            messages[i].Message.ControlLength = ControlRoom;
        }
        taken = Math.Max(Libc.recvmmsg(descriptor, messages, UdpPort.MaxBatch, Libc.DontWait, null), 0);
        if (taken > 0) Overflows = TryGetControl<uint>(taken - 1, Libc.ReceiveOverflow, out var count) ? count : null;
        return taken;
    }

    public Span<byte> Datagram(int index) => new(memory + index * DatagramRoom, (int)messages[index].Length);

    public RemoteEndPoint From(int index)
    {
        var name = Name(index);
        return RemoteEndPoint.FromNative(new(name, NameRoom), *(ushort*)name == 2 ? AddressFamily.InterNetwork : AddressFamily.InterNetworkV6);
    }

    /// <summary>Nanoseconds of <see cref="Libc.ClockRealtime"/>; 0 if the kernel gave none.</summary>
    public long Timestamp(int index) => TryGetControl<Libc.TimeSpec>(index, Libc.TimestampNs, out var time) ? time.Nanoseconds : 0;

    public void Dispose()
    {
        NativeMemory.AlignedFree(memory);
        NativeMemory.Free(messages);
    }

    private byte* Name(int index) => memory + UdpPort.MaxBatch * DatagramRoom + index * NameRoom;

    private byte* Control(int index) => memory + UdpPort.MaxBatch * (DatagramRoom + NameRoom) + index * ControlRoom;

    private bool TryGetControl<T>(int index, int type, out T value)
        where T : unmanaged
    {
        var at = Control(index);
        var end = at + messages[index].Message.ControlLength;
        while (at + sizeof(Libc.ControlHeader) <= end)
        {
            var header = (Libc.ControlHeader*)at;
            if (header->Level == Libc.SocketLevel && header->Type == type)
            {
                value = *(T*)(header + 1);
                return true;
            }
            at += (header->Length + 7) & ~7;
        }
        value = default;
        return false;
    }
}
