using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;
using Voice.Protocol.Links;

namespace Voice.Signaling.VoiceServer;

/// <summary>One running media process and our end of its link. It exits by itself when the link ends, so it cannot
/// outlive the node, however that ends.</summary>
internal sealed class MediaChild : IAsyncDisposable
{
    /// <summary>Time for its last words.</summary>
    private static readonly TimeSpan ExitTimeout = TimeSpan.FromMilliseconds(250);

    /// <summary>Bytes, in hexadecimal, that are allocated before the runtime collects. Its own choice, as much as the processor's largest cache holds, is what
    /// handshakes leave lying about, and longer pauses: docs/performance.md.</summary>
    private const string CollectAfter = "400000";

    /// <summary>Of two children that start at the same time, neither should inherit the other's descriptors.</summary>
    private static readonly Lock Starting = new();

    private readonly Process process;
    private readonly Socket socket;

    private MediaChild(Process process, Socket socket)
    {
        (this.process, ProcessId) = (process, process.Id);
        this.socket = socket;
        Link = new(new StreamPipe(new NetworkStream(socket)), MediaLink.MaxFrame);
    }

    public int ProcessId { get; }

    public LinkConnection<MediaCommand, MediaEvent> Link { get; }

    /// <param name="command">Program and arguments; <c>--link FD --udp FD,FD;FD,FD --memory FD</c> is appended.</param>
    /// <exception cref="Win32Exception">The program cannot be started.</exception>
    public static MediaChild Start(string[] command, MediaSockets sockets, MediaMemory memory)
    {
        var (ours, theirs) = Posix.SocketPair();
        using (theirs)
        {
            lock (Starting)
            {
                var inherited = new List<SafeFileHandle>();
                try
                {
                    var link = Inherit(theirs.SafeHandle);
                    var udp = string.Join(';', sockets.Workers.Select(worker => string.Join(',', worker.Select(socket => Inherit(socket.SafeHandle)))));
                    var start = new ProcessStartInfo(command[0], [.. command[1..], "--link", link, "--udp", udp, "--memory", Inherit(memory.File)]);
                    start.Environment.TryAdd("DOTNET_GCgen0size", CollectAfter);
                    return new(Process.Start(start)!, ours);
                }
                catch
                {
                    ours.Dispose();
                    throw;
                }
                finally
                {
                    foreach (var handle in inherited) handle.Dispose();
                }

                string Inherit(SafeHandle file)
                {
                    var handle = Posix.Inheritable(file);
                    inherited.Add(handle);
                    return handle.DangerousGetHandle().ToString(CultureInfo.InvariantCulture);
                }
            }
        }
    }

    /// <summary>Ends the link: both ends read its end. Any thread, any number of times.</summary>
    public void HangUp()
    {
        try
        {
            socket.Shutdown(SocketShutdown.Both);
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // The process is gone.
        }
    }

    /// <summary>Ends the link and waits for the exit; a process that does not go by itself is killed. When this returns it is dead: nothing of it reads a
    /// socket or uses a key.</summary>
    public async ValueTask DisposeAsync()
    {
        socket.Dispose();
        try
        {
            await process.WaitForExitAsync().WaitAsync(ExitTimeout);
        }
        catch (TimeoutException)
        {
            process.Kill();
            await process.WaitForExitAsync();
        }

        process.Dispose();
        Link.Dispose();
    }
}
