using System.Diagnostics;
using System.Globalization;

namespace Voice.Load.Linux;

/// <summary>How much of the time a core is not there for whoever runs on it: on a virtual machine the host runs others, and the kernel's own work comes
/// between. What arrives meanwhile waits, whatever server it is for.</summary>
internal static class CoreAbsence
{
    /// <summary>Of a loop that does nothing but read the clock; less is an interrupt's length.</summary>
    private static readonly TimeSpan Gap = TimeSpan.FromMicroseconds(100);

    private static readonly TimeSpan Watched = TimeSpan.FromSeconds(3);
    private static Task<int[]>? order;

    /// <summary>The cores that this process may use, the one that is there most first. Watched once, at the first call.</summary>
    public static Task<int[]> QuietestFirst() => order ??= Order();

    /// <summary>Seconds since the machine's start that the host gave to others while the core had work: proc_stat(5), "steal".</summary>
    public static double StolenSeconds(params ReadOnlySpan<int> cores)
    {
        var stolen = 0.0;
        foreach (var line in File.ReadLines("/proc/stat").Where(line => line.StartsWith("cpu", StringComparison.Ordinal)))
        {
            var fields = line.Split(' ');
            if (int.TryParse(fields[0].AsSpan(3), NumberStyles.None, CultureInfo.InvariantCulture, out var core) && cores.Contains(core))
                stolen += long.Parse(fields[8], CultureInfo.InvariantCulture) / 100.0; // USER_HZ
        }
        return stolen;
    }

    private static async Task<int[]> Order()
    {
        var absent = await Task.WhenAll(Cores.Available.Select(core => Task.Factory.StartNew(
            () => (Core: core, Time: Watch(core)), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default)));
        return [.. absent.OrderBy(one => one.Time).Select(one => one.Core)];
    }

    private static TimeSpan Watch(int core)
    {
        Cores.PinThread(core);
        var (absent, last) = (TimeSpan.Zero, Stopwatch.GetTimestamp());
        for (var began = last; Stopwatch.GetElapsedTime(began, last) < Watched;)
        {
            var now = Stopwatch.GetTimestamp();
            var gap = Stopwatch.GetElapsedTime(last, now);
            if (gap > Gap) absent += gap;
            last = now;
        }
        return absent;
    }
}
