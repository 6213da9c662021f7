using System.Net;
using System.Net.Sockets;

namespace Voice.Signaling.Gateway.Guilds;

/// <summary>TCP ports that nobody listens on. Orleans wants to know its ports beforehand; these are from below those that systems
/// give out by themselves, so that nobody is given one before the silo opens it.</summary>
internal static class FreePorts
{
    public static int[] Take(IPAddress address, int count)
    {
        var listeners = new List<TcpListener>();
        try
        {
            while (listeners.Count < count)
            {
                var listener = new TcpListener(address, Random.Shared.Next(20_000, 32_000));
                try
                {
                    listener.Start();
                    listeners.Add(listener);
                }
                catch (SocketException e) when (e.SocketErrorCode == SocketError.AddressAlreadyInUse)
                {
                    // Another one, then.
                }
            }

            return [.. listeners.Select(listener => ((IPEndPoint)listener.LocalEndpoint).Port)];
        }
        finally
        {
            foreach (var listener in listeners) listener.Stop();
        }
    }
}
