namespace Voice.Load.Linux;

/// <summary>How many sockets the process, and those that it starts, may have.</summary>
internal static unsafe class OpenFiles
{
    /// <summary>As many as the system lets it.</summary>
    public static void Allow()
    {
        var limit = stackalloc ulong[2];
        if (Libc.getrlimit(Libc.OpenFilesLimit, limit) != 0) return;
        limit[0] = limit[1];
        _ = Libc.setrlimit(Libc.OpenFilesLimit, limit);
    }
}
