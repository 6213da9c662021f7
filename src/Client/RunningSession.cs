namespace Voice.Client;

/// <summary>A session that runs, until it ends by itself or is disposed of.</summary>
internal sealed class RunningSession : IAsyncDisposable
{
    private readonly CancellationTokenSource life;

    public RunningSession(VoiceSession session, CancellationToken cancellation)
    {
        Session = session;
        life = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        Ended = Run();
    }

    public VoiceSession Session { get; }

    /// <summary>Why it ended; null: as asked for. Never fails.</summary>
    public Task<VoiceClosedException?> Ended { get; }

    /// <summary>Null: cancelled before it ended.</summary>
    public async Task<VoiceClosedException?> EndedBefore(CancellationToken cancellation)
    {
        var cancelled = new TaskCompletionSource<VoiceClosedException?>(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var _ = cancellation.Register(() => cancelled.TrySetResult(null));
        return await await Task.WhenAny(Ended, cancelled.Task);
    }

    /// <summary>Says goodbye, if there still is somebody to say it to.</summary>
    public async ValueTask DisposeAsync()
    {
        await life.CancelAsync();
        await Ended;
        await Session.DisposeAsync();
        life.Dispose();
    }

    private async Task<VoiceClosedException?> Run()
    {
        await Task.Yield();
        try
        {
            return await Session.RunAsync(life.Token);
        }
        catch (OperationCanceledException)
        {
            return null;
        }
    }
}
