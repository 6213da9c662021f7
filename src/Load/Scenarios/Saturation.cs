using Voice.Load.Floor;
using Voice.Load.Results;

namespace Voice.Load.Scenarios;

/// <summary>What every room is like.</summary>
internal sealed record Shape(string Name, int Size, int Talkers)
{
    /// <summary>Packets forwarded a second.</summary>
    public double Rate => Talkers * (Size - 1) * 50.0;
}

/// <summary>Rooms of one shape, more and more of them talking, until it is too much. Who has joined stays, so between steps nothing changes but how
/// many rooms talk.</summary>
internal sealed class Saturation(Shape shape, int runs)
{
    /// <summary>The bar of a good step.</summary>
    private const double MaxLoss = 0.001;
    private const double MaxDelayMicroseconds = 20_000;

    /// <summary>Where the first search begins, in packets forwarded a second.</summary>
    private const double FirstRate = 60_000;

    /// <summary>Of peers, of which less is expected.</summary>
    private const double FirstRateOfPeers = 12_000;
    private const double Growth = 1.35;

    private const int Attempts = 2;
    private const int MaxDisturbed = 4;

    /// <summary>Of later runs, which begin near what the first one found.</summary>
    private const double FineGrowth = 1.08;

    /// <summary>Between the last good step and the first bad one.</summary>
    private const int Halvings = 2;

    /// <summary>After many joined: their handshakes' code is compiled anew, and their memory collected.</summary>
    private static readonly TimeSpan Settling = TimeSpan.FromSeconds(3);

    /// <summary>Loss at which connectivity checks are lost, too; after half a minute of that the server would give people up, as it should.</summary>
    private const double DrowningLoss = 0.05;

    /// <summary>In which everybody's check comes through (RFC 7675 section 5.1: one every 4 to 6 s).</summary>
    private static readonly TimeSpan Breath = TimeSpan.FromSeconds(6.5);

    private const int MostParticipants = 8000;
    private const int QuickRooms = 4;

    private readonly List<LoadStep> steps = [];

    public async Task<BenchResult> RunAsync(BenchOptions options, IProgress<LoadProgress> progress, CancellationToken cancel)
    {
        await using var bed = await TestBed.StartAsync(options, cancel);
        var most = options.Quick ? QuickRooms : (options.Participants ?? MostParticipants) / shape.Size;
        var search = new Search(shape, runs, steps, bed, options, progress, most, cancel);
        await search.WarmUp();

        var best = new List<Measurement>();
        var halves = new List<Measurement>();
        var floors = new List<FloorResult?>();
        var rooms = 0;
        for (var run = 1; run <= runs; run++)
        {
            var (found, measurement) = await search.Run(run, rooms);
            rooms = run == 1 ? found : Math.Max(found, 1);
            best.Add(measurement);
            halves.Add(await search.AtHalf(found));
            await bed.Generator.Talk([]);
            if (options.MeasuresFloor) progress.Report(new(shape.Name, "measuring the floor", search.Done));
            floors.Add(options.MeasuresFloor ? await FloorBench.MeasureAsync(bed, [.. bed.Rooms.All.Take(found)], options.Quick, cancel) : null);
        }

        bed.Check();
        progress.Report(new(shape.Name, "done", 1));
        var result = Summary.Of(shape.Name, bed, best[^1].Server.To, best, floors);
        return result with
        {
            Participants = (int)Math.Round(result.ForwardedPerSecond / shape.Rate * shape.Size),
            AddedDelayUs = Summary.Median(halves.Select(half => half.AddedDelay)),
            Details = result.Details with
            {
                AddedDelayAtSaturationUs = result.AddedDelayUs,
                Steps = steps,
                Notes = [.. result.Details.Notes, .. Summary.Stolen(halves), .. Doubts(search.RanOut, most)],
            },
        };
    }

    private IEnumerable<string> Doubts(bool ranOut, int most)
    {
        if (ranOut) yield return $"all {most} rooms talked, and the server was not saturated: --participants adds more";
        var disturbed = steps.Where(step => !step.IsGood && step.Fault is not null).ToArray();
        if (disturbed.Length > 0) yield return $"{disturbed.Length} of {steps.Count} steps were disturbed (at last: {disturbed[^1].Fault}): the rate may be higher";
    }

