using System.Net;
using System.Net.Sockets;

namespace Voice.Signaling.VoiceServer;

/// <summary>The node's UDP sockets, one port for each media worker. The node opens them and media processes inherit them, so
/// that a port stays open, and datagrams queue, while no such process runs (design.md section 3.8).</summary>
internal sealed class MediaSockets : IDisposable
{
    private const int AttemptsAtFreePort = 10;

    private readonly List<Socket[]> workers = [];

    private MediaSockets()
    {
    }

    /// <summary>For each worker its sockets: IPv4, IPv6, or both on the same port.</summary>
    public IReadOnlyList<Socket[]> Workers => workers;

    /// <summary>For each worker what clients are told, IPv4 first.</summary>
    public IPEndPoint[][] Announced { get; private set; } = [];

    /// <exception cref="StartupException">A port is taken, or an address is not this machine's.</exception>
    public static MediaSockets Open(MediaAddresses addresses, int firstPort, int workers)
    {
        var opened = new MediaSockets();
        try
        {
            for (var i = 0; i < workers; i++) opened.workers.Add(OpenWorker(addresses, firstPort == 0 ? 0 : firstPort + i));
        }
        catch
        {
            opened.Dispose();
            throw;
        }

        opened.Announced = [.. opened.workers.Select(sockets => Announce(addresses, ((IPEndPoint)sockets[0].LocalEndPoint!).Port))];
        return opened;
    }

    public void Dispose()
    {
        foreach (var socket in workers.SelectMany(sockets => sockets)) socket.Dispose();
    }

    private static Socket[] OpenWorker(MediaAddresses addresses, int port)
    {
        var first = Bind((addresses.V4 ?? addresses.V6)!.Bind, port);
        if (addresses.V4 is null || addresses.V6 is null) return [first];

        // With port 0 the system picks one that is free for the first family; the other may need another try.
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                return [first, Bind(addresses.V6.Bind, ((IPEndPoint)first.LocalEndPoint!).Port)];
            }
            catch (StartupException) when (port == 0 && attempt < AttemptsAtFreePort)
            {
                first.Dispose();
                first = Bind(addresses.V4.Bind, 0);
            }
            catch
            {
                first.Dispose();
                throw;
            }
        }
    }

    private static Socket Bind(IPAddress address, int port)
    {
        var socket = new Socket(address.AddressFamily, SocketType.Dgram, ProtocolType.Udp);
        try
        {
            if (address.AddressFamily == AddressFamily.InterNetworkV6) socket.DualMode = false;
            socket.Bind(new IPEndPoint(address, port));
            return socket;
        }
        catch (SocketException e)
        {
            socket.Dispose();
            throw new StartupException(e.SocketErrorCode switch
            {
                SocketError.AddressAlreadyInUse => $"UDP port {port} on {address} is taken: end what uses it or pass another --media-port",
                SocketError.AddressNotAvailable => $"{address} is not an address of this machine: pass another --bind",
                _ => $"UDP port {port} on {address} cannot be opened ({e.Message})",
            }, e);
        }
    }

    private static IPEndPoint[] Announce(MediaAddresses addresses, int port) =>
        [.. new[] { addresses.V4, addresses.V6 }.OfType<MediaAddress>().Select(address => new IPEndPoint(address.Announce, port))];
}
