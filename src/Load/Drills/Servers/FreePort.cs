using System.Net;
using System.Net.Sockets;

namespace Voice.Load.Drills.Servers;

/// <summary>TCP ports of loopback that are free now: a gateway that comes back must be where it was.</summary>
internal static class FreePort
{
    public static int[] Take(int count)
    {
        var listeners = Enumerable.Range(0, count).Select(_ => new TcpListener(IPAddress.Loopback, 0)).ToArray();
        try
        {
            foreach (var listener in listeners) listener.Start();
            return [.. listeners.Select(listener => ((IPEndPoint)listener.LocalEndpoint).Port)];
        }
        finally
        {
            foreach (var listener in listeners) listener.Dispose();
        }
    }
}
