namespace Voice.Tests.Signaling.Guilds;

/// <summary>A grain's state on a disk that may be full.</summary>
internal sealed class MemoryState<T> : IPersistentState<T>
    where T : new()
{
    public T State { get; set; } = new();

    public string? Etag => null;

    public bool RecordExists => Writes > 0;

    public bool Fails { get; set; }

    /// <summary>How many went well.</summary>
    public int Writes { get; private set; }

    public Task WriteStateAsync()
    {
        if (Fails) return Task.FromException(new IOException("the disk is full"));
        Writes++;
        return Task.CompletedTask;
    }

    public Task ReadStateAsync() => Task.CompletedTask;

    public Task ClearStateAsync() => Task.CompletedTask;
}
