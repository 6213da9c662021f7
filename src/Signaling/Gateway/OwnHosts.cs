using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;

namespace Voice.Signaling.Gateway;

/// <summary>While bound to loopback, where guests are let in: requests for another host than this one are 400. A web page whose name
/// was made to resolve to 127.0.0.1 (DNS rebinding) would otherwise be same-origin with us in the visitor's browser.</summary>
internal static class OwnHosts
{
    public static void AddOwnHosts(this IServiceCollection services, GatewayOptions options)
    {
        string[] own = ["localhost", "127.0.0.1", "[::1]", InUri(options.Bind.ToString())];
        services.AddHostFiltering(filter =>
        {
            filter.AllowedHosts = IPAddress.IsLoopback(options.Bind) ? [.. own, .. options.PublicHost is { } host ? [InUri(host)] : Array.Empty<string>()] : ["*"];
            filter.IncludeFailureMessage = false; // it would be HTML
        });
    }

    /// <summary>RFC 3986 section 3.2.2: an IPv6 address stands in brackets.</summary>
    private static string InUri(string host) =>
        IPAddress.TryParse(host, out var address) && address.AddressFamily == AddressFamily.InterNetworkV6 ? $"[{address}]" : host;
}
