namespace Voice.Media.Rings;

/// <summary>The rings between the workers of a process, one for each ordered pair that has something to tell, and the workers' doorbells.</summary>
internal sealed class WorkerRings(int workers)
{
    private readonly PacketRing?[] rings = new PacketRing?[workers * workers];
    private readonly Doorbell?[] doorbells = new Doorbell?[workers];

    public int Workers => workers;

    /// <summary>Before the first worker runs. Without a doorbell a worker must look by itself.</summary>
    public void Connect(int worker, Doorbell doorbell) => doorbells[worker] = doorbell;

    /// <summary>The thread of the worker that writes.</summary>
    public Relay Open(uint relay, int from, int to)
    {
        ref var ring = ref rings[from * workers + to];
        if (ring is null) Volatile.Write(ref ring, new());
        return new(relay, to, ring, doorbells[to]);
    }

    /// <summary>The thread of the worker that reads. Null: that pair has had nothing to tell so far.</summary>
    public PacketRing? Between(int from, int to) => Volatile.Read(ref rings[from * workers + to]);
}
