namespace Voice.Tests.Fakes;

/// <summary>Counts what this thread allocates.</summary>
internal static class Allocated
{
    /// <summary>Bytes that the action allocated; null if a collection ran meanwhile. A collection, whoever's it is, takes this
    /// thread's half-used allocation buffer away and books the rest of it as allocated: then the number says nothing.</summary>
    public static long? By(Action action)
    {
        var collections = GC.CollectionCount(0);
        var before = GC.GetAllocatedBytesForCurrentThread();
        action();
        var bytes = GC.GetAllocatedBytesForCurrentThread() - before;
        return GC.CollectionCount(0) == collections ? bytes : null;
    }

    /// <summary>Bytes of the first run that no collection disturbed.</summary>
    public static long ByUndisturbed(Action action)
    {
        while (true)
        {
            if (By(action) is { } bytes) return bytes;
        }
    }
}
