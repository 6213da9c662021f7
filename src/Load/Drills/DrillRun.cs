using Voice.Load.Drills.People;
using Voice.Load.Drills.Servers;
using Voice.Load.Generator;
using Voice.Load.Linux;

namespace Voice.Load.Drills;

/// <summary>Drills by name.</summary>
public static class Drill
{
    /// <summary>In the order in which they run.</summary>
    public static IReadOnlyList<string> Names { get; } = [.. Breaks.All.Select(plan => plan.Name)];

    /// <exception cref="LoadException">It could not be run as it should.</exception>
    public static async Task<DrillResult> RunAsync(string name, DrillOptions options, IProgress<LoadProgress> progress, CancellationToken cancel)
    {
        using var turn = await BenchLock.TakeAsync(() => progress.Report(new(name, "waits for another bench on this machine", 0)), cancel);
        var plan = Breaks.All.Single(plan => plan.Name == name);
        if (options.Logs is { } logs) options = options with { Logs = Path.Combine(logs, name) };
        return await new DrillRun(plan, options, progress).RunAsync(cancel);
    }
}

/// <summary>One drill, from the first process to the last log.</summary>
internal sealed class DrillRun(Plan plan, DrillOptions options, IProgress<LoadProgress> progress)
{
    /// <summary>Everybody hears, and is sent in time, for so long before anything is broken.</summary>
    private const int QuietSeconds = 5;

    /// <summary>Longer than what makes a guild count as served twice.</summary>
    private static readonly TimeSpan LastLook = TimeSpan.FromSeconds(7);

    /// <summary>That a busy machine is waited for.</summary>
    private const int MostSeconds = 60;

    private static readonly TimeSpan HearingTimeout = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan MostWait = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(100);

    public async Task<DrillResult> RunAsync(CancellationToken cancel)
    {
        OpenFiles.Allow();
        var start = LoadGenerator.Now;
        await using var cluster = await DrillCluster.Start(options, plan, step => Report(step, 0.05), cancel);
        var region = plan.Regions.Length > 1 ? plan.Regions[0] : null;
        Report("makes the guilds", 0.1);
        await using var crowd = await Crowd.Gather(cluster, options, region, start, step => Report(step, 0.15), cancel);
        Report("everybody talks", 0.3);
        var (began, used) = (LoadGenerator.Now, ProcessStat.CpuNanoseconds(Environment.ProcessId));
        Scene scene;
        long sent, late;
        var talking = new Talking(crowd.Talkers, Crowd.Payloads);
        try
        {
            await EverybodyHears(crowd, cancel);
            (sent, late) = await Settle(talking, cancel);
            scene = new Scene(cluster, crowd, options);
            Report("breaks it", 0.4);
            var seconds = TimeSpan.FromSeconds(options.Seconds ?? plan.Seconds);
            var breaking = plan.Break(scene, cancel);
            await Watch(scene, breaking, seconds, cancel);
            await breaking;
            if (plan.Mend is { } mend) await mend(scene, cancel);
            Report("looks whether it stays so", 0.85);
            await Task.Delay(LastLook, cancel);
        }
        finally
        {
            talking.Dispose();
        }

        var end = LoadGenerator.Now;
        var cores = (double)(ProcessStat.CpuNanoseconds(Environment.ProcessId) - used) / (end - began);
        Report("counts", 0.95);
        var states = await VoiceStates.Read(cluster, crowd, cancel);
        return new Findings(plan, options, scene, talking.Stalls, (talking.Sent - sent, talking.SentLate - late), states, end, cores).Result();
    }

    private void Report(string step, double done) => progress.Report(new(plan.Name, step, done));

    private static async Task EverybodyHears(Crowd crowd, CancellationToken cancel)
    {
        var began = LoadGenerator.Now;
        while (crowd.Deaf(LoadGenerator.Now) is > 0 and var deaf)
        {
            if (LoadGenerator.Now - began > HearingTimeout.TotalNanoseconds) throw new LoadException($"{deaf} listeners do not hear their talkers, though nothing is broken");
            await Task.Delay(Look, cancel);
        }
    }

    /// <summary>Joining takes all that the machine has, and compiling what is used goes on after it: until that is over, what is late says nothing
    /// of the drill.</summary>
    /// <returns>Packets sent, and those of them that were late, before the machine was quiet.</returns>
    private static async Task<(long Sent, long Late)> Settle(Talking talking, CancellationToken cancel)
    {
        var before = (talking.Sent, Late: talking.SentLate);
        for (var (second, quiet) = (0, 0); second < MostSeconds && quiet < QuietSeconds; second++)
        {
            var (sent, late) = (talking.Sent, talking.SentLate);
            await Task.Delay(TimeSpan.FromSeconds(1), cancel);
            quiet++;
            if (talking.SentLate - late > (talking.Sent - sent) * Findings.TooLate) (quiet, before) = (0, (talking.Sent, talking.SentLate));
        }

        return before;
    }

    /// <summary>Until the break is over, everybody hears again and has a gateway; not for ever.</summary>
    private async Task Watch(Scene scene, Task breaking, TimeSpan seconds, CancellationToken cancel)
    {
        var began = LoadGenerator.Now;
        long? over = null;
        while (true)
        {
            await Task.Delay(Look, cancel);
            var now = LoadGenerator.Now;
            var deaf = scene.Crowd.Deaf(now);
            var away = scene.Crowd.People.Count(person => !person.IsConnected);
            if (breaking.IsCompleted) over ??= now;
            var passed = TimeSpan.FromMicroseconds((now - began) / 1000.0);
            Report(deaf > 0 ? $"{deaf} listeners hear nothing" : away > 0 ? $"everybody hears, {away} have no gateway" : "everybody hears", 0.4 + 0.4 * Math.Min(1, passed / (seconds + TimeSpan.FromSeconds(5))));
            if (over is null || passed < seconds) continue;
            if (deaf + away == 0 || now - over > MostWait.TotalNanoseconds) return;
        }
    }
}
