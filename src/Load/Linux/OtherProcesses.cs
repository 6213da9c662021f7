using System.Globalization;

namespace Voice.Load.Linux;

/// <summary>What everybody else on the machine uses, kernel threads too. By the scheduler's account of each: the kernel's figures for a core come from
/// ticks, which meet a load of 20 ms periods always at the same place, and are wrong by a fifth.</summary>
internal static class OtherProcesses
{
    /// <summary>Nanoseconds of processor time so far, by process, but for these and this one.</summary>
    public static Dictionary<int, long> Times(params ReadOnlySpan<int> except)
    {
        var times = new Dictionary<int, long>();
        foreach (var folder in Directory.EnumerateDirectories("/proc"))
        {
            if (!int.TryParse(Path.GetFileName(folder.AsSpan()), NumberStyles.None, CultureInfo.InvariantCulture, out var process)) continue;
            if (process == Environment.ProcessId || except.Contains(process)) continue;
            if (ProcessStat.TryCpuNanoseconds(process) is { } time) times.Add(process, time);
        }
        return times;
    }

    /// <summary>Seconds between two looks; of one that ended in between nothing is known.</summary>
    public static double Used(Dictionary<int, long> from, Dictionary<int, long> to) =>
        to.Sum(now => Math.Max(0, now.Value - from.GetValueOrDefault(now.Key))) / 1e9;
}
