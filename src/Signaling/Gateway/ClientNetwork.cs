using System.Net;
using System.Net.Sockets;

namespace Voice.Signaling.Gateway;

/// <summary>Whom a limit is for: an IPv4 address, or an IPv6 network, of which one person has all addresses.</summary>
internal static class ClientNetwork
{
    public static IPAddress Of(IPAddress? address)
    {
        if (address is not { AddressFamily: AddressFamily.InterNetworkV6, IsIPv4MappedToIPv6: false }) return address?.MapToIPv4() ?? IPAddress.None;
        var bytes = address.GetAddressBytes();
        bytes.AsSpan(8).Clear();
        return new IPAddress(bytes);
    }
}
