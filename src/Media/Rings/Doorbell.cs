namespace Voice.Media.Rings;

/// <summary>Wakes a worker that sleeps, and costs only a look at one that does not. The worker says that it goes to sleep, then looks once more whether
/// there is something to do; whoever leaves it something does so and then rings. Between each two is a fence, so that one of the two sees the other.</summary>
/// <param name="wake">Ends the worker's sleep, or the next one if it is not quite asleep; called on any thread.</param>
internal sealed class Doorbell(Action wake)
{
    private int asleep;

    /// <summary>Any thread, after it left something.</summary>
    public void Ring()
    {
        Interlocked.MemoryBarrier();
        if (Volatile.Read(ref asleep) == 1 && Interlocked.Exchange(ref asleep, 0) == 1) wake();
    }

    /// <summary>The worker's thread, before its last look at what there is to do.</summary>
    public void FallAsleep() => Interlocked.Exchange(ref asleep, 1);

    /// <summary>The worker's thread, awake again.</summary>
    public void GetUp() => Volatile.Write(ref asleep, 0);
}
