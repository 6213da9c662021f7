using System.Globalization;

namespace Voice.Load.Linux;

/// <summary>Datagrams that the kernel threw away because a socket's buffer was full.</summary>
internal static unsafe class UdpDrops
{
    /// <summary>Of one of our own sockets, since it was opened.</summary>
    public static long OfSocket(int descriptor)
    {
        Span<uint> info = stackalloc uint[Libc.MemoryInfoLength];
        var length = info.Length * sizeof(uint);
        fixed (uint* values = info)
        {
            return Libc.getsockopt(descriptor, Libc.SocketLevel, Libc.MemoryInfo, values, &length) == 0 ? info[Libc.MemoryInfoDrops] : 0;
        }
    }

    /// <summary>Of all sockets on these local ports, whosever they are.</summary>
    public static long OfPorts(params IReadOnlyCollection<int> ports) => Of("/proc/net/udp", ports) + Of("/proc/net/udp6", ports);

    private static long Of(string table, IReadOnlyCollection<int> ports)
    {
        if (!File.Exists(table)) return 0;
        var sum = 0L;
        foreach (var line in File.ReadLines(table).Skip(1))
        {
            // sl local_address rem_address ... drops
            var fields = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
            var port = int.Parse(fields[1].AsSpan(fields[1].LastIndexOf(':') + 1), NumberStyles.HexNumber, CultureInfo.InvariantCulture);
            if (ports.Contains(port)) sum += long.Parse(fields[^1], CultureInfo.InvariantCulture);
        }

        return sum;
    }
}
