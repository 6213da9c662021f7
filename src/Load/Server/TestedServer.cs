namespace Voice.Load.Server;

/// <summary>What a bench measures: our media process, or a peer.</summary>
internal abstract class TestedServer(int[] cores) : IAsyncDisposable
{
    /// <summary>That it was pinned to.</summary>
    public int[] Cores { get; } = cores;

    public int ProcessId { get; protected set; }

    /// <summary>Participants whom it gave up by itself.</summary>
    public int Closed { get; protected set; }

    /// <summary>Within about a second.</summary>
    public abstract Task<ServerSample> NextSample(CancellationToken cancel);

    public abstract ValueTask DisposeAsync();
}
