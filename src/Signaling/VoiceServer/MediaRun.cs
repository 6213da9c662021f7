using System.Net.Sockets;
using System.Threading.Channels;
using Microsoft.Extensions.Logging;
using Voice.Protocol.Links;

namespace Voice.Signaling.VoiceServer;

/// <summary>One media process from its start to its death: waiting, serving, stopped.</summary>
internal sealed class MediaRun
{
    /// <summary>Commands that wait for a process that does not read. More, and it is replaced.</summary>
    private const int MaxWaiting = 4096;

    private readonly MediaChild child;
    private readonly Func<MediaEvent, ValueTask> happened;
    private readonly ILogger log;
    private readonly Channel<MediaCommand> waiting = Channel.CreateBounded<MediaCommand>(new BoundedChannelOptions(MaxWaiting) { SingleReader = true });
    private readonly TaskCompletionSource<MediaReady?> ready = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource<bool> warm = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource<bool> held = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource<bool> stopped = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private bool toldAll;
    private long said;

    /// <param name="happened">Gets what it says while it serves; awaited one by one.</param>
    public MediaRun(MediaChild child, Func<MediaEvent, ValueTask> happened, ILogger log)
    {
        (this.child, this.happened, this.log) = (child, happened, log);
        Ended = RunAsync();
    }

    public int ProcessId => child.ProcessId;

    /// <summary>Messages that it has sent. Any thread.</summary>
    public long Said => Volatile.Read(ref said);

    /// <summary>Its first word: it can be given a snapshot. Null: it died before.</summary>
    public Task<MediaReady?> Ready => ready.Task;

    /// <summary>It has practised what it will have to do. False: it died before.</summary>
    public Task<bool> Warm => warm.Task;

    /// <summary>It was told everything, and looks whether the one before has stopped. False: it died before.</summary>
    public Task<bool> Held => held.Task;

    /// <summary>It reads and sends no more, and another may go on. False: it died before.</summary>
    public Task<bool> Stopped => stopped.Task;

    /// <summary>It is dead: nothing of it reads a socket or uses a key.</summary>
    public Task Ended { get; }

    /// <summary>One thread at a time. A delta before the first snapshot was another process's.</summary>
    public void Send(MediaCommand command)
    {
        toldAll |= command is MediaSnapshot;
        if (toldAll) Enqueue(command);
    }

    /// <summary>Any thread; before it is sent a draft.</summary>
    public void Follow(int process) => Enqueue(new MediaFollow(process));

    /// <summary>Any thread; after <see cref="Held"/>.</summary>
    public void Serve() => Enqueue(new MediaStart());

    /// <summary>Any thread; see <see cref="Stopped"/>.</summary>
    public void Stop() => Enqueue(new MediaStop());

    /// <summary>Any thread; see <see cref="Ended"/>.</summary>
    public void End() => child.HangUp();

    private void Enqueue(MediaCommand command)
    {
        if (!waiting.Writer.TryWrite(command)) End(); // it does not read, or is gone
    }

    private async Task RunAsync()
    {
        var sending = SendAllAsync();
        try
        {
            await foreach (var message in child.Link.ReceiveAsync())
            {
                Volatile.Write(ref said, said + 1);
                await TakeAsync(message);
            }
        }
        catch (Exception e) when (IsEnd(e))
        {
            if (e is InvalidDataException) log.LogError("media link: {Reason}", e.Message);
        }

        waiting.Writer.TryComplete();
        End();
        await sending;
        // Its link may have ended before it did, and its keys are the next one's.
        await child.DisposeAsync();
        ready.TrySetResult(null);
        warm.TrySetResult(false);
        held.TrySetResult(false);
        stopped.TrySetResult(false);
    }

    private ValueTask TakeAsync(MediaEvent message)
    {
        switch (message)
        {
            case MediaReady its: ready.TrySetResult(its); break;
            case MediaWarm: warm.TrySetResult(true); break;
            case MediaHeld: held.TrySetResult(true); break;
            case MediaStopped: stopped.TrySetResult(true); break;
            default: return stopped.Task.IsCompleted ? default : happened(message);
        }

        return default;
    }

    private async Task SendAllAsync()
    {
        try
        {
            await foreach (var message in waiting.Reader.ReadAllAsync()) await child.Link.SendAsync(message);
        }
        catch (Exception e) when (IsEnd(e))
        {
            End();
        }
    }

    private static bool IsEnd(Exception e) => e is IOException or SocketException or InvalidDataException;
}
