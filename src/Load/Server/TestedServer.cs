using System.Collections.Concurrent;
using Voice.Protocol.Links;

namespace Voice.Load.Server;

/// <summary>What a bench measures: our media process, or a peer.</summary>
internal abstract class TestedServer(int[] cores) : IAsyncDisposable
{
    /// <summary>That it was pinned to.</summary>
    public int[] Cores { get; } = cores;

    public int ProcessId { get; protected set; }

    /// <summary>Why it gave up participants by itself, of each.</summary>
    public ConcurrentQueue<TransportCloseReason> Closed { get; } = [];

    /// <summary>Within about a second.</summary>
    public abstract Task<ServerSample> NextSample(CancellationToken cancel);

    public abstract ValueTask DisposeAsync();
}
