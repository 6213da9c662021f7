namespace Voice.Signaling.Gateway.Guilds;

/// <summary>Writes a grain's state, one write at a time: calls that come while one runs share the next, which holds all
/// their changes. For a reentrant grain, on its own turn.</summary>
public sealed class StoredState<T>(IPersistentState<T> state)
{
    private Task running = Task.CompletedTask;
    private Task? queued;

    public T Value => state.State;

    /// <summary>Done when everything that is in <see cref="Value"/> now is stored.</summary>
    public Task Save()
    {
        if (queued is not null) return queued;
        if (running.IsCompleted) return running = state.WriteStateAsync();
        return queued = SaveAfter(running);
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
