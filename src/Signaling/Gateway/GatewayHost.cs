using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Voice.Signaling.Gateway.Allocation;
using Voice.Signaling.Gateway.Guilds;
using Voice.Signaling.Hosting;

namespace Voice.Signaling.Gateway;

/// <summary>A running gateway: the silo, the link port for voice nodes, and one public TCP port for the main gateway's WebSocket,
/// REST and the page. Signals are the caller's: nothing here reacts to SIGTERM or Ctrl-C.</summary>
public sealed class GatewayHost : IAsyncDisposable
{
    private static readonly TimeSpan StopTimeout = TimeSpan.FromSeconds(5);

    private readonly WebApplication _app;
    private readonly X509Certificate2Collection _certificate;
    private readonly TaskCompletionSource _completion = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private GatewayHost(WebApplication app, X509Certificate2Collection certificate, GatewayOptions options, int port, int linkPort)
    {
        (_app, _certificate, Port, LinkPort) = (app, certificate, port, linkPort);
        Page = PageOf(options, port);
        app.Lifetime.ApplicationStopped.Register(() => _completion.TrySetResult());
    }

    /// <summary>The public port that was bound.</summary>
    public int Port { get; }

    /// <summary>The port that voice nodes dial.</summary>
    public int LinkPort { get; }

    /// <summary>Where people open the page: https beyond loopback, since browsers give no microphone without.</summary>
    public Uri Page { get; }

    /// <summary>Ends when the gateway has stopped, for whatever reason.</summary>
    public Task Completion => _completion.Task;

    /// <summary>Starts everything; when it returns, clients are served.</summary>
    /// <exception cref="StartupException">A port is taken, the data folder can not be used, a key file is bad.</exception>
    public static Task<GatewayHost> StartAsync(GatewayOptions options, CancellationToken cancellation = default) =>
        StartAsync(options, grains: null, TimeProvider.System, cancellation);

