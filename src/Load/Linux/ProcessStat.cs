using System.ComponentModel;
using System.Globalization;

namespace Voice.Load.Linux;

/// <summary>What the kernel accounts to a process, all its threads together.</summary>
internal static unsafe class ProcessStat
{
    private const int SchedulerClock = 2;

    /// <summary>Processor time so far, of living and ended threads, in nanoseconds: what the scheduler charged, not a count of ticks.</summary>
    public static long CpuNanoseconds(int process) => TryCpuNanoseconds(process) ?? throw new Win32Exception();

    /// <summary>Null if there is no such process.</summary>
    public static long? TryCpuNanoseconds(int process)
    {
        // The kernel's MAKE_PROCESS_CPUCLOCK: a clock for each process.
        var clock = (~process << 3) | SchedulerClock;
        var time = stackalloc long[2];
        return Libc.clock_gettime(clock, time) == 0 ? time[0] * 1_000_000_000 + time[1] : null;
    }

    /// <summary>Resident memory, in bytes.</summary>
    public static long ResidentBytes(int process) => Status(process, "VmRSS:") * 1024;

    public static int Threads(int process) => (int)Status(process, "Threads:");

    private static long Status(int process, string name)
    {
        var line = File.ReadLines($"/proc/{process}/status").First(line => line.StartsWith(name, StringComparison.Ordinal));
        return long.Parse(line[name.Length..].Replace("kB", "", StringComparison.Ordinal).Trim(), CultureInfo.InvariantCulture);
    }
}
