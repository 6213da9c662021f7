using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace Voice.EndToEnd.Harness;

/// <summary>A redis-server of the test's own: on a free port of loopback, with nothing on disk but its log.</summary>
public sealed class RedisServer : IAsyncDisposable
{
    private readonly Process process;

    private RedisServer(Process process, int port) => (this.process, Address) = (process, $"127.0.0.1:{port}");

    /// <summary>host:port.</summary>
    public string Address { get; }

    public static async Task<RedisServer> Start(string directory)
    {
        var port = FreePort();
        string[] arguments =
        [
            "--port", port.ToString(CultureInfo.InvariantCulture), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", directory,
            "--logfile", Path.Combine(directory, "redis.log"),
        ];
        var process = Process.Start(new ProcessStartInfo("redis-server", arguments)) ?? throw new InvalidOperationException("redis-server did not start");
        await Poll.Until(() => Answers(port), "Redis to answer", TimeSpan.FromSeconds(10));
        return new RedisServer(process, port);
    }

    public async ValueTask DisposeAsync()
    {
        process.Kill();
        await process.WaitForExitAsync();
        process.Dispose();
    }

    private static async Task<bool> Answers(int port)
    {
        try
        {
            using var tcp = new TcpClient();
            await tcp.ConnectAsync(IPAddress.Loopback, port);
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