    /// <param name="grains">Guilds from elsewhere, for a test; then there is no silo, and nothing that needs one.</param>
    internal static async Task<GatewayHost> StartAsync(GatewayOptions options, Grains? grains, TimeProvider time, CancellationToken cancellation)
    {
        var certificate = options.CertificateFile is { } file
            ? ServerCertificates.Load(file, options.CertificateKeyFile)
            : ServerCertificates.OpenOrCreate(options.DataDirectory, "gateway", CertificateNames(options), DateTimeOffset.UtcNow);
        WebApplication? app = null;
        try
        {
            // The empty builder reads no settings files and no environment: what a gateway is told is in its options.
            var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions { ContentRootPath = AppContext.BaseDirectory });
            builder.Logging.AddSimpleConsole(o => o.SingleLine = true).SetMinimumLevel(LogLevel.Warning);

            // A failed start is told by exception; the host would print it once more.
            builder.Logging.AddFilter("Microsoft.Extensions.Hosting.Internal.Host", LogLevel.Critical);
            builder.Services.AddSingleton(time);
            builder.Services.AddSingleton<IHostLifetime, CallersLifetime>();
            builder.Services.Configure<HostOptions>(o => o.ShutdownTimeout = StopTimeout);
            if (grains is null) builder.AddGuilds(options).Services.AddSingleton(s => Grains.Of(s.GetRequiredService<IGrainFactory>(), s.GetRequiredService<GatewayProcesses>()));
            else builder.Services.AddSingleton(grains);
            builder.Services.AddGateway(options);
            if (grains is null) builder.Services.AddHostedService<ClusterWatch>();

            ListenOptions? clients = null, nodes = null;
            builder.WebHost.UseKestrelCore().UseKestrelHttpsConfiguration().ConfigureKestrel(kestrel =>
            {
                kestrel.AddServerHeader = false;
                kestrel.Limits.MaxRequestBodySize = GatewayServices.MaxRequestBytes;
                kestrel.Limits.MaxConcurrentConnections = GatewayServices.MaxConnections;
                kestrel.Limits.MaxConcurrentUpgradedConnections = GatewayServices.MaxWebSockets;
                kestrel.Listen(options.Bind, options.Port, listen => clients = listen.UseHttpAndHttps(certificate));
                if (grains is not null) return;
                kestrel.Listen(
                    options.LinkBind ?? options.Bind,
                    options.LinkPort,
                    listen => (nodes = listen).UseHttps(certificate).UseConnectionHandler<NodeLinkHandler>());
            });

            app = builder.Build();
            app.MapGateway();
            if (grains is null) app.MapAllocatorApi();
            await app.StartAsync(cancellation);
            return new GatewayHost(app, certificate, options, clients!.IPEndPoint!.Port, nodes?.IPEndPoint?.Port ?? 0);
        }
        catch (Exception e)
        {
            if (app is not null) await app.DisposeAsync();
            certificate[0].Dispose();
            if (Refusal(e, options) is { } refusal) throw refusal;
            throw;
        }
    }

    public async Task StopAsync(CancellationToken cancellation = default) => await _app.StopAsync(cancellation);

    public async ValueTask DisposeAsync()
    {
        await _app.StopAsync();
        await _app.DisposeAsync();
        _certificate[0].Dispose();
    }

    private static StartupException? Refusal(Exception e, GatewayOptions options)
    {
        var isLink = e.Message.Contains($":{options.LinkPort}:", StringComparison.Ordinal); // Kestrel names the address it could not bind
        var (bind, port, option) = isLink ? (options.LinkBind ?? options.Bind, options.LinkPort, "--link-port") : (options.Bind, options.Port, "--port");
        for (var cause = e; cause is not null; cause = cause.InnerException)
        {
            if (cause is StartupException known) return known;

            // Kestrel's own comes wrapped and is told below; this is the silo's.
            if (e is AddressInUseException) return new StartupException("a loopback port that the silo had chosen was taken meanwhile: start again", e);
            if (cause is SocketException socket) return new StartupException(Line(socket), e);
        }

        return null;

        string Line(SocketException socket) => socket.SocketErrorCode switch
        {
            SocketError.AddressAlreadyInUse => $"port {port} on {bind} is in use: stop the other program or pass {option}",
            SocketError.AccessDenied => $"port {port} on {bind} may not be opened by this user: pass {option} with a number above 1023",
            SocketError.AddressNotAvailable => $"{bind} is not an address of this machine: pass --bind with one that is",
            _ => $"port {port} on {bind} cannot be opened ({socket.Message}): pass another {option} or --bind",
        };
    }

    private static Uri PageOf(GatewayOptions options, int port)
    {
        var loopback = IPAddress.IsLoopback(options.Bind);
        var host = options.PublicHost ?? (IsAny(options.Bind) ? Dns.GetHostName() : options.Bind.ToString());
        return new UriBuilder(loopback ? Uri.UriSchemeHttp : Uri.UriSchemeHttps, host, port).Uri;
    }

    private static string[] CertificateNames(GatewayOptions options)
    {
        var names = new List<string> { "localhost", "127.0.0.1", "::1", Dns.GetHostName() };
        if (options.PublicHost is { } host) names.Insert(0, host);
        if (IsAny(options.Bind)) names.AddRange(OwnAddresses().Select(a => a.ToString()));
        else names.Add(options.Bind.ToString());
        return [.. names.Distinct()];
    }

    private static IEnumerable<IPAddress> OwnAddresses() =>
        System.Net.NetworkInformation.NetworkInterface.GetAllNetworkInterfaces()
            .SelectMany(i => i.GetIPProperties().UnicastAddresses)
            .Select(a => a.Address)
            .Where(a => !a.IsIPv6LinkLocal);

    private static bool IsAny(IPAddress address) => address.Equals(IPAddress.Any) || address.Equals(IPAddress.IPv6Any);

    private sealed class CallersLifetime : IHostLifetime
    {
        public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}
