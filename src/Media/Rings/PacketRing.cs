using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Voice.Media.Rings;

/// <summary>What stands before a payload in a <see cref="PacketRing"/>. A track's packet in the track's own numbers, or what its sender says of its clock.</summary>
/// <param name="ReceivedAt">See <see cref="Net.IDatagramPort.ReceivedAt"/>.</param>
/// <param name="Relay">Names the shadow that it is for.</param>
/// <param name="Arrival">When its datagram came, in ticks of the worker's clock, which is every worker's.</param>
/// <param name="Level">Meaningful with <see cref="RingFlags.Level"/>.</param>
[StructLayout(LayoutKind.Sequential)]
internal readonly record struct RingHeader(
    ulong Index, long Arrival, long ReceivedAt, uint Relay, uint Timestamp, ushort PayloadLength, byte Level, RingFlags Flags);

[Flags]
internal enum RingFlags : byte
{
    None = 0,
    Marker = 1 << 0,
    Level = 1 << 1,

    /// <summary>A reading of the sender's clock, and no packet.</summary>
    Report = 1 << 2,

    /// <summary>Nothing: the next one stands at the start of the buffer.</summary>
    Wrap = 1 << 3,
}

/// <summary>The one queue there is (design.md section 3.3): packets from one worker to another, in a buffer of fixed size, without lock and without
/// allocation. One thread writes and one reads; each owns its end and sees the other's through one number.</summary>
internal sealed class PacketRing
{
    /// <summary>Bytes: more than a second of fifty talkers, and as small as a processor's cache likes it.</summary>
    public const int DefaultCapacity = 1 << 18;

    private static readonly int HeaderLength = Unsafe.SizeOf<RingHeader>();

    private readonly byte[] buffer;
    private readonly int mask;
    private Ends ends;

    /// <param name="capacity">Bytes, a power of two.</param>
    public PacketRing(int capacity = DefaultCapacity)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(capacity & (capacity - 1), 0);
        buffer = new byte[capacity];
        mask = capacity - 1;
    }

    /// <summary>Any thread. What was written before a fence here counts.</summary>
    public bool IsEmpty => Volatile.Read(ref ends.Head) == Volatile.Read(ref ends.Tail);

    /// <summary>The writer's thread. False when there is no room: the reader is too far behind.</summary>
    /// <param name="payload">Of the length that the header says.</param>
    public bool TryWrite(in RingHeader header, ReadOnlySpan<byte> payload)
    {
        var length = Aligned(HeaderLength + payload.Length);
        var tail = ends.Tail;
        var toEnd = buffer.Length - (int)(tail & mask);
        // A record is never split; what is left of the buffer is passed over.
        var needed = toEnd >= length ? length : toEnd + length;
        if (buffer.Length - (tail - ends.KnownHead) < needed)
        {
            ends.KnownHead = Volatile.Read(ref ends.Head);
            if (buffer.Length - (tail - ends.KnownHead) < needed) return false;
        }
        if (toEnd < length)
        {
            if (toEnd >= HeaderLength) Header((int)(tail & mask)) = new RingHeader(0, 0, 0, 0, 0, 0, 0, RingFlags.Wrap);
            tail += toEnd;
        }
        var at = (int)(tail & mask);
        Header(at) = header;
        payload.CopyTo(buffer.AsSpan(at + HeaderLength));
        Volatile.Write(ref ends.Tail, tail + length);
        return true;
    }

    /// <summary>The reader's thread. False when there is nothing. Else the oldest record, which stays until <see cref="Release"/>.</summary>
    public bool TryRead(out RingHeader header, out ReadOnlySpan<byte> payload)
    {
        header = default;
        payload = default;
        var head = ends.Head;
        if (head == ends.KnownTail)
        {
            ends.KnownTail = Volatile.Read(ref ends.Tail);
            if (head == ends.KnownTail) return false;
        }
        var at = (int)(head & mask);
        if (buffer.Length - at < HeaderLength || Header(at).Flags == RingFlags.Wrap)
        {
            head += buffer.Length - at;
            at = 0;
            Volatile.Write(ref ends.Head, head);
        }
        header = Header(at);
        payload = buffer.AsSpan(at + HeaderLength, header.PayloadLength);
        return true;
    }

    /// <summary>The reader's thread: done with what it read last; its place may be written again.</summary>
    public void Release()
    {
        var head = ends.Head;
        Volatile.Write(ref ends.Head, head + Aligned(HeaderLength + Header((int)(head & mask)).PayloadLength));
    }

    private ref RingHeader Header(int at) => ref MemoryMarshal.AsRef<RingHeader>(buffer.AsSpan(at));

    private static int Aligned(int length) => (length + 7) & ~7;

    /// <summary>Each thread's numbers in cache lines that the other does not write. Two, since processors fetch them in pairs.</summary>
    [StructLayout(LayoutKind.Explicit, Size = 384)]
    private struct Ends
    {
        /// <summary>Bytes ever written, and read as far as the writer knows.</summary>
        [FieldOffset(128)]
        public long Tail;

        [FieldOffset(136)]
        public long KnownHead;

        /// <summary>Bytes ever read, and written as far as the reader knows.</summary>
        [FieldOffset(256)]
        public long Head;

        [FieldOffset(264)]
        public long KnownTail;
    }
}
