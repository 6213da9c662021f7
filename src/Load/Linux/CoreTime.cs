using System.Globalization;

namespace Voice.Load.Linux;

/// <summary>How much of cores' time was not idle, whoever used it: all processes, interrupts, and what the host took away.</summary>
internal static class CoreTime
{
    private const int TicksPerSecond = 100; // USER_HZ of every Linux that .NET runs on

    /// <summary>Seconds since the machine's start, all these cores together.</summary>
    public static double Busy(params ReadOnlySpan<int> cores)
    {
        var ticks = 0L;
        foreach (var line in File.ReadLines("/proc/stat").Skip(1).TakeWhile(line => line.StartsWith("cpu", StringComparison.Ordinal)))
        {
            // cpu0 user nice system idle iowait irq softirq steal; guests are in user already
            var fields = line.Split(' ');
            if (!cores.Contains(int.Parse(fields[0].AsSpan(3), CultureInfo.InvariantCulture))) continue;
            for (var i = 1; i <= 8; i++)
            {
                if (i is not (4 or 5)) ticks += long.Parse(fields[i], CultureInfo.InvariantCulture);
            }
        }

        return (double)ticks / TicksPerSecond;
    }
}
