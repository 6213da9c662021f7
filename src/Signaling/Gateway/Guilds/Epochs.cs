namespace Voice.Signaling.Gateway.Guilds;

/// <summary>A guild's count of its assignments: each is higher than the last, over restarts too (design.md section 3.9).</summary>
public sealed class Epochs(StoredState<EpochRecord> stored)
{
    private long last = stored.Value.Epoch;
    private long kept = stored.Value.Epoch;

    public long Next() => ++last;

    /// <summary>Somebody has seen this epoch: never give it out again.</summary>
    public void Seen(long epoch) => last = Math.Max(last, epoch);

    /// <summary>Await it before anybody is told of the epoch: a crash must not make it new again.</summary>
    public async Task Keep(long epoch)
    {
        if (epoch <= kept) return;
        stored.Value.Epoch = Math.Max(stored.Value.Epoch, epoch);
        await stored.Save();
        kept = Math.Max(kept, epoch);
    }
}
