using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Voice.Protocol.Gateway;
using Voice.Signaling.Gateway.Rest;

namespace Voice.Signaling.Gateway;

/// <summary>What a gateway consists of behind its public port.</summary>
internal static class GatewayServices
{
    public const long MaxRequestBytes = 64 * 1024;

    /// <summary>HTTP connections at a time; a WebSocket does not count any more.</summary>
    public const int MaxConnections = 8192;

    public const int MaxWebSockets = 32_768;

    public static void AddGateway(this IServiceCollection services, GatewayOptions options)
    {
        services.AddSingleton(options);
        services.AddSingleton(AccountTokens.Open(options.DataDirectory, options.TokenKey));
        services.AddSingleton<Accounts>();
        services.AddSingleton<GatewaySessions>();
        services.AddSingleton<Anteroom>();
        services.AddHostedService<DefaultGuild>();
        services.AddHostedService<SessionUpkeep>();

        services.AddOwnHosts(options);
        services.AddRouting();
        services.AddOpenApi();
        services.AddAccountAuthentication();
        services.AddRateLimiter(AccountLimits.Add);
        services.AddRateLimiter(GuestLogin.LimitRate);
        services.ConfigureHttpJsonOptions(json =>
        {
            json.SerializerOptions.PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower;
            json.SerializerOptions.TypeInfoResolverChain.Insert(0, GatewayJson.Default);
        });
    }

    public static void MapGateway(this WebApplication app)
    {
        app.UseWebSockets();
        app.UseStatusCodePages(RestError.Write);
        app.UseHostFiltering();
        app.Use(ServeGateway);
        app.Use(PlainJson.Answer);
        app.Use(ApiVersion.Route);
        app.UseRouting();
        app.UseAuthentication();
        app.UseAuthorization();
        app.UseRateLimiter();

        app.MapGet("/healthz", Health.Check).ExcludeFromDescription();
        app.MapOpenApi("/openapi/v1.json");
        app.MapPage();
        var api = app.MapGroup(ApiVersion.Newest);
        api.MapGuestLogin();
        api.MapInfo();
        var authorized = api.MapGroup("").RequireAuthorization().RequireRateLimiting(AccountLimits.Requests);
        authorized.MapUsers();
        authorized.MapGuilds();
        authorized.MapChannels();
        authorized.MapModeration();
        authorized.MapPrivateChannels();
    }

    /// <summary>A WebSocket on the path of the page is the main gateway (protocol/gateway.md section 1).</summary>
    private static async Task ServeGateway(HttpContext context, RequestDelegate next)
    {
        if (!context.WebSockets.IsWebSocketRequest || context.Request.Path != "/")
        {
            await next(context);
            return;
        }

        if (context.Request.Query["encoding"] is [{ } encoding, ..] && encoding != "json")
        {
            await RestError.BadRequest("Only encoding=json is spoken here").ExecuteAsync(context);
            return;
        }

        var compress = context.Request.Query["compress"].FirstOrDefault();
        if (compress is not (null or "" or "zlib-stream"))
        {
            await RestError.BadRequest("Only compress=zlib-stream is spoken here").ExecuteAsync(context);
            return;
        }

        var services = context.RequestServices;
        using var place = services.GetRequiredService<Anteroom>().Enter(context.Connection.RemoteIpAddress);
        if (place is null)
        {
            await RestError.TooManyConnections.ExecuteAsync(context);
            return;
        }

        var stopping = services.GetRequiredService<IHostApplicationLifetime>().ApplicationStopping;
        using var socket = await context.WebSockets.AcceptWebSocketAsync();
        using var compression = compress is "zlib-stream" ? new ZlibStream() : null;
        await new GatewaySocket(
            socket,
            context.Request.Query["v"].FirstOrDefault(),
            compression,
            Info.GatewayUrl(context.Request),
            place,
            services.GetRequiredService<Accounts>(),
            services.GetRequiredService<GatewaySessions>(),
            services.GetRequiredService<ILogger<GatewaySocket>>()).Run(stopping);
    }

    private sealed class SessionUpkeep(GatewaySessions sessions) : BackgroundService
    {
        protected override Task ExecuteAsync(CancellationToken stoppingToken) => sessions.Run(stoppingToken);
    }
}
