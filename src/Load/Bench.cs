using Voice.Load.Linux;
using Voice.Load.Results;
using Voice.Load.Scenarios;

namespace Voice.Load;

/// <summary>Scenarios by name.</summary>
public static class Bench
{
    /// <summary>In the order in which they run.</summary>
    public static IReadOnlyList<string> Scenarios { get; } = ["small", "medium", "guilds", "stage", "saturate", "loudest", "storm", "soak"];

    /// <summary>Runs one scenario; some have more than one result.</summary>
    /// <exception cref="LoadException">It could not be run as it should.</exception>
    public static async Task<IReadOnlyList<BenchResult>> RunAsync(
        string scenario, BenchOptions options, IProgress<LoadProgress> progress, CancellationToken cancel)
    {
        using var turn = await BenchLock.TakeAsync(() => progress.Report(new(scenario, "waits for another bench on this machine", 0)), cancel);
        if (options.Against is not { } against) return await RunOneAsync(scenario, options, progress, cancel);
        if (scenario is "loudest" or "storm" or "soak") throw new LoadException($"{scenario} is of our own server only");
        var driver = Peers.Find(against);
        using var network = NetworkNamespace.Create(); // both behind the same cards
        var ours = await RunOneAsync(scenario, options with { Network = network }, progress, cancel);
        var theirs = await RunOneAsync(scenario, options with { Network = network, Driver = driver, MeasuresFloor = false, Workers = 1 }, progress, cancel);
        return [.. ours.Zip(theirs, (our, their) => our with { Peers = [Peers.Result(our, their, Peers.NameOf(driver))] })];
    }

    private static async Task<IReadOnlyList<BenchResult>> RunOneAsync(
        string scenario, BenchOptions options, IProgress<LoadProgress> progress, CancellationToken cancel) => scenario switch
        {
            "small" => [await new FixedLoad(scenario, rooms: 1, size: 10, talkers: 2, options.Runs ?? 1).RunAsync(options, progress, cancel)],
            "medium" => [await new FixedLoad(scenario, rooms: 1, size: 25, talkers: 3, options.Runs ?? 1).RunAsync(options, progress, cancel)],
            "guilds" => [await new FixedLoad(scenario, rooms: 20, size: 5, talkers: 1, options.Runs ?? 1).RunAsync(options, progress, cancel)],
            "stage" => [await new FixedLoad(scenario, rooms: 1, options.Listeners + 1, talkers: 1, options.Runs ?? (options.Quick ? 1 : 3)).RunAsync(options, progress, cancel)],
            "saturate" =>
            [
                await new Saturation(new("saturate-5", Size: 5, Talkers: 1), options.Runs ?? (options.Quick ? 1 : 3)).RunAsync(options, progress, cancel),
                await new Saturation(new("saturate-25", Size: 25, Talkers: 3), options.Runs ?? (options.Quick ? 1 : 3)).RunAsync(options, progress, cancel),
            ],
            "loudest" => [await new LoudestRoom(scenario).RunAsync(options, progress, cancel)],
            "storm" => [await new Storm(scenario, options.Quick ? Math.Min(20, options.Joins) : options.Joins).RunAsync(options, progress, cancel)],
            "soak" => [await new Soak(scenario).RunAsync(options, progress, cancel)],
            _ => throw new ArgumentOutOfRangeException(nameof(scenario), scenario, "Not a scenario."),
        };
}
