using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Voice.Media.Net.Linux;

/// <summary>The system calls of the packet path, as 64-bit Linux declares them. The caller asks for errno at once where it matters:
/// nothing is marshalled, nothing is allocated.</summary>
internal static unsafe partial class Libc
{
    public const int DontWait = 0x40; // MSG_DONTWAIT
    public const int NoSignal = 0x4000; // MSG_NOSIGNAL

    public const int SocketLevel = 1; // SOL_SOCKET
    public const int UdpLevel = 17; // SOL_UDP
    public const int TimestampNs = 35; // SO_TIMESTAMPNS, SCM_TIMESTAMPNS
    public const int ReceiveOverflow = 40; // SO_RXQ_OVFL
    public const int UdpSegment = 103; // UDP_SEGMENT

    public const int ClockRealtime = 0;
    public const int ClockThreadCpu = 3;

    public const short PollIn = 1;

    public const int Again = 11; // EAGAIN

    [LibraryImport("libc")]
    public static partial int recvmmsg(int socket, MessageHeader* messages, uint count, int flags, TimeSpec* timeout);

    [LibraryImport("libc")]
    public static partial nint sendto(int socket, byte* data, nint length, int flags, byte* address, int addressLength);

    [LibraryImport("libc")]
    public static partial nint sendmsg(int socket, Message* message, int flags);

    [LibraryImport("libc")]
    public static partial int setsockopt(int socket, int level, int option, int* value, int length);

    [LibraryImport("libc")]
    public static partial int poll(PollDescriptor* descriptors, nuint count, int timeoutMillis);

    [LibraryImport("libc")]
    public static partial int eventfd(uint initial, int flags);

    [LibraryImport("libc")]
    public static partial nint read(int descriptor, void* buffer, nint length);

    [LibraryImport("libc")]
    public static partial nint write(int descriptor, void* buffer, nint length);

    [LibraryImport("libc")]
    public static partial int close(int descriptor);

    /// <summary>Answered by the vDSO in some 20 ns, so the runtime need not prepare for a long call.</summary>
    [LibraryImport("libc"), SuppressGCTransition]
    private static partial int clock_gettime(int clock, TimeSpec* time);

    /// <summary>Of the clock, in nanoseconds.</summary>
    public static long Clock(int clock)
    {
        TimeSpec time;
        _ = clock_gettime(clock, &time);
        return time.Nanoseconds;
    }

    /// <summary>Makes the calling thread, on Linux not the process, give way by so much more; by less, where the system allows it to this user.</summary>
    [LibraryImport("libc")]
    public static partial int nice(int more);

    public struct TimeSpec
    {
        public long Seconds;
        public long Fraction; // ns

        public readonly long Nanoseconds => Seconds * 1_000_000_000 + Fraction;
    }

    public struct Segment // iovec
    {
        public byte* Base;
        public nint Length;
    }

    [StructLayout(LayoutKind.Sequential)]
    public struct Message // msghdr
    {
        public byte* Name;
        public int NameLength;
        public Segment* Segments;
        public nint SegmentCount;
        public byte* Control;
        public nint ControlLength;
        public int Flags;
    }

    [StructLayout(LayoutKind.Sequential)]
    public struct MessageHeader // mmsghdr
    {
        public Message Message;
        public uint Length;
    }

    [StructLayout(LayoutKind.Sequential)]
    public struct ControlHeader // cmsghdr; its data follows, and the next one at a multiple of 8
    {
        public nint Length;
        public int Level;
        public int Type;
    }

    public struct PollDescriptor
    {
        public int Descriptor;
        public short Events;
        public short Returned;
    }

    /// <summary>sockaddr_in6, the longest that there is here.</summary>
    [InlineArray(28)]
    public struct Address
    {
        private byte first;
    }
}
