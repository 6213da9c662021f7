using System.Net.Sockets;
using System.Text;
using Microsoft.Extensions.Logging;

namespace Voice.Signaling.VoiceServer;

/// <summary>What may be asked of a running node on its own machine: a socket in the data folder, for the node's user only, that takes one line and answers
/// one.</summary>
public sealed class NodeControl : IDisposable
{
    /// <summary>Bytes of a request.</summary>
    private const int MaxLine = 256;

    private static readonly TimeSpan RequestTimeout = TimeSpan.FromSeconds(5);

    private readonly Socket listener;
    private readonly string path;

    private NodeControl(Socket listener, string path) => (this.listener, this.path) = (listener, path);

    /// <summary>Where the node of that name listens.</summary>
    public static string PathOf(string dataDirectory, string nodeId) => Path.Combine(dataDirectory, $"{nodeId}.sock");

    /// <summary>Null, with a line in the log, where there can be none: the path is too long, or another node of that name runs. The node runs
    /// without.</summary>
    internal static NodeControl? TryOpen(string dataDirectory, string nodeId, ILogger log)
    {
        var path = PathOf(dataDirectory, nodeId);
        var listener = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            var address = new UnixDomainSocketEndPoint(path);
            if (IsAnswered(address)) throw new IOException("another node of that name runs");
            File.Delete(path); // of one that was killed
            listener.Bind(address);
            if (!OperatingSystem.IsWindows()) File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite);
            listener.Listen(); // nobody could connect before
            return new NodeControl(listener, path);
        }
        catch (Exception e) when (e is SocketException or IOException or UnauthorizedAccessException or ArgumentException)
        {
            listener.Dispose();
            log.LogWarning("no control socket {Path}: {Reason}", path, e.Message);
            return null;
        }
    }

    /// <summary>Asks a running node.</summary>
    /// <param name="nodeId">Null: the one that there is.</param>
    /// <exception cref="StartupException">There is none, or it said nothing.</exception>
    public static async Task<string> AskAsync(string dataDirectory, string? nodeId, string request, CancellationToken cancel)
    {
        var path = nodeId is null ? TheOnlyOne(dataDirectory) : PathOf(dataDirectory, nodeId);
        using var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            await socket.ConnectAsync(new UnixDomainSocketEndPoint(path), cancel);
            await using var stream = new NetworkStream(socket);
            await stream.WriteAsync(Encoding.UTF8.GetBytes(request + '\n'), cancel);
            using var reader = new StreamReader(stream);
            return await reader.ReadLineAsync(cancel) ?? throw new StartupException($"the node at {path} did not answer");
        }
        catch (Exception e) when (e is SocketException or IOException or ArgumentException)
        {
            throw new StartupException($"no node answers at {path} ({e.Message}): pass its --data and --id", e);
        }
    }

    /// <summary>Answers until cancelled.</summary>
    internal async Task RunAsync(Func<string, CancellationToken, Task<string>> answer, CancellationToken cancel)
    {
        try
        {
            while (true) _ = ServeAsync(await listener.AcceptAsync(cancel), answer, cancel);
        }
        catch (OperationCanceledException)
        {
        }
    }

    public void Dispose()
    {
        listener.Dispose();
        File.Delete(path);
    }

    private static async Task ServeAsync(Socket asking, Func<string, CancellationToken, Task<string>> answer, CancellationToken cancel)
    {
        using (asking)
        {
            try
            {
                var line = await ReadLineAsync(asking, cancel);
                if (line is not null) await asking.SendAsync(Encoding.UTF8.GetBytes(await answer(line, cancel) + '\n'), cancel);
            }
            catch (Exception e) when (e is SocketException or OperationCanceledException or TimeoutException)
            {
                // Who asked has gone, or the node stops.
            }
        }
    }

    private static async Task<string?> ReadLineAsync(Socket asking, CancellationToken cancel)
    {
        var buffer = new byte[MaxLine];
        for (var length = 0; length < buffer.Length;)
        {
            var read = await asking.ReceiveAsync(buffer.AsMemory(length), cancel).AsTask().WaitAsync(RequestTimeout, cancel);
            if (read == 0) return null;
            length += read;
            if (buffer.AsSpan(0, length).IndexOf((byte)'\n') is >= 0 and var end) return Encoding.UTF8.GetString(buffer, 0, end);
        }

        return null;
    }

    private static string TheOnlyOne(string dataDirectory)
    {
        string[] found = Directory.Exists(dataDirectory) ? Directory.GetFiles(dataDirectory, "*.sock") : [];
        return found.Length == 1
            ? found[0]
            : throw new StartupException($"{dataDirectory} is the data folder of {found.Length} running nodes: pass --data, and --id where there are several");
    }

    private static bool IsAnswered(UnixDomainSocketEndPoint address)
    {
        using var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            socket.Connect(address);
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }
}
