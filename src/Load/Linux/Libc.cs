using System.Runtime.InteropServices;

namespace Voice.Load.Linux;

/// <summary>The calls that the generator's loop makes for each packet, and those that .NET has no name for. Linux, 64 bits.</summary>
internal static unsafe partial class Libc
{
    public const int DontWait = 0x40;
    public const int TryAgain = 11;
    public const int ConnectionRefused = 111;
    public const uint EpollIn = 1;
    public const int EpollAdd = 1;
    public const int EpollRemove = 2;
    public const int SocketLevel = 1;
    public const int MemoryInfo = 55;
    public const int MemoryInfoLength = 9;
    public const int MemoryInfoDrops = 8;
    public const int OpenFilesLimit = 7;
    public const int ThreadClock = 3;

    public const int Kill = 9;
    public const int User1 = 10;
    public const int User2 = 12;
    public const int Terminate = 15;
    public const int Continue = 18;
    public const int Stop = 19;

    private const string Library = "libc";

    [StructLayout(LayoutKind.Sequential, Pack = 4)]
    public struct EpollEvent
    {
        public uint Events;
        public long Data;
    }

    public struct Vector
    {
        public byte* Base;
        public nint Length;
    }

    /// <summary>A msghdr and, after it, the length that sendmmsg returns.</summary>
    public struct MessageHeader
    {
        public byte* Name;
        public int NameLength;
        public Vector* Vectors;
        public nint VectorCount;
        public byte* Control;
        public nint ControlLength;
        public int Flags;
        public int Padding;
        public int Sent;
    }

    // The calls of the packet path return at once, so they need not let the collector in.
    [LibraryImport(Library)]
    [SuppressGCTransition]
    public static partial nint recv(int socket, byte* buffer, nint length, int flags);

    [LibraryImport(Library)]
    [SuppressGCTransition]
    public static partial nint send(int socket, byte* buffer, nint length, int flags);

    [LibraryImport(Library)]
    [SuppressGCTransition]
    public static partial nint sendto(int socket, byte* buffer, nint length, int flags, byte* address, int addressLength);

    [LibraryImport(Library)]
    public static partial int sendmmsg(int socket, MessageHeader* messages, uint count, int flags);

    [LibraryImport(Library, EntryPoint = "epoll_wait")]
    [SuppressGCTransition]
    public static partial int epoll_poll(int epoll, EpollEvent* events, int max, int zero);

    [LibraryImport(Library)]
    public static partial int epoll_wait(int epoll, EpollEvent* events, int max, int milliseconds);

    [LibraryImport(Library, SetLastError = true)]
    public static partial int epoll_create1(int flags);

    [LibraryImport(Library, SetLastError = true)]
    public static partial int epoll_ctl(int epoll, int operation, int descriptor, EpollEvent* change);

    [LibraryImport(Library)]
    public static partial int close(int descriptor);

    [LibraryImport(Library, SetLastError = true)]
    public static partial int connect(int socket, byte* address, int length);

    [LibraryImport(Library, SetLastError = true)]
    public static partial int getsockopt(int socket, int level, int option, void* value, int* length);

    [LibraryImport(Library, SetLastError = true)]
    public static partial int sched_setaffinity(int thread, nint length, byte* mask);

    [LibraryImport(Library, SetLastError = true)]
    public static partial int sched_getaffinity(int thread, nint length, byte* mask);

    [LibraryImport(Library, SetLastError = true)]
    public static partial int clock_gettime(int clock, long* secondsAndNanoseconds);

    [LibraryImport(Library, SetLastError = true)]
    public static partial int setns(int descriptor, int kind);

    [LibraryImport(Library, SetLastError = true)]
    public static partial int getrlimit(int resource, ulong* softAndHard);

    [LibraryImport(Library, SetLastError = true)]
    public static partial int setrlimit(int resource, ulong* softAndHard);

    /// <summary>The calling thread goes before others, as far as the system allows: what it measures would else be its own waiting.</summary>
    public static void GoFirst() => _ = nice(-10);

    /// <summary>One that ended meanwhile needs none.</summary>
    public static void Signal(int process, int signal) => _ = kill(process, signal);

    [LibraryImport(Library, SetLastError = true)]
    private static partial int nice(int more);

    [LibraryImport(Library, SetLastError = true)]
    private static partial int kill(int process, int signal);
}