    /// <summary>One search after another in the same rooms.</summary>
    private sealed class Search(
        Shape shape, int runs, List<LoadStep> steps, TestBed bed, BenchOptions options, IProgress<LoadProgress> progress, int most, CancellationToken cancel)
    {
        private int run = 1;

        /// <summary>The last good step was as much as there could be.</summary>
        public bool RanOut { get; private set; }

        /// <summary>A guess: how long a search takes is not known before.</summary>
        public double Done => Math.Min(0.99, (run - 1 + steps.Count(step => step.Run == run) / 12.0) / runs);

        private double First => options.Driver is null ? FirstRate : FirstRateOfPeers;

        private TimeSpan Window => TimeSpan.FromSeconds(options.Seconds ?? (options.Quick ? 1 : 3));

        /// <summary>Until the runtime has compiled the packet's path for good.</summary>
        public async Task WarmUp()
        {
            await Talk(Math.Min(most, Math.Max(1, (int)(First / 2 / shape.Rate))));
            await Task.Delay(TimeSpan.FromSeconds(options.Quick ? 0.5 : 6), cancel);
        }

        /// <param name="near">What an earlier run found; 0: this is the first.</param>
        /// <returns>The most rooms that were good, and the measurement of that.</returns>
        public async Task<(int Rooms, Measurement Best)> Run(int number, int near)
        {
            run = number;
            var growth = near == 0 ? Growth : FineGrowth;
            var rooms = near == 0 ? (int)Math.Ceiling(First / shape.Rate) : (int)(near / FineGrowth);
            rooms = Math.Clamp(rooms, 1, most);
            var (good, bad) = (0, int.MaxValue);
            Measurement? best = null;
            while (true)
            {
                if (await Step(rooms) is { } measurement) (good, best) = (rooms, measurement);
                else bad = rooms;

                if (bad == int.MaxValue)
                {
                    RanOut = good == most;
                    if (RanOut) return (good, best!);
                    rooms = Math.Min(most, Math.Max(good + 1, (int)(good * growth)));
                }
                else if (good > 0)
                {
                    break;
                }
                else
                {
                    if (rooms == 1) throw new LoadException($"one room is too much already ({steps[^1].Fault ?? "it is the media process that is late or loses packets"})");
                    rooms = Math.Max(1, (int)(rooms / growth));
                }
            }

            for (var i = 0; i < (near == 0 ? Halvings : 0) && bad - good > Math.Max(1, good / 50); i++)
            {
                var middle = (good + bad) / 2;
                if (await Step(middle) is { } measurement) (good, best) = (middle, measurement);
                else bad = middle;
            }

            return (good, best!);
        }

        public async Task<Measurement> AtHalf(int rooms)
        {
            progress.Report(new(shape.Name, "at half of it", Done));
            await Talk(Math.Max(1, rooms / 2));
            await Task.Delay(TimeSpan.FromSeconds(options.Quick ? 0.2 : 1), cancel);
            return await bed.Measure(options.Quick ? Window : TimeSpan.FromSeconds(8));
        }

        /// <summary>Null if it was too much, twice; where the fault is not the server's it is given more chances.</summary>
        private async Task<Measurement?> Step(int rooms)
        {
            for (var (attempt, disturbed) = (0, 0); attempt < Attempts && disturbed < MaxDisturbed;)
            {
                progress.Report(new(shape.Name, $"run {run}: {rooms} rooms, {rooms * shape.Rate:#,0} packets/s", Done));
                await Talk(rooms);
                await Task.Delay(TimeSpan.FromSeconds(options.Quick ? 0.2 : 1), cancel);
                var measurement = await bed.Measure(Window);
                var delay = measurement.AddedDelay ?? measurement.EndToEnd;
                var good = options.Quick || (measurement.LossRatio <= MaxLoss && delay?.P99 <= MaxDelayMicroseconds && measurement.Fault is null);
                steps.Add(new(
                    run, rooms, measurement.ForwardedPerSecond, measurement.CpuUsPerForward, measurement.CpuShare, measurement.LossRatio, measurement.AddedDelay,
                    measurement.BatchMean, good, measurement.Fault));
                if (good) return measurement;
                if (measurement.LossRatio > DrowningLoss)
                {
                    await bed.Generator.Talk([]);
                    await Task.Delay(Breath, cancel);
                }
                if (measurement.Fault is null) attempt++;
                else disturbed++;
            }

            return null;
        }

        /// <summary>These rooms talk. Where there are too few, more join than are needed now: what joining leaves behind takes a while to be gone.</summary>
        private async Task Talk(int rooms)
        {
            if (rooms > bed.Rooms.All.Count)
            {
                await bed.Generator.Talk([]);
                bed.Relax();
                var missing = Math.Min(most, (int)(rooms * Growth)) - bed.Rooms.All.Count;
                var (before, joined) = (bed.Rooms.Participants, 0);
                await bed.Rooms.Add(missing, shape.Size, shape.Talkers, () =>
                    progress.Report(new(shape.Name, $"{before + Interlocked.Increment(ref joined)} of {before + missing * shape.Size} joined", Done)));
                bed.Quieten();
                await Task.Delay(options.Quick ? TimeSpan.Zero : Settling, cancel);
            }

            bed.Quieten();
            await bed.Generator.Talk([.. bed.Rooms.All.Take(rooms).SelectMany(room => room.Talkers)]);
        }
    }
}
