using System.ComponentModel;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Voice.Signaling.VoiceServer;

/// <summary>What .NET does not offer for handing descriptors to a child process.</summary>
internal static partial class Posix
{
    private const int AddressFamilyUnix = 1;
    private const int SocketStream = 1;
    private const int SetDescriptorFlags = 2;
    private const int CloseOnExec = 1;

    /// <summary>Two connected Unix stream sockets, neither of which a child inherits.</summary>
    public static (Socket Ours, Socket Theirs) SocketPair()
    {
        Span<int> pair = stackalloc int[2];
        if (socketpair(AddressFamilyUnix, SocketStream, 0, pair) != 0) throw new Win32Exception();
        foreach (var descriptor in pair)
        {
            if (fcntl(descriptor, SetDescriptorFlags, CloseOnExec) != 0) throw new Win32Exception();
        }

        return (Wrap(pair[0]), Wrap(pair[1]));
    }

    /// <summary>A second descriptor of the same file or socket, which children inherit (POSIX: dup clears close-on-exec).</summary>
    public static SafeFileHandle Inheritable(SafeHandle file)
    {
        var copy = dup((int)file.DangerousGetHandle());
        return copy >= 0 ? new SafeFileHandle(copy, ownsHandle: true) : throw new Win32Exception();
    }

    /// <summary>A file in memory that has no name and that a child does not inherit; null where the system has no such thing.</summary>
    public static SafeFileHandle? MemoryFile()
    {
        if (!OperatingSystem.IsLinux()) return null;
        var descriptor = memfd_create("voice-checkpoints", 1); // MFD_CLOEXEC
        return descriptor >= 0 ? new SafeFileHandle(descriptor, ownsHandle: true) : null;
    }

    private static Socket Wrap(int descriptor) => new(new SafeSocketHandle(descriptor, ownsHandle: true));

    [LibraryImport("libc", SetLastError = true)]
    private static partial int socketpair(int family, int type, int protocol, Span<int> pair);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int fcntl(int descriptor, int command, int argument);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int dup(int descriptor);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int memfd_create(string name, uint flags);
}
