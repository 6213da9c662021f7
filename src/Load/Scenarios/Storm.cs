using Voice.Load.Generator;
using Voice.Load.Linux;
using Voice.Load.Results;
using Voice.Load.Server;

namespace Voice.Load.Scenarios;

/// <summary>Many join at once: connectivity checks, handshake, and then the first packet of whoever talks in their room.</summary>
internal sealed class Storm(string name, int joins)
{
    private const int RoomSize = 10;
    private const int Talkers = 1;
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(60);

    public async Task<BenchResult> RunAsync(BenchOptions options, IProgress<LoadProgress> progress, CancellationToken cancel)
    {
        await using var bed = await TestBed.StartAsync(options, cancel);
        if (bed.Rooms is not MediaRooms people) throw new LoadException("a storm is of our own server only");
        progress.Report(new(name, "talkers join", 0));
        var rooms = Enumerable.Range(0, (joins + RoomSize - Talkers - 1) / (RoomSize - Talkers)).Select(_ => bed.Rooms.Make(RoomSize, Talkers)).ToArray();
        foreach (var room in rooms) await people.Tell([room.Participants[0]], room);
        await Task.WhenAll(rooms.Select(room => people.Join(room.Participants[0])));
        await bed.Generator.Talk([.. rooms.SelectMany(room => room.Talkers)]);
        var from = await bed.Server.NextSample(cancel);

        var joiners = rooms.SelectMany(room => room.Participants.Skip(Talkers)).Take(joins).ToArray();
        Cores.PinProcess(bed.GeneratorCores);
        var (began, cpu) = (LoadGenerator.Now, ProcessStat.CpuNanoseconds(bed.Server.ProcessId));
        var heard = 0;
        var arrivals = joiners.Select(async joiner =>
        {
            var at = await joiner.FirstAudio.Task.WaitAsync(Timeout, cancel);
            progress.Report(new(name, "joining", (double)Interlocked.Increment(ref heard) / joins));
            return at;
        }).ToArray();
        foreach (var room in rooms) await people.Tell([.. room.Participants.Skip(Talkers).Where(joiners.Contains)], room);
        await Task.WhenAll(joiners.Select(joiner => people.Join(joiner)));
        var last = (await Arrived(arrivals)).Max();
        cpu = ProcessStat.CpuNanoseconds(bed.Server.ProcessId) - cpu;
        var to = await bed.Server.NextSample(cancel);
        bed.Check();

        var seconds = (last - began) / 1e9;
        var measurement = new Measurement(new(from, to), new Tally(), 0);
        var result = Summary.Of(name, bed, to, [measurement], [null]);
        var busy = cpu / 1e9 / seconds;
        progress.Report(new(name, "done", 1));
        return result with
        {
            JoinsPerSecond = joins / seconds,
            Details = result.Details with
            {
                JoinsPerCpuSecond = joins / (cpu / 1e9),
                Notes = [.. result.Details.Notes, .. busy < 0.9 ? [$"the media process used {busy:0%} of its core: the clients' own handshakes were slower"] : Array.Empty<string>()],
            },
        };
    }

    private async Task<long[]> Arrived(Task<long>[] arrivals)
    {
        try
        {
            return await Task.WhenAll(arrivals);
        }
        catch (TimeoutException e)
        {
            throw new LoadException($"{arrivals.Count(arrival => !arrival.IsCompletedSuccessfully)} of {joins} joined and heard nobody", e);
        }
    }
}
