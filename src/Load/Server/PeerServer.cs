using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Voice.Load.Linux;
using Voice.Protocol.Links;

namespace Voice.Load.Server;

/// <summary>Another server, which a driver starts and signals to (bench/peers/README.md): requests and replies are lines of JSON, one after the other.
/// What it forwarded is what our listeners got.</summary>
internal sealed class PeerServer : TestedServer
{
    private static readonly TimeSpan SampleInterval = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan ReplyTimeout = TimeSpan.FromSeconds(20);

    private readonly Process driver;
    private readonly Func<long> received;
    private readonly SemaphoreSlim asking = new(1, 1);

    private PeerServer(Process driver, int[] cores, Func<long> received)
        : base(cores) => (this.driver, this.received) = (driver, received);

    public string Name { get; private set; } = "";

    /// <param name="program">The driver.</param>
    /// <param name="received">Packets that our listeners got so far.</param>
    /// <exception cref="LoadException">It does not start, or says why it cannot.</exception>
    public static async Task<PeerServer> StartAsync(string program, NetworkNamespace network, int[] cores, Func<long> received, CancellationToken cancel)
    {
        var list = string.Join(',', cores.Select(core => core.ToString(CultureInfo.InvariantCulture)));
        string[] command = program.EndsWith(".mjs", StringComparison.Ordinal) ? ["node", program] : ["python3", program];
        var start = new ProcessStartInfo(command[0], [.. command[1..], network.Inside.ToString(), .. network.Command, "taskset", "-c", list])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
        };
        var peer = new PeerServer(Process.Start(start)!, cores, received);
        try
        {
            var hello = await peer.Reply(cancel);
            peer.Name = hello["name"]!.GetValue<string>();
            peer.ProcessId = hello["pid"]!.GetValue<int>();
            return peer;
        }
        catch
        {
            await peer.DisposeAsync();
            throw;
        }
    }

    public async Task<JsonNode> Ask(JsonNode request, CancellationToken cancel)
    {
        await asking.WaitAsync(cancel);
        try
        {
            await driver.StandardInput.WriteLineAsync(request.ToJsonString().AsMemory(), cancel);
            await driver.StandardInput.FlushAsync(cancel);
            return await Reply(cancel);
        }
        finally
        {
            asking.Release();
        }
    }

    public override async Task<ServerSample> NextSample(CancellationToken cancel)
    {
        await Task.Delay(SampleInterval, cancel);
        var worker = new WorkerReport(0, received(), 0, 0, 0, [], [], 0);
        var report = new MediaReport(0, 0, [], 0, [worker], new(0, 0, 0, 0, 0, 0));
        return ServerSample.Take(report, ProcessId, [], Cores);
    }

    public override async ValueTask DisposeAsync()
    {
        driver.StandardInput.Close();
        if (!driver.WaitForExit(TimeSpan.FromSeconds(5))) driver.Kill(entireProcessTree: true);
        await driver.WaitForExitAsync();
        driver.Dispose();
        asking.Dispose();
    }

    private async Task<JsonNode> Reply(CancellationToken cancel)
    {
        string? line;
        try
        {
            line = await driver.StandardOutput.ReadLineAsync(cancel).AsTask().WaitAsync(ReplyTimeout, cancel);
        }
        catch (TimeoutException e)
        {
            throw new LoadException("the peer's driver does not answer", e);
        }

        try
        {
            if (line is null || JsonNode.Parse(line) is not { } reply) throw new LoadException("the peer's driver ended");
            return reply["error"] is { } error ? throw new LoadException($"the peer's driver: {error}") : reply;
        }
        catch (JsonException e)
        {
            throw new LoadException($"the peer's driver said what is no JSON: {line}", e);
        }
    }
}
