using System.Threading.Channels;
using Voice.VoiceAllocator;

namespace Voice.Signaling.Gateway.Allocation;

/// <summary>Assignment events for one reader, who is dropped when it does not keep up.</summary>
internal sealed class AssignmentSubscription : IAssignmentObserver, IAsyncDisposable
{
    private const int MaxWaiting = 4096;
    private static readonly TimeSpan RenewEvery = TimeSpan.FromSeconds(20);

    private readonly Channel<AssignmentEvent> events = Channel.CreateBounded<AssignmentEvent>(MaxWaiting);
    private readonly IGrainFactory grains;
    private readonly TimeProvider time;
    private readonly IAssignmentObserver reference;
    private readonly ITimer renewal;

    private AssignmentSubscription(IGrainFactory grains, TimeProvider time)
    {
        (this.grains, this.time) = (grains, time);
        reference = grains.CreateObjectReference<IAssignmentObserver>(this);
        renewal = time.CreateTimer(_ => _ = Allocator.Subscribe(reference), null, RenewEvery, RenewEvery);
    }

    private IAllocatorGrain Allocator => grains.GetGrain<IAllocatorGrain>(0);

    public static async Task<AssignmentSubscription> Start(IGrainFactory grains, TimeProvider time)
    {
        var subscription = new AssignmentSubscription(grains, time);
        await subscription.Allocator.Subscribe(subscription.reference);
        return subscription;
    }

    /// <summary>What came since the last call; waits for something, but no longer than <paramref name="patience"/>. Null: the
    /// reader was too slow and has missed some, or is gone.</summary>
    public async Task<AssignmentEvent[]?> Next(TimeSpan patience, CancellationToken cancel)
    {
        using var waited = new CancellationTokenSource(patience, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancel, waited.Token);
        try
        {
            if (!await events.Reader.WaitToReadAsync(either.Token)) return null;
        }
        catch (OperationCanceledException)
        {
            return cancel.IsCancellationRequested ? null : [];
        }

        List<AssignmentEvent> taken = [];
        while (events.Reader.TryRead(out var next)) taken.Add(next);
        return [.. taken];
    }

    public Task OnAssignment(AssignmentEvent change)
    {
        if (!events.Writer.TryWrite(change)) events.Writer.TryComplete();
        return Task.CompletedTask;
    }

    public async ValueTask DisposeAsync()
    {
        await renewal.DisposeAsync();
        await Allocator.Unsubscribe(reference);
        grains.DeleteObjectReference<IAssignmentObserver>(reference);
    }
}
