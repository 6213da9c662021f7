namespace Voice.Media.Checkpoints;

/// <summary>One worker's part of the <see cref="CheckpointMemory"/>. Written by its thread only, and by one process at a time: the next one begins when the
/// one before is dead or has said that it stopped.</summary>
internal sealed unsafe class WorkerCheckpoints
{
    /// <summary>Changes with the meaning of anything in this memory, and with how one process takes over from another.</summary>
    public const ulong Layout = 2;

    /// <summary>The first place: what layout it is, how many places were ever used, and <see cref="RetiredBy"/>.</summary>
    private const int LayoutWord = 0;
    private const int CountWord = 1;
    private const int RetiredWord = 2;

    /// <summary>The second place takes what has none of its own, and nobody reads it.</summary>
    private const int FirstPlace = 2;

    private const int WordsEach = Checkpoint.Length / sizeof(ulong);

    private readonly CheckpointMemory memory; // which must stay mapped
    private readonly ulong* start;
    private readonly int places;
    private readonly Stack<int> free = [];
    private readonly Dictionary<uint, List<Checkpoint>> left = [];
    private int count = FirstPlace;
    private bool loaded;

    public WorkerCheckpoints(CheckpointMemory memory, byte* start, int places)
    {
        (this.memory, this.places) = (memory, places);
        this.start = (ulong*)start;
    }

    public bool IsReadable => Volatile.Read(ref start[LayoutWord]) is 0 or Layout;

    /// <summary>The process that wrote here last, if it said that it does not any more; else 0. Any thread.</summary>
    public int RetiredBy => (int)Volatile.Read(ref start[RetiredWord]);

    /// <summary>Where to write what need not be found again.</summary>
    public Checkpoint Nowhere => At(1);

    /// <summary>What an earlier process left of a transport; empty if nothing. The caller's from here on.</summary>
    public List<Checkpoint> TakeLeft(uint transport)
    {
        Load();
        return left.Remove(transport, out var its) ? its : [];
    }

    /// <summary>What of an earlier process nobody took is of no use any more.</summary>
    public void ForgetLeft()
    {
        Load();
        foreach (var checkpoint in left.Values.SelectMany(its => its)) Remove(checkpoint);
        left.Clear();
    }

    /// <summary>A new one, all 0. Null when the memory is full.</summary>
    public Checkpoint? TryAdd(CheckpointKind kind, uint transport, uint ssrc)
    {
        Load();
        if (!free.TryPop(out var place))
        {
            if (count == places) return null;
            place = count++;
            Volatile.Write(ref start[CountWord], (ulong)count);
        }
        var checkpoint = At(place);
        checkpoint.Begin(kind, transport, ssrc);
        return checkpoint;
    }

    public void Remove(Checkpoint checkpoint)
    {
        var place = (int)((checkpoint.Address - start) / WordsEach);
        if (place < FirstPlace) return;
        checkpoint.End();
        free.Push(place);
    }

    /// <summary>This process writes here no more.</summary>
    public void Retire() => Volatile.Write(ref start[RetiredWord], (ulong)Environment.ProcessId);

    /// <summary>At the first of the calls above, and not before: the process may have been started to wait for that of the process before it. What
    /// cannot be read is nothing.</summary>
    private void Load()
    {
        if (loaded) return;
        loaded = true;
        Volatile.Write(ref start[RetiredWord], 0);
        var used = start[LayoutWord] == Layout ? (int)Math.Min(start[CountWord], (ulong)places) : 0;
        start[CountWord] = (ulong)used;
        Volatile.Write(ref start[LayoutWord], Layout);
        count = Math.Max(FirstPlace, used);
        for (var place = FirstPlace; place < count; place++)
        {
            var checkpoint = At(place);
            if (checkpoint.Kind == CheckpointKind.None)
            {
                free.Push(place);
                continue;
            }
            if (!left.TryGetValue(checkpoint.Transport, out var its)) left.Add(checkpoint.Transport, its = []);
            its.Add(checkpoint);
        }
    }

    internal WorkerCheckpoints ForAnotherProcess() => new(memory, (byte*)start, places);

    private Checkpoint At(int place)
    {
        GC.KeepAlive(memory);
        return new(start + place * WordsEach);
    }
}
