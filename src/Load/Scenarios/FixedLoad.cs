using Voice.Load.Floor;
using Voice.Load.Results;

namespace Voice.Load.Scenarios;

/// <summary>So many rooms of one shape, all talking: small, medium, guilds and stage.</summary>
internal sealed class FixedLoad(string name, int rooms, int size, int talkers, int runs)
{
    public async Task<BenchResult> RunAsync(BenchOptions options, IProgress<LoadProgress> progress, CancellationToken cancel)
    {
        var (warmUp, measured) = options.Quick ? (1, 2) : (5, 10);
        await using var bed = await TestBed.StartAsync(options, cancel);
        var joined = 0;
        await bed.Rooms.Add(rooms, size, talkers, () =>
            progress.Report(new(name, "joining", 0.3 * Interlocked.Increment(ref joined) / (rooms * size))));
        bed.Quieten();
        var everybody = await bed.Server.NextSample(cancel);

        var measurements = new List<Measurement>();
        var floors = new List<FloorResult?>();
        for (var run = 0; run < runs; run++)
        {
            progress.Report(new(name, "warming up", 0.3 + 0.7 * run / runs));
            await bed.Generator.Talk([.. bed.Rooms.All.SelectMany(room => room.Talkers)]);
            await Task.Delay(TimeSpan.FromSeconds(warmUp), cancel);
            progress.Report(new(name, "measuring", 0.3 + 0.7 * (run + 0.3) / runs));
            measurements.Add(await bed.Measure(TimeSpan.FromSeconds(options.Seconds ?? measured)));
            await bed.Generator.Talk([]);
            if (options.MeasuresFloor) progress.Report(new(name, "measuring the floor", 0.3 + 0.7 * (run + 0.8) / runs));
            floors.Add(options.MeasuresFloor ? await FloorBench.MeasureAsync(bed, bed.Rooms.All, options.Quick, cancel) : null);
        }

        bed.Check();
        progress.Report(new(name, "done", 1));
        return Summary.Of(name, bed, everybody, measurements, floors);
    }
}
