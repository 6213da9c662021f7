using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Voice.Signaling.Gateway.Rest;

/// <summary>Where the gateway is (protocol/gateway.md section 1).</summary>
internal static class Info
{
    private sealed record GatewayAnswer(string Url);

    private sealed record SessionStartLimit(int Total, int Remaining, int ResetAfter, int MaxConcurrency);

    private sealed record GatewayBotAnswer(string Url, int Shards, SessionStartLimit SessionStartLimit);

    /// <param name="Endpoint">host:port of one of its nodes: a heartbeat to the voice WebSocket there is answered before Identify.</param>
    /// <param name="Echo">address:port of that node's media, which answers IP discovery; null: none is known.</param>
    private sealed record VoiceRegion(string Id, string Name, bool Optimal, bool Deprecated, bool Custom, string Endpoint, string? Echo);

    /// <summary>The WebSocket's address as this client reaches us: over TLS if it came over TLS.</summary>
    public static string GatewayUrl(HttpRequest request) => $"{(request.IsHttps ? "wss" : "ws")}://{request.Host}";

    public static void MapInfo(this RouteGroupBuilder api)
    {
        api.MapGet("/gateway", (HttpRequest request) => new GatewayAnswer(GatewayUrl(request)))
            .WithSummary("Address of the main gateway's WebSocket");
        api.MapGet("/gateway/bot", (HttpRequest request) => new GatewayBotAnswer(GatewayUrl(request), 1, new SessionStartLimit(1000, 1000, 0, 16)))
            .RequireAuthorization()
            .RequireRateLimiting(AccountLimits.Requests)
            .WithSummary("Address of the main gateway's WebSocket, and how many sessions a bot may start");
        api.MapGet("/voice/regions", Regions)
            .RequireAuthorization()
            .RequireRateLimiting(AccountLimits.Requests)
            .WithSummary("The regions that have a voice node, and where to measure how far each is");
    }

    private static async Task<VoiceRegion[]> Regions(Grains grains)
    {
        var nodes = await grains.Nodes();
        return [.. nodes.GroupBy(node => node.Region).OrderBy(region => region.Key, StringComparer.Ordinal).Select(region =>
        {
            // Any: they are near each other, and so the measuring is spread over them.
            var usable = region.Where(node => node.Usable).ToArray();
            var one = Random.Shared.GetItems(usable.Length > 0 ? usable : [.. region], 1)[0];
            return new VoiceRegion(region.Key, region.Key, false, false, false, one.Endpoint, one.Echo.Length > 0 ? one.Echo : null);
        })];
    }
}
