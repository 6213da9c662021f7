using Voice.Load.Generator;
using Voice.Load.Results;

namespace Voice.Load.Scenarios;

/// <summary>One room of open microphones of which only the loudest are heard: what is clipped of speech when somebody begins to talk.</summary>
internal sealed class LoudestRoom(string name)
{
    public async Task<BenchResult> RunAsync(BenchOptions options, IProgress<LoadProgress> progress, CancellationToken cancel)
    {
        var (warmUp, measured) = options.Quick ? (1, 4) : (5, 60);
        var people = options.Microphones;
        await using var bed = await TestBed.StartAsync(options with { Group = options.Loudest }, cancel);
        var joined = 0;
        await bed.Rooms.Add(1, people, people, () => progress.Report(new(name, "joining", 0.3 * Interlocked.Increment(ref joined) / people)));
        bed.Quieten();
        var everybody = await bed.Server.NextSample(cancel);

        var room = bed.Rooms.All[0];
        var onsets = new Onsets(people, options.Loudest);
        var hearings = room.Participants.Select(participant => (participant.Talker!.Slot, Hearing: participant.Hearing = new(people))).ToArray();
        // So many speak at a time that somebody is often one too many.
        var share = Math.Min(SpeechModel.Conversation, Math.Max(1, options.Loudest - 1.0) / people);
        foreach (var talker in room.Talkers) talker.Microphone = new(talker.Slot, share, onsets, new Random(talker.Slot));

        progress.Report(new(name, "warming up", 0.3));
        await bed.Generator.Talk([.. room.Talkers]);
        await Task.Delay(TimeSpan.FromSeconds(warmUp), cancel);
        progress.Report(new(name, "measuring", 0.4));
        var measurement = await bed.Measure(TimeSpan.FromSeconds(options.Seconds ?? measured));
        var talkers = room.Talkers.ToDictionary(talker => talker.Slot);
        var loudest = await bed.Generator.Do(() => ClippedSpeech.Of(options.Loudest, [.. onsets.All.Where(onset => talkers[onset.Slot].Counts(onset.First))], hearings));
        bed.Check();
        if (loudest.Expected == 0) throw new LoadException("nobody was heard");
        progress.Report(new(name, "done", 1));
        var result = Summary.Of(name, bed, everybody, [measurement], [null]);
        var lossRatio = 1 - (double)loudest.Received / loudest.Expected;
        return result with
        {
            LossRatio = lossRatio,
            Details = result.Details with
            {
                Loss = result.Details.Loss with
                {
                    Expected = loudest.Expected,
                    Received = loudest.Received,
                    Missing = Math.Max(0, loudest.Expected - loudest.Received - result.Details.Loss.ReceiverKernel),
                },
                Runs = [.. result.Details.Runs.Select(run => run with { LossRatio = lossRatio })],
                Loudest = loudest,
            },
        };
    }
}
