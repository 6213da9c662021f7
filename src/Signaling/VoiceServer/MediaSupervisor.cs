using System.ComponentModel;
using System.Net.Sockets;
using System.Threading.Channels;
using Microsoft.Extensions.Logging;
using Voice.Protocol.Links;

namespace Voice.Signaling.VoiceServer;

/// <summary>Keeps one media process running, on the sockets that outlive it.</summary>
/// <param name="happened">Gets every event of the process; null: it is gone. Called on one thread at a time.</param>
internal sealed class MediaSupervisor(
    string[] command, MediaSockets sockets, MediaMemory memory, Func<MediaEvent?, ValueTask> happened, ILogger log, TimeProvider time)
{
    /// <summary>Commands that wait for a process that does not read. More, and it is replaced.</summary>
    private const int MaxWaiting = 4096;

    private static readonly TimeSpan FirstDelay = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan LongestDelay = TimeSpan.FromSeconds(5);

    /// <summary>A process that lived this long did not die of its start.</summary>
    private static readonly TimeSpan Healthy = TimeSpan.FromSeconds(10);

    private readonly TaskCompletionSource ready = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private Outgoing? current;

    /// <summary>Completes when the first process is ready.</summary>
    public Task Ready => ready.Task;

    /// <summary>A process runs and said so.</summary>
    public bool IsReady { get; private set; }

    /// <summary>To the process that runs now; without one it is dropped, since the next begins with a snapshot.</summary>
    public void Send(MediaCommand message)
    {
        if (Volatile.Read(ref current) is { } running && !running.Waiting.Writer.TryWrite(message)) running.Overflowed.Cancel();
    }

    /// <summary>Starts processes until cancelled, then ends the last.</summary>
    /// <exception cref="StartupException">The first cannot be started at all.</exception>
    public async Task RunAsync(CancellationToken cancel)
    {
        var delay = FirstDelay;
        while (!cancel.IsCancellationRequested)
        {
            var started = time.GetTimestamp();
            await RunOnceAsync(cancel);
            if (cancel.IsCancellationRequested) return;
            delay = time.GetElapsedTime(started) > Healthy ? FirstDelay : delay;
            log.LogWarning("media process ended; the next starts in {Delay} ms", delay.TotalMilliseconds);
            await happened(null);
            await Task.Delay(delay, time, cancel).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            delay = TimeSpan.FromTicks(Math.Min(delay.Ticks * 2, LongestDelay.Ticks));
        }
    }

    private async Task RunOnceAsync(CancellationToken cancel)
    {
        MediaChild child;
        try
        {
            child = MediaChild.Start(command, sockets, memory);
        }
        catch (Win32Exception e) when (!Ready.IsCompleted)
        {
            throw new StartupException($"the media process {command[0]} cannot be started ({e.Message})", e);
        }
        catch (Win32Exception e)
        {
            log.LogError("media process {Command} cannot be started: {Reason}", command[0], e.Message);
            return;
        }

        await using (child)
        {
            // Not disposed: whoever sends may still hold it when the process is gone.
            var stop = new CancellationTokenSource();
            await using var linked = cancel.UnsafeRegister(static state => ((CancellationTokenSource)state!).Cancel(), stop);
            var outgoing = new Outgoing(Channel.CreateBounded<MediaCommand>(MaxWaiting), stop);
            Volatile.Write(ref current, outgoing);
            var sending = SendAllAsync(child, outgoing, stop);
            try
            {
                await foreach (var message in child.Link.ReceiveAsync(stop.Token))
                {
                    await happened(message);
                    if (message is not MediaReady) continue;
                    IsReady = true;
                    ready.TrySetResult();
                }
            }
            catch (Exception e) when (IsEnd(e))
            {
                if (e is InvalidDataException) log.LogError("media link: {Reason}", e.Message);
            }

            Volatile.Write(ref current, null);
            IsReady = false;
            await stop.CancelAsync();
            await sending;
            // Its link may have ended before it did, and its keys are the next one's.
            if (!cancel.IsCancellationRequested) await child.KillAsync();
        }
    }

    private static async Task SendAllAsync(MediaChild child, Outgoing outgoing, CancellationTokenSource stop)
    {
        try
        {
            await foreach (var message in outgoing.Waiting.Reader.ReadAllAsync(stop.Token)) await child.Link.SendAsync(message, stop.Token);
        }
        catch (Exception e) when (IsEnd(e))
        {
            await stop.CancelAsync();
        }
    }

    private static bool IsEnd(Exception e) => e is OperationCanceledException or IOException or SocketException or InvalidDataException;

    private sealed record Outgoing(Channel<MediaCommand> Waiting, CancellationTokenSource Overflowed);
}
