using System.ComponentModel;
using Microsoft.Extensions.Logging;
using Voice.Protocol.Links;

namespace Voice.Signaling.VoiceServer;

/// <summary>Keeps one media process serving, on the sockets and with the memory that outlive it, and another one waiting for its turn
/// (docs/decisions/0009). Two never serve at a time: the next is told what to do when the one before is dead, or has said that it stopped.</summary>
/// <param name="happened">Gets every event of the process that serves; null: it serves no more. Called on one thread at a time.</param>
internal sealed class MediaSupervisor(
    string[] command, MediaSockets sockets, MediaMemory memory, Func<MediaEvent?, ValueTask> happened, ILogger log, TimeProvider time)
{
    /// <summary>A spare has its warm-up while nobody needs the processor: not when a process has just taken over.</summary>
    private static readonly TimeSpan SpareDelay = TimeSpan.FromSeconds(2);

    /// <summary>A process that serves reports once a second. One that lives and says nothing for so many has come to a stop.</summary>
    private const int MaxSilentSeconds = 5;

    private static readonly TimeSpan WarmTimeout = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan StopTimeout = TimeSpan.FromSeconds(1);

    private readonly TaskCompletionSource ready = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly CrashHistory crashes = new();
    private readonly long started = time.GetTimestamp();
    private TaskCompletionSource<Reload> wanted = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private MediaRun? current;
    private MediaRun? spare;
    private int reloading;

    /// <summary>Completes when the first process is ready.</summary>
    public Task Ready => ready.Task;

    /// <summary>A process serves.</summary>
    public bool IsReady => Volatile.Read(ref current) is not null;

    /// <summary>Processes die and die: nobody should be sent here.</summary>
    public bool IsCrashLooping => crashes.IsLooping(Now);

    private TimeSpan Now => time.GetElapsedTime(started);

    /// <summary>To the process that serves; without one it is dropped, since the next begins with a snapshot.</summary>
    public void Send(MediaCommand message) => Volatile.Read(ref current)?.Send(message);

    /// <summary>Runs until cancelled; then no process is left.</summary>
    /// <exception cref="StartupException">The first cannot be started at all.</exception>
    public async Task RunAsync(CancellationToken cancel)
    {
        var run = Start();
        try
        {
            while (!cancel.IsCancellationRequested)
            {
                if (run is null)
                {
                    await Task.Delay(crashes.Died(Now), time, cancel).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                    run = TryStart();
                    continue;
                }

                var next = await ServeAsync(run, cancel);
                if (cancel.IsCancellationRequested) break;
                run = next ?? await SuccessorAsync(run, cancel);
            }
        }
        finally
        {
            await EndAsync(run);
            await EndAsync(Interlocked.Exchange(ref spare, null));
        }
    }

    /// <summary>Another process takes over, of the program as it is on the disk now, and nobody hears it.</summary>
    /// <returns>One line for whoever asked.</returns>
    public async Task<string> ReloadAsync(CancellationToken cancel)
    {
        if (Interlocked.Exchange(ref reloading, 1) == 1) return "refused: a reload is under way";
        try
        {
            if (TryStart() is not { } fresh) return "refused: the media process cannot be started";
            var outcome = await PrepareAsync(fresh, cancel);
            if (outcome is not null) await EndAsync(fresh);
            return outcome ?? await HandOverAsync(fresh, cancel);
        }
        finally
        {
            Volatile.Write(ref reloading, 0);
        }
    }

    private static async Task<string?> PrepareAsync(MediaRun fresh, CancellationToken cancel)
    {
        try
        {
            if (await fresh.Ready.WaitAsync(WarmTimeout, cancel) is not { } its) return "refused: the new media process died";
            if (!its.CanResume) return "refused: the new program cannot go on where this one stops; drain the node and restart it";
            return await fresh.Warm.WaitAsync(WarmTimeout, cancel) ? null : "refused: the new media process died";
        }
        catch (TimeoutException)
        {
            return "refused: the new media process does not become ready";
        }
    }

    private async Task<string> HandOverAsync(MediaRun fresh, CancellationToken cancel)
    {
        var reload = new Reload(fresh, new TaskCompletionSource<string>(TaskCreationOptions.RunContinuationsAsynchronously));
        if (!Volatile.Read(ref wanted).TrySetResult(reload)) return "refused: the node stops";
        return await reload.Done.Task.WaitAsync(cancel);
    }

    /// <summary>Serves with a process until it dies or hands over.</summary>
    /// <returns>To whom it handed over; null: it died.</returns>
    private async Task<MediaRun?> ServeAsync(MediaRun run, CancellationToken cancel)
    {
        if (await OrCancelled(run.Ready, cancel) is not { } its) return null;
        Volatile.Write(ref current, run);
        await happened(its);
        ready.TrySetResult();

        using var serving = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        var beside = Task.WhenAll(KeepSpareAsync(serving.Token), WatchAsync(run, serving.Token));
        var asked = Volatile.Read(ref wanted).Task;
        await OrCancelled(Task.WhenAny(run.Ended, asked), cancel);
        await serving.CancelAsync();
        await beside;
        if (cancel.IsCancellationRequested) return null;

        // A process that died keeps nobody from taking over.
        var successor = asked.IsCompleted ? await TakeOverAsync(run, await asked) : null;
        Volatile.Write(ref current, null);
        await happened(null);
        return successor;
    }

    private async Task<MediaRun?> TakeOverAsync(MediaRun run, Reload reload)
    {
        Volatile.Write(ref wanted, new TaskCompletionSource<Reload>(TaskCreationOptions.RunContinuationsAsynchronously));
        var (old, from) = (run.ProcessId, time.GetTimestamp());
        run.Stop();
        try
        {
            await run.Stopped.WaitAsync(StopTimeout, time);
        }
        catch (TimeoutException)
        {
            log.LogError("media process {Process} does not stop: it is killed", old);
        }

        // One that stopped touches nothing any more, and may die by itself.
        run.End();
        if (run.Stopped is not { IsCompletedSuccessfully: true, Result: true }) await run.Ended;
        _ = EndAsync(Interlocked.Exchange(ref spare, null)); // of the old program
        var line = $"reloaded: process {reload.Fresh.ProcessId} took over from {old}, which took {time.GetElapsedTime(from).TotalMilliseconds:0.0} ms to stop";
        log.LogInformation("{Line}", line);
        reload.Done.SetResult(line);
        return reload.Fresh;
    }

    /// <summary>The spare, if there is one and processes do not die in a row; else one that has yet to start.</summary>
    private async Task<MediaRun?> SuccessorAsync(MediaRun dead, CancellationToken cancel)
    {
        await dead.Ended;
        var delay = crashes.Died(Now);
        log.LogWarning("media process {Process} ended; the next goes on in {Delay} ms", dead.ProcessId, delay.TotalMilliseconds);
        if (delay > TimeSpan.Zero) await Task.Delay(delay, time, cancel).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        return Interlocked.Exchange(ref spare, null) ?? TryStart();
    }

    private async Task KeepSpareAsync(CancellationToken cancel)
    {
        var deaths = new CrashHistory();
        var delay = SpareDelay;
        while (!cancel.IsCancellationRequested)
        {
            if (Volatile.Read(ref spare) is { } waiting)
            {
                await OrCancelled(waiting.Ended, cancel);
                if (!waiting.Ended.IsCompleted || Interlocked.CompareExchange(ref spare, null, waiting) != waiting) return;
                log.LogWarning("spare media process {Process} ended", waiting.ProcessId);
                delay = SpareDelay + deaths.Died(Now);
            }

            await Task.Delay(delay, time, cancel).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (cancel.IsCancellationRequested) return;
            Volatile.Write(ref spare, TryStart());
            if (spare is null) delay = SpareDelay + deaths.Died(Now);
        }
    }

    /// <summary>Ends a process that hangs. Whoever was itself stopped for a while has missed ticks, and no report.</summary>
    private async Task WatchAsync(MediaRun run, CancellationToken cancel)
    {
        for (var (heard, silent) = (run.Said, 0); silent < MaxSilentSeconds;)
        {
            await Task.Delay(TimeSpan.FromSeconds(1), time, cancel).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (cancel.IsCancellationRequested) return;
            var said = run.Said;
            (heard, silent) = (said, said == heard ? silent + 1 : 0);
        }

        log.LogError("media process {Process} has said nothing for {Seconds} s: it is killed", run.ProcessId, MaxSilentSeconds);
        run.End();
    }

    private MediaRun Start()
    {
        try
        {
            return Launch();
        }
        catch (Win32Exception e)
        {
            throw new StartupException($"the media process {command[0]} cannot be started ({e.Message})", e);
        }
    }

    private MediaRun? TryStart()
    {
        try
        {
            return Launch();
        }
        catch (Win32Exception e)
        {
            log.LogError("media process {Command} cannot be started: {Reason}", command[0], e.Message);
            return null;
        }
    }

    private MediaRun Launch() => new(MediaChild.Start(command, sockets, memory), message => happened(message), log);

    private static async Task EndAsync(MediaRun? run)
    {
        if (run is null) return;
        run.End();
        await run.Ended;
    }

    /// <summary>The default value when cancelled.</summary>
    private static async Task<T?> OrCancelled<T>(Task<T> task, CancellationToken cancel)
    {
        await OrCancelled((Task)task, cancel);
        return task.IsCompleted ? await task : default;
    }

    private static Task OrCancelled(Task task, CancellationToken cancel) => task.WaitAsync(cancel).ContinueWith(_ => { }, TaskScheduler.Default);

    private sealed record Reload(MediaRun Fresh, TaskCompletionSource<string> Done);
}
