using Voice.Load.Floor;
using Voice.Load.Results;
using Voice.Load.Server;

namespace Voice.Load.Scenarios;

/// <summary>From measurements to the fields that people read: medians over runs, ratios taken within a run.</summary>
internal static class Summary
{
    /// <summary>Share of a core that the host may take without a word.</summary>
    private const double WorthSaying = 0.002;

    /// <param name="everybody">All had joined and nobody had talked.</param>
    /// <param name="floors">Of the same runs.</param>
    public static BenchResult Of(
        string name, TestBed bed, ServerSample everybody, IReadOnlyList<Measurement> runs, IReadOnlyList<FloorResult?> floors)
    {
        var worst = runs.MaxBy(run => run.LossRatio)!;
        var last = runs[^1];
        var after = last.Server.To;
        var floor = floors.OfType<FloorResult>().OrderBy(floor => floor.MicrosecondsPerSend).ElementAtOrDefault(floors.Count / 2);
        var results = runs.Zip(floors, (run, floor) => new RunResult(
            run.ForwardedPerSecond, run.CpuUsPerForward, floor?.MicrosecondsPerSend, run.CpuUsPerForward / floor?.MicrosecondsPerSend, run.LossRatio)).ToArray();
        return new(
            name,
            bed.Rooms.Participants,
            Median(runs.Select(run => run.ForwardedPerSecond)),
            Median(runs.Select(run => run.CpuUsPerForward)),
            floor?.MicrosecondsPerSend,
            floor is null ? null : Median(results.Select(result => result.RatioToFloor!.Value)),
            Median(runs.Select(run => run.LossRatio)),
            Median(runs.Select(run => run.AddedDelay)),
            after.ResidentBytes,
            BytesPerParticipant(bed, everybody),
            Median(runs.Select(run => AllocatedPerPacket(run))),
            Collections(runs),
            JoinsPerSecond: null,
            after.Threads,
            ThisMachine.Describe(),
            Peers: [],
            new(
                bed.Transport.ToString().ToLowerInvariant(),
                bed.Payloads.AverageLength,
                floor?.Method,
                worst.Loss,
                Median(runs.Select(run => run.EndToEnd)),
                AddedDelayAtSaturationUs: null,
                JoinsPerCpuSecond: null,
                Notes(bed, runs),
                Steps: [],
                Samples: [],
                results));
    }

    public static double BytesPerParticipant(TestBed bed, ServerSample everybody) =>
        Math.Round((double)(everybody.ResidentBytes - bed.Empty.ResidentBytes) / Math.Max(1, bed.Rooms.Participants));

    public static double Median(IEnumerable<double> values)
    {
        var sorted = values.Order().ToArray();
        return sorted.Length == 0 ? 0 : (sorted[(sorted.Length - 1) / 2] + sorted[sorted.Length / 2]) / 2;
    }

    /// <summary>Of each percentile by itself.</summary>
    public static Percentiles? Median(IEnumerable<Percentiles?> values)
    {
        var known = values.OfType<Percentiles>().ToArray();
        return known.Length == 0
            ? null
            : new(Median(known.Select(v => v.P50)), Median(known.Select(v => v.P99)), Median(known.Select(v => v.P999)), Median(known.Select(v => v.Max)));
    }

    /// <summary>The pause is that of all collections of a run together: no single one was longer.</summary>
    public static Collections Collections(IReadOnlyList<Measurement> runs) => new(
        runs.Sum(run => run.Server.Gen0), runs.Sum(run => run.Server.Gen1), runs.Sum(run => run.Server.Gen2), runs.Max(run => run.Server.PausedMillis));

    public static double AllocatedPerPacket(Measurement run) => Math.Round((double)run.Server.AllocatedBytes / Math.Max(1, run.Server.Received), 1);

    public static string[] Notes(TestBed bed, IEnumerable<Measurement> runs)
    {
        var notes = new List<string>();
        if (bed.SharesCores) notes.Add("there are too few cores: the media process and the generator share some, so times are not the server's alone");
        notes.AddRange(runs.Select(run => run.Fault).OfType<string>().Distinct().Select(fault => $"{fault}: times and losses are not the server's alone"));
        return [.. notes, .. Stolen(runs)];
    }

    /// <summary>What waited meanwhile waited for the host, not for the server.</summary>
    public static IEnumerable<string> Stolen(IEnumerable<Measurement> runs)
    {
        var share = Median(runs.Select(run => run.Server.StolenShare));
        if (share > WorthSaying) yield return FormattableString.Invariant($"the machine's host took {100 * share:0.0} % of the server's cores, which so many packets then waited for");
    }
}
