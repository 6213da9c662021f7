namespace Voice.Signaling.Gateway.Guilds;

/// <summary>Writes a grain's state, one write at a time: calls that come while one runs share the next, which holds all
/// their changes. For a reentrant grain, on its own turn.</summary>
public sealed class StoredState<T>(IPersistentState<T> state)
{
    private Task running = Task.CompletedTask;
    private Task? queued;

    public T Value => state.State;

    /// <summary>Done when everything that is in <see cref="Value"/> now is stored. If it fails, the next call tries again.</summary>
    /// <param name="changed">False: this caller changed nothing; but an earlier change may still be unstored.</param>
    public Task Save(bool changed = true)
    {
        if (queued is not null) return queued;
        if (!running.IsCompleted) return changed ? queued = SaveAfter(running) : running;
        return changed || !running.IsCompletedSuccessfully ? running = state.WriteStateAsync() : Task.CompletedTask;
    }

    private async Task SaveAfter(Task previous)
    {
        await previous.ConfigureAwait(
            ConfigureAwaitOptions.ContinueOnCapturedContext | ConfigureAwaitOptions.ForceYielding | ConfigureAwaitOptions.SuppressThrowing);
        running = queued!;
        queued = null;
        await state.WriteStateAsync();
    }
}
