using System.ComponentModel;
using System.Globalization;

namespace Voice.Load.Linux;

/// <summary>Which processor cores threads run on.</summary>
internal static unsafe class Cores
{
    private const int MaskLength = 128;

    /// <summary>Those that this process may use, in their order.</summary>
    public static int[] Available { get; } = Read();

    /// <summary>Of the calling thread; threads and processes that it starts inherit them.</summary>
    public static void PinThread(params ReadOnlySpan<int> cores)
    {
        if (!TryPin(0, cores)) throw new Win32Exception();
    }

    /// <summary>Of every thread that this process has now.</summary>
    public static void PinProcess(params ReadOnlySpan<int> cores)
    {
        // One that ended meanwhile needs no core.
        foreach (var task in Directory.EnumerateDirectories("/proc/self/task")) TryPin(int.Parse(Path.GetFileName(task), CultureInfo.InvariantCulture), cores);
    }

    /// <summary>Those of the calling thread.</summary>
    public static int[] OfThread() => Read();

    private static bool TryPin(int thread, ReadOnlySpan<int> cores)
    {
        Span<byte> mask = stackalloc byte[MaskLength];
        mask.Clear();
        foreach (var core in cores) mask[core / 8] |= (byte)(1 << (core % 8));
        fixed (byte* bytes = mask) return Libc.sched_setaffinity(thread, MaskLength, bytes) == 0;
    }

    private static int[] Read()
    {
        Span<byte> mask = stackalloc byte[MaskLength];
        mask.Clear();
        fixed (byte* bytes = mask)
        {
            if (Libc.sched_getaffinity(0, MaskLength, bytes) < 0) throw new Win32Exception();
        }

        var cores = new List<int>();
        for (var i = 0; i < MaskLength * 8; i++)
        {
            if ((mask[i / 8] >> (i % 8) & 1) != 0) cores.Add(i);
        }

        return [.. cores];
    }
}
