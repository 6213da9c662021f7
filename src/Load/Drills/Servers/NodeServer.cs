using Voice.Load.Linux;

namespace Voice.Load.Drills.Servers;

/// <summary>A voice node with its media processes.</summary>
internal sealed class NodeServer(string id, string region, string[] command, string data, string log) : IAsyncDisposable
{
    private ServerProcess? process;

    public string Id { get; } = id;

    public string Region { get; } = region;

    public string DataFolder { get; } = data;

    public int ProcessId => process!.Id;

    /// <summary>The process that forwards: of several the one that did the most work.</summary>
    public int MediaProcess => process!.Children().MaxBy(child => ProcessStat.TryCpuNanoseconds(child) ?? 0);

    public async Task Start(CancellationToken cancel) =>
        (process, _) = await ServerProcess.Start(Id, command, log, [$"Node {Id} is up: "], cancel);

    public void Signal(int signal) => process!.Signal(signal);

    /// <summary>To its media processes too.</summary>
    public void SignalAll(int signal) => process!.SignalAll(signal);

    public void SignalMedia(int signal)
    {
        foreach (var child in process!.Children()) Libc.Signal(child, signal);
    }

    public ValueTask DisposeAsync() => process?.DisposeAsync() ?? ValueTask.CompletedTask;
}
