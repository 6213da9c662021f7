using Voice.Load.Results;
using Voice.Load.Server;

namespace Voice.Load.Scenarios;

/// <summary>The same load for long: what grows, what pauses, what is lost.</summary>
internal sealed class Soak(string name)
{
    private const int RoomSize = 5;
    private const int Talkers = 1;
    private const int MostParticipants = 2000;
    private const int QuickParticipants = 20;
    private const int SamplesInAll = 120;

    public async Task<BenchResult> RunAsync(BenchOptions options, IProgress<LoadProgress> progress, CancellationToken cancel)
    {
        var participants = options.Quick ? QuickParticipants : options.Participants ?? MostParticipants;
        var time = options.Quick ? TimeSpan.FromSeconds(4) : TimeSpan.FromMinutes(options.Minutes);
        await using var bed = await TestBed.StartAsync(options, cancel);
        var joined = 0;
        await bed.Rooms.Add(Math.Max(1, participants / RoomSize), RoomSize, Talkers, () =>
            progress.Report(new(name, "joining", 0.1 * Interlocked.Increment(ref joined) / participants)));
        bed.Quieten();
        await Task.Delay(TimeSpan.FromSeconds(options.Quick ? 0 : 3), cancel);
        var everybody = await bed.Server.NextSample(cancel);

        await bed.Generator.Talk([.. bed.Rooms.All.SelectMany(room => room.Talkers)]);
        await Task.Delay(TimeSpan.FromSeconds(options.Quick ? 1 : 10), cancel); // the runtime compiles the packet's path anew
        var receiverDrops = bed.ReceiverDrops();
        await bed.Generator.OpenWindow();
        var (samples, longestPause, whole) = await Watch(bed, time, progress, cancel);
        var tally = await bed.CloseWindow();
        bed.Check();

        var measurement = new Measurement(whole, tally, bed.ReceiverDrops() - receiverDrops);
        var result = Summary.Of(name, bed, everybody, [measurement], [null]);
        progress.Report(new(name, "done", 1));
        return result with
        {
            Collections = result.Collections with { PauseMsMax = longestPause },
            Details = result.Details with { Samples = samples },
        };
    }

    private async Task<(List<SoakSample> Samples, double LongestPause, ServerWindow Whole)> Watch(
        TestBed bed, TimeSpan time, IProgress<LoadProgress> progress, CancellationToken cancel)
    {
        var samples = new List<SoakSample>();
        var first = await bed.Server.NextSample(cancel);
        var (previous, since) = (first, first);
        var lossBefore = await bed.Generator.Balance();
        var longestPause = 0.0;
        while (true)
        {
            var now = await bed.Server.NextSample(cancel);
            longestPause = Math.Max(longestPause, new ServerWindow(previous, now).PausedMillis);
            previous = now;
            var elapsed = TimeSpan.FromMicroseconds((now.At - first.At) / 1e3);
            progress.Report(new(name, $"{elapsed:h\\:mm\\:ss} of {time:h\\:mm\\:ss}", 0.1 + 0.9 * (elapsed / time)));
            if (TimeSpan.FromMicroseconds((now.At - since.At) / 1e3) >= time / SamplesInAll)
            {
                var loss = await bed.Generator.Balance();
                samples.Add(Sample(new(since, now), (now.At - first.At) / 1e9, loss.Expected - lossBefore.Expected, loss.Received - lossBefore.Received));
                (since, lossBefore) = (now, loss);
            }

            if (elapsed >= time) return (samples, longestPause, new(first, now));
        }
    }

    /// <summary>What was on its way at either end makes a few packets of difference: less than none is none.</summary>
    private static SoakSample Sample(ServerWindow window, double at, long expected, long received) => new(
        at,
        window.Forwarded / window.Seconds,
        window.Forwarded > 0 ? window.CpuMicroseconds / window.Forwarded : 0,
        window.To.ResidentBytes,
        window.ProcessAllocatedBytes / window.Seconds,
        window.Gen0,
        window.Gen1,
        window.Gen2,
        expected > 0 ? Math.Max(0, 1 - (double)received / expected) : 0,
        Measurement.Percentiles(window.AddedDelay));
}
