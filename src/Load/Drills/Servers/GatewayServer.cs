using System.Globalization;

namespace Voice.Load.Drills.Servers;

/// <summary>A gateway, on ports that it keeps from start to start.</summary>
internal sealed class GatewayServer(string name, string[] command, string log, int port, int linkPort) : IAsyncDisposable
{
    private ServerProcess? process;

    public Uri Address { get; } = new(string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{port}/"));

    /// <summary>Where clients connect.</summary>
    public Uri Socket { get; } = new(string.Create(CultureInfo.InvariantCulture, $"ws://127.0.0.1:{port}/"));

    public int LinkPort { get; } = linkPort;

    public string Name { get; } = name;

    public async Task Start(CancellationToken cancel) =>
        (process, _) = await ServerProcess.Start(Name, command, log, ["The gateway is up: "], cancel);

    public void Signal(int signal) => process!.Signal(signal);

    public async Task Kill()
    {
        await process!.DisposeAsync();
        process = null;
    }

    public bool IsRunning => process is { HasEnded: false };

    public async ValueTask DisposeAsync()
    {
        if (process is not null) await process.DisposeAsync();
    }
}
