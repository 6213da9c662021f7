using System.Threading.Channels;
using Microsoft.Extensions.Logging;

namespace Voice.Signaling.VoiceServer;

/// <summary>The one thread at a time that owns a <see cref="NodeCore"/> (docs/decisions/0003): what happens anywhere in the node is
/// posted here; what the core wants done is delivered from here.</summary>
/// <param name="deliver">Must not wait.</param>
internal sealed class NodeMailbox(NodeCore core, Outbox outbox, Action<Output> deliver, TimeProvider time, ILogger log)
{
    /// <summary>Posts that wait. When it is full, who posts waits, and so the socket it reads from.</summary>
    private const int Capacity = 4096;

    /// <summary>How late a guild that has moved away may end.</summary>
    private static readonly TimeSpan TickInterval = TimeSpan.FromSeconds(0.25);

    private readonly Channel<Action<NodeCore, TimeSpan>> posts =
        Channel.CreateBounded<Action<NodeCore, TimeSpan>>(new BoundedChannelOptions(Capacity) { SingleReader = true });

    private readonly long started = time.GetTimestamp();

    /// <summary>Any thread. Runs <paramref name="post"/> with the core and the time since the node started.</summary>
    public async ValueTask PostAsync(Action<NodeCore, TimeSpan> post)
    {
        // False: the node has stopped, and nobody is left whom it concerns.
        while (await posts.Writer.WaitToWriteAsync())
        {
            if (posts.Writer.TryWrite(post)) return;
        }
    }

    /// <summary>Runs posts and ticks until cancelled.</summary>
    public Task RunAsync(CancellationToken cancel) => Task.WhenAll(RunPostsAsync(cancel), TickAsync(cancel));

    private async Task RunPostsAsync(CancellationToken cancel)
    {
        try
        {
            await foreach (var post in posts.Reader.ReadAllAsync(cancel)) Run(post);
        }
        finally
        {
            posts.Writer.TryComplete();
        }
    }

    private void Run(Action<NodeCore, TimeSpan> post)
    {
        try
        {
            post(core, time.GetElapsedTime(started));
        }
        catch (Exception e)
        {
            // A bug. Calls that run are worth more than stopping at it.
            log.LogError(e, "the node's core failed at one message");
        }

        foreach (var output in outbox.Take()) deliver(output);
    }

    private async Task TickAsync(CancellationToken cancel)
    {
        using var timer = new PeriodicTimer(TickInterval, time);
        while (await timer.WaitForNextTickAsync(cancel)) await PostAsync((node, now) => node.Tick(now));
    }
}
