using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;

namespace Voice.Signaling.VoiceServer;

/// <summary>Where media listens and what clients are told, for each address family that is served.</summary>
internal sealed record MediaAddresses(MediaAddress? V4, MediaAddress? V6)
{
    /// <param name="firstLocal">An address of this machine that others may reach, if it has one in that family.</param>
    /// <exception cref="StartupException">No family is left to serve.</exception>
    public static MediaAddresses Of(NodeOptions options, Func<AddressFamily, IPAddress?> firstLocal)
    {
        var v4 = Of(options.Bind, options.AnnounceV4, AddressFamily.InterNetwork, IPAddress.Loopback, IPAddress.Any, firstLocal);
        var v6 = Of(options.Bind, options.AnnounceV6, AddressFamily.InterNetworkV6, IPAddress.IPv6Loopback, IPAddress.IPv6Any, firstLocal);
        if (v4 is null && v6 is null) throw new StartupException("this machine has no address to give to clients: pass --announce");
        return new(v4, v6);
    }

    public static IPAddress? FirstLocal(AddressFamily family) => NetworkInterface.GetAllNetworkInterfaces()
        .Where(card => card.OperationalStatus == OperationalStatus.Up && card.NetworkInterfaceType != NetworkInterfaceType.Loopback)
        .SelectMany(card => card.GetIPProperties().UnicastAddresses)
        .Select(unicast => unicast.Address)
        .FirstOrDefault(address => address.AddressFamily == family && !address.IsIPv6LinkLocal);

    private static MediaAddress? Of(
        IPAddress bind, IPAddress? announce, AddressFamily family, IPAddress loopback, IPAddress any, Func<AddressFamily, IPAddress?> firstLocal)
    {
        var all = bind.Equals(any) || bind.Equals(IPAddress.IPv6Any); // [::] means both families, as elsewhere
        var bound = bind.AddressFamily == family && !all;
        var told = announce ?? (bound ? bind : all ? firstLocal(family) : null);
        if (told is null) return null;
        return new(bound ? bind : IPAddress.IsLoopback(told) ? loopback : any, told);
    }
}

internal sealed record MediaAddress(IPAddress Bind, IPAddress Announce);
