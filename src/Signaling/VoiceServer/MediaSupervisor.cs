using System.ComponentModel;
using Microsoft.Extensions.Logging;
using Voice.Protocol.Links;

namespace Voice.Signaling.VoiceServer;

/// <summary>Keeps one media process serving, on the sockets and with the memory that outlive it, and another one waiting for its turn
/// (docs/decisions/0009). Two never serve at a time: the next is told to when the one before is dead, or has said that it stopped.</summary>
/// <param name="happened">Gets every event of the process that serves; null: it serves no more, and none has taken over. Called on one thread at a
/// time, but that the first words of one that takes over may come beside the last of the one before.</param>
/// <param name="waits">A process waits to take over, and a draft should be sent. Any thread.</param>
internal sealed class MediaSupervisor(
    string[] command, MediaSockets sockets, MediaMemory memory, Func<MediaEvent?, ValueTask> happened, Func<ValueTask> waits, ILogger log, TimeProvider time)
{
    /// <summary>A spare has its warm-up while nobody needs the processor: not when a process has just taken over.</summary>
    private static readonly TimeSpan SpareDelay = TimeSpan.FromSeconds(2);

    /// <summary>A process that serves reports once a second. One that lives and says nothing for so many has come to a stop.</summary>
    private const int MaxSilentSeconds = 5;

    private const string UnderWay = "refused: a reload is under way";
    private const string Replaced = "refused: the media process died meanwhile, and another one serves";

    private static readonly TimeSpan WarmTimeout = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan StopTimeout = TimeSpan.FromSeconds(1);

    private readonly TaskCompletionSource ready = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly CrashHistory crashes = new();
    private readonly long started = time.GetTimestamp();
    private TaskCompletionSource<Reload> wanted = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private Roles roles = new(null, null);
    private MediaRun? spare;
    private int reloading;

    /// <summary>Completes when the first process is ready.</summary>
    public Task Ready => ready.Task;

    /// <summary>A process serves.</summary>
    public bool IsReady => Volatile.Read(ref roles).Serving is not null;

    /// <summary>Processes die and die: nobody should be sent here.</summary>
    public bool IsCrashLooping => crashes.IsLooping(Now);

    private TimeSpan Now => time.GetElapsedTime(started);

    /// <summary>To the process that serves; without one it is dropped, since the next begins with a snapshot. A draft is for the one that will take
    /// over, and changes are for both.</summary>
    public void Send(MediaCommand message)
    {
        var now = Volatile.Read(ref roles);
        if (message is not MediaSnapshot { IsDraft: true }) now.Serving?.Send(message);
        if (message is MediaDelta or MediaSnapshot { IsDraft: true }) now.Next?.Send(message);
    }

    /// <summary>Runs until cancelled; then no process is left.</summary>
    /// <exception cref="StartupException">The first cannot be started at all.</exception>
    public async Task RunAsync(CancellationToken cancel)
    {
        var run = Start();
        var hasDraft = false;
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

                var next = await ServeAsync(run, hasDraft, cancel);
                if (cancel.IsCancellationRequested) break;
                hasDraft = next is not null;
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
        if (Interlocked.Exchange(ref reloading, 1) == 1) return UnderWay;
        try
        {
            if (TryStart() is not { } fresh) return "refused: the media process cannot be started";
            string? refusal = "";
            try
            {
                refusal = await PrepareAsync(fresh, cancel) ?? await TellAsync(fresh, cancel);
            }
            finally
            {
                if (refusal is not null) await DropAsync(fresh);
            }
            return refusal ?? await HandOverAsync(fresh, cancel);
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

    /// <summary>Everything that can be told while the other one serves is not told while none does.</summary>
    private async Task<string?> TellAsync(MediaRun fresh, CancellationToken cancel)
    {
        var before = Volatile.Read(ref roles);
        if (before.Serving is not { } serving || await serving.Ready is not { } its) return Replaced;
        fresh.Follow(its.ProcessId);
        if (Interlocked.CompareExchange(ref roles, new(serving, fresh), before) != before) return Replaced;
        await waits();
        try
        {
            await Task.WhenAny(fresh.Held, serving.Ended).WaitAsync(WarmTimeout, cancel);
        }
        catch (TimeoutException)
        {
            return "refused: the new media process does not take what it is told";
        }
        if (!fresh.Held.IsCompleted) return Replaced;
        return await fresh.Held ? null : "refused: the new media process died";
    }

    private async Task<string> HandOverAsync(MediaRun fresh, CancellationToken cancel)
    {
        var reload = new Reload(fresh, new TaskCompletionSource<string>(TaskCreationOptions.RunContinuationsAsynchronously));
        if (!Volatile.Read(ref wanted).TrySetResult(reload)) // nobody waits any more for the one before, and it goes on
        {
            await DropAsync(fresh);
            return UnderWay;
        }
        return await reload.Done.Task.WaitAsync(cancel);
    }

    /// <summary>Serves with a process until it dies or hands over.</summary>
    /// <returns>To whom it handed over; null: it died.</returns>
    private async Task<MediaRun?> ServeAsync(MediaRun run, bool hasDraft, CancellationToken cancel)
    {
        if (await OrCancelled(run.Ready, cancel) is not { } its) return null;
        Volatile.Write(ref roles, new(run, null));
        await happened(its with { HasDraft = hasDraft });
        ready.TrySetResult();

        while (!run.Ended.IsCompleted)
        {
            if (await AskedAsync(run, cancel) is not { } reload) break;
            // One that was told everything while another process served does not know what that one was told.
            if (Volatile.Read(ref roles).Next == reload.Fresh) return await TakeOverAsync(run, reload);
            await DropAsync(reload.Fresh);
            reload.Done.SetResult(Replaced);
        }
        if (cancel.IsCancellationRequested) return null;

        Volatile.Write(ref roles, new(null, null));
        await happened(null);
        return null;
    }

    /// <summary>Waits for the end of the process, or for a reload: if both come, for the reload, for a process that died keeps nobody from taking over.</summary>
    private async Task<Reload?> AskedAsync(MediaRun run, CancellationToken cancel)
    {
        using var serving = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        var beside = Task.WhenAll(KeepSpareAsync(serving.Token), WatchAsync(run, serving.Token));
        var asked = Volatile.Read(ref wanted).Task;
        await OrCancelled(Task.WhenAny(run.Ended, asked), cancel);
        await serving.CancelAsync();
        await beside;
        if (cancel.IsCancellationRequested || !asked.IsCompleted) return null;
        Volatile.Write(ref wanted, new TaskCompletionSource<Reload>(TaskCreationOptions.RunContinuationsAsynchronously));
        return await asked;
    }

    private async Task<MediaRun> TakeOverAsync(MediaRun run, Reload reload)
    {
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
        reload.Fresh.Serve();
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

    private async Task DropAsync(MediaRun fresh)
    {
        if (Volatile.Read(ref roles) is { Next: var next } now && next == fresh) Interlocked.CompareExchange(ref roles, new(now.Serving, null), now);
        await EndAsync(fresh);
    }

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

    private sealed class Roles(MediaRun? serving, MediaRun? next)
    {
        public MediaRun? Serving { get; } = serving;

        /// <summary>It has a draft, or will have; it does not serve.</summary>
        public MediaRun? Next { get; } = next;
    }

    private sealed record Reload(MediaRun Fresh, TaskCompletionSource<string> Done);
}
