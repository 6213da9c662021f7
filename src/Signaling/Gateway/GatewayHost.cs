using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Voice.Signaling.Gateway.Guilds;
using Voice.Signaling.Hosting;

namespace Voice.Signaling.Gateway;

/// <summary>A running gateway: the silo, the link port for voice nodes, and one public TCP port for the main gateway's WebSocket,
/// REST and the page. Signals are the caller's: nothing here reacts to SIGTERM or Ctrl-C.</summary>
public sealed class GatewayHost : IAsyncDisposable
{
    private static readonly TimeSpan StopTimeout = TimeSpan.FromSeconds(5);

    private readonly WebApplication _app;
    private readonly X509Certificate2 _certificate;
    private readonly TaskCompletionSource _completion = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private GatewayHost(WebApplication app, X509Certificate2 certificate, GatewayOptions options)
    {
        (_app, _certificate) = (app, certificate);
        var bound = app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First();
        Port = new Uri(bound).Port;
        Page = PageOf(options, Port);
        app.Lifetime.ApplicationStopped.Register(() => _completion.TrySetResult());
    }

    /// <summary>The public port that was bound.</summary>
    public int Port { get; }

    /// <summary>Where people open the page: https beyond loopback, since browsers give no microphone without.</summary>
    public Uri Page { get; }

    /// <summary>Ends when the gateway has stopped, for whatever reason.</summary>
    public Task Completion => _completion.Task;

    /// <summary>Starts everything; when it returns, clients are served.</summary>
    /// <exception cref="StartupException">A port is taken, the data folder can not be used, a key file is bad.</exception>
    public static Task<GatewayHost> StartAsync(GatewayOptions options, CancellationToken cancellation = default) =>
        StartAsync(
            options,
            builder => builder.AddGuilds(options).Services.AddSingleton(s => Grains.Of(s.GetRequiredService<IGrainFactory>())),
            cancellation);

    /// <param name="addGrains">Registers <see cref="Grains"/>.</param>
    internal static async Task<GatewayHost> StartAsync(GatewayOptions options, Action<WebApplicationBuilder> addGrains, CancellationToken cancellation)
    {
        var certificate = options.CertificateFile is { } file
            ? ServerCertificates.Load(file, options.CertificateKeyFile)
            : ServerCertificates.OpenOrCreate(options.DataDirectory, "gateway", CertificateNames(options), DateTimeOffset.UtcNow);
        WebApplication? app = null;
        try
        {
            app = Build(options, certificate, addGrains);
            await app.StartAsync(cancellation);
            return new GatewayHost(app, certificate, options);
        }
        catch (Exception e)
        {
            if (app is not null) await app.DisposeAsync();
            certificate.Dispose();
            if (Refusal(e, options) is { } refusal) throw refusal;
            throw;
        }
    }

    private static WebApplication Build(GatewayOptions options, X509Certificate2 certificate, Action<WebApplicationBuilder> addGrains)
    {
        // The empty builder reads no settings files and no environment: what a gateway is told is in its options.
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions { ContentRootPath = AppContext.BaseDirectory });
        builder.Logging.AddSimpleConsole(o => o.SingleLine = true).SetMinimumLevel(LogLevel.Warning);

        // A failed start is told by exception; the host would print it once more.
        builder.Logging.AddFilter("Microsoft.Extensions.Hosting.Internal.Host", LogLevel.Critical);
        builder.Services.AddSingleton<IHostLifetime, CallersLifetime>();
        builder.Services.Configure<HostOptions>(o => o.ShutdownTimeout = StopTimeout);
        builder.WebHost.UseKestrelCore().UseKestrelHttpsConfiguration().ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxRequestBodySize = GatewayServices.MaxRequestBytes;
            kestrel.Listen(options.Bind, options.Port, listen => listen.UseHttpAndHttps(certificate));
        });

        addGrains(builder);
        builder.Services.AddGateway(options);
        var app = builder.Build();
        app.MapGateway();
        return app;
    }

    public async Task StopAsync(CancellationToken cancellation = default) => await _app.StopAsync(cancellation);

    public async ValueTask DisposeAsync()
    {
        await _app.StopAsync();
        await _app.DisposeAsync();
        _certificate.Dispose();
    }

    private static StartupException? Refusal(Exception e, GatewayOptions options)
    {
        for (var cause = e; cause is not null; cause = cause.InnerException)
        {
            if (cause is StartupException known) return known;
            if (cause is not SocketException socket) continue;
            var (where, what) = ($"port {options.Port} on {options.Bind}", socket.SocketErrorCode);
            return new StartupException(
                what switch
                {
                    SocketError.AddressAlreadyInUse => $"{where} is in use: stop the other program or pass --port",
                    SocketError.AccessDenied => $"{where} may not be opened by this user: pass --port with a number above 1023",
                    SocketError.AddressNotAvailable => $"{options.Bind} is not an address of this machine: pass --bind with one that is",
                    _ => $"{where} cannot be opened ({socket.Message}): pass another --port or --bind",
                },
                e);
        }

        return null;
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
