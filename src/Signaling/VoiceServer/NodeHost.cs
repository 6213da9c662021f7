using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Voice.Protocol.Dtls;
using Voice.Protocol.Links;
using Voice.Signaling.Hosting;

namespace Voice.Signaling.VoiceServer;

/// <summary>A running voice node: the voice WebSocket, the UDP ports, the media process, the links to the gateways. Signals are
/// the caller's: nothing here reacts to SIGTERM or Ctrl-C.</summary>
public sealed class NodeHost : IAsyncDisposable
{
    private static readonly TimeSpan MediaStartTimeout = TimeSpan.FromSeconds(20);
    private static readonly TimeSpan StopTimeout = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan GoodbyeTimeout = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan ReportInterval = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan DrainLook = TimeSpan.FromSeconds(0.25);

    /// <summary>On the control socket: see <see cref="NodeControl"/>.</summary>
    public const string ReloadRequest = "reload";

    private readonly NodeOptions options;
    private readonly DnsEndPoint[] gateways;
    private readonly byte[] secret;
    private readonly MediaAddresses addresses;
    private readonly MediaSockets sockets;
    private readonly MediaMemory memory;
    private readonly X509Certificate2Collection certificate;
    private readonly WebApplication app;
    private readonly ILogger log;
    private readonly NodeMailbox mailbox;
    private readonly MediaSupervisor media;
    private readonly NodeMetrics metrics = new();
    private readonly FloodWatch flood;
    private readonly VoiceEndpoint voice;
    private readonly TimeProvider time = TimeProvider.System;
    private readonly CancellationTokenSource stopping = new();
    private readonly List<Task> running = [];
    private volatile bool isStopping;
    private NodeLinks? links;
    private NodeControl? control;
    private MediaReport? lastMedia;
    private Task? stopped;

    private NodeHost(NodeOptions options)
    {
        this.options = options;
        if (!IsName(options.NodeId)) throw new StartupException($"node id \"{options.NodeId}\" must be 1 to 64 characters of a-z, 0-9 and -");
        if (!IsName(options.Region)) throw new StartupException($"region \"{options.Region}\" must be 1 to 64 characters of a-z, 0-9 and -");
        gateways = [.. options.Gateways.Select(ParseGateway)];
        secret = ClusterSecret.Open(options.DataDirectory, options.ClusterSecret);
        addresses = MediaAddresses.Of(options, MediaAddresses.FirstLocal);
        certificate = options.CertificateFile is { } file
            ? ServerCertificates.Load(file, options.CertificateKeyFile)
            : ServerCertificates.OpenOrCreate(options.DataDirectory, "node", CertificateNames(), time.GetUtcNow());
        sockets = MediaSockets.Open(addresses, options.MediaPort, options.Workers);
        memory = MediaMemory.Create(options.Workers);

        flood = new FloodWatch(options.FloodPackets);

        app = BuildApp();
        log = app.Services.GetRequiredService<ILoggerFactory>().CreateLogger("Voice.Node");
        var outbox = new Outbox();
        var core = new NodeCore(Identity(), new Numbers(Numbers.FillSecurely), outbox);
        mailbox = new NodeMailbox(core, outbox, Deliver, time, log);
        media = new MediaSupervisor(
            options.MediaCommand, sockets, memory, MediaHappenedAsync, () => mailbox.PostAsync((core, _) => core.MediaWaits()), log, time);
        voice = new VoiceEndpoint(mailbox, () => media.IsReady, time, stopping.Token);
        app.UseWebSockets(new WebSocketOptions { KeepAliveInterval = Timeout.InfiniteTimeSpan }); // the protocol has heartbeats of its own
        app.MapWhen(context => context.Features.Get<MetricsConnection>() is not null, scraped => scraped.Run(metrics.ServeAsync));
        app.Run(voice.ServeAsync);
    }

    public string NodeId => options.NodeId;

    /// <summary>host:port of the voice WebSocket, as clients are told.</summary>
    public string Endpoint { get; private set; } = "";

    /// <summary>Where Prometheus reads; null if nowhere.</summary>
    public string? MetricsEndpoint { get; private set; }

    /// <summary>Completes when the node has stopped; faulted if it stopped by itself.</summary>
    public Task Completion { get; private set; } = Task.CompletedTask;

    /// <summary>Starts everything; when it returns, the media process is ready and clients are served. Gateways are dialled from
    /// then on, for as long as it takes.</summary>
    /// <exception cref="StartupException">A port is taken, the data folder cannot be used, the media process does not start.</exception>
    public static async Task<NodeHost> StartAsync(NodeOptions options, CancellationToken cancel = default)
    {
        var host = new NodeHost(options);
        try
        {
            await host.StartAsync(cancel);
            return host;
        }
        catch
        {
            await host.DisposeAsync();
            throw;
        }
    }

    /// <summary>Asks the gateways to take the node's guilds away, and serves on until they are gone, or for as long as <paramref name="patience"/> lasts.</summary>
    public async Task DrainAsync(TimeSpan patience)
    {
        isStopping = true; // the next report says so
        using var over = new CancellationTokenSource(patience, time);
        using var timer = new PeriodicTimer(DrainLook, time);
        try
        {
            while (await GuildsAsync().WaitAsync(over.Token) > 0) await timer.WaitForNextTickAsync(over.Token);
        }
        catch (OperationCanceledException)
        {
            // Whoever is still here joins again elsewhere.
        }
    }

    /// <summary>Tells the clients (4015), and ends the sockets, the links and the media process.</summary>
    public Task StopAsync() => stopped ??= StopOnceAsync();

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        await app.DisposeAsync();
        sockets.Dispose();
        memory.Dispose();
        certificate[0].Dispose();
    }

    private async Task StartAsync(CancellationToken cancel)
    {
        Run(mailbox.RunAsync(stopping.Token));
        Run(media.RunAsync(stopping.Token));
        await MediaStartedAsync(cancel);
        try
        {
            await app.StartAsync(cancel);
        }
        catch (IOException e) when (e.InnerException is AddressInUseException)
        {
            throw new StartupException($"TCP port {options.Port} on {options.Bind} is taken: end what uses it or pass another --{options.PortOption}", e);
        }
        catch (Exception e) when (e is IOException or SocketException)
        {
            throw new StartupException($"TCP port {options.Port} on {options.Bind} cannot be opened ({e.Message}): pass another --bind or --{options.PortOption}", e);
        }

        var bound = app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.ToArray();
        Endpoint = HostAndPort(options.PublicHost ?? (addresses.V4 ?? addresses.V6)!.Announce.ToString(), new Uri(bound[0]).Port);
        if (options.MetricsPort is not null) MetricsEndpoint = $"http://{new Uri(bound[1]).Authority}/metrics";
        var profile = new NodeProfile(NodeId, RandomNumberGenerator.GetHexString(16, lowercase: true), options.Region, Endpoint, secret, sockets.Announced[0][0].ToString());
        links = new NodeLinks(gateways, profile, FromGatewayAsync, log, time);
        Run(links.RunAsync(stopping.Token));
        Run(ReportAsync(stopping.Token));
        control = NodeControl.TryOpen(options.DataDirectory, NodeId, log);
        if (control is not null) Run(control.RunAsync(AnswerAsync, stopping.Token));
        Completion = CompleteAsync();
    }

    private void Run(Task part) => running.Add(part);

    private async Task MediaStartedAsync(CancellationToken cancel)
    {
        try
        {
            await (await Task.WhenAny([media.Ready, .. running]).WaitAsync(MediaStartTimeout, time, cancel));
        }
        catch (TimeoutException e)
        {
            throw new StartupException($"the media process ({string.Join(' ', options.MediaCommand)}) did not become ready within {MediaStartTimeout.TotalSeconds} s", e);
        }
    }

    /// <summary>The first part that ends, ends the node.</summary>
    private async Task CompleteAsync()
    {
        var first = await Task.WhenAny(running);
        await StopAsync();
        if (first.IsFaulted) await first;
    }

    private async Task StopOnceAsync()
    {
        await mailbox.PostAsync((core, _) => core.Stop());
        control?.Dispose();
        await voice.Emptied().WaitAsync(GoodbyeTimeout, time).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await stopping.CancelAsync();
        await app.StopAsync();
        await Task.WhenAll(running).ContinueWith(_ => { }, TaskScheduler.Default); // what failed is reported by Completion
    }

    private async Task ReportAsync(CancellationToken cancel)
    {
        var load = new NodeLoad(Environment.ProcessorCount, options.MaxSessions);
        using var timer = new PeriodicTimer(ReportInterval, time);
        do
        {
            await mailbox.PostAsync((core, now) =>
            {
                var report = load.Report(now, Environment.CpuUsage.TotalTime, Volatile.Read(ref lastMedia), core);
                if (flood.IsFlooded) report = report with { Drain = NodeDrain.Flooded };
                if (media.IsCrashLooping) report = report with { Drain = NodeDrain.CrashLoop };
                if (isStopping) report = report with { Drain = NodeDrain.Stopping };
                metrics.TakeLoad(report);
                links!.Report(report);
            });
        }
        while (await timer.WaitForNextTickAsync(cancel));
    }

    /// <summary>How many it serves now, those included that have moved and are still looked after.</summary>
    private async Task<int> GuildsAsync()
    {
        var count = new TaskCompletionSource<int>(TaskCreationOptions.RunContinuationsAsynchronously);
        await mailbox.PostAsync((core, _) => count.SetResult(core.Guilds));
        return await count.Task;
    }

    private ValueTask FromGatewayAsync(int link, GatewayLinkMessage message) => message switch
    {
        GuildUpdate update => mailbox.PostAsync((core, now) => core.Update(now, link, update)),
        GuildDrop drop => mailbox.PostAsync((core, now) => core.Drop(now, drop)),
        ProbeOpen probe => mailbox.PostAsync((core, now) => core.OpenProbe(now, link, probe.Id)),
        ProbeClose probe => mailbox.PostAsync((core, _) => core.CloseProbe(probe.Id)),
        _ => default,
    };

    private ValueTask MediaHappenedAsync(MediaEvent? happened)
    {
        if (happened is MediaReport report) Volatile.Write(ref lastMedia, report);
        metrics.Take(happened);
        return happened is null
            ? mailbox.PostAsync((core, now) => core.MediaLost(now))
            : mailbox.PostAsync((core, now) =>
            {
                if (happened is MediaReport measured) Watch(now, measured);
                core.Media(now, happened);
            });
    }

    private void Watch(TimeSpan now, MediaReport measured)
    {
        var turned = flood.Take(now, measured);
        metrics.TakeFlood(flood);
        if (!turned) return;
        if (flood.IsFlooded) log.LogWarning("strangers send {Rate:0} packets a second: asking to be drained", flood.PacketsPerSecond);
        else log.LogWarning("strangers have stopped: asking for guilds again");
    }

    private async Task<string> AnswerAsync(string request, CancellationToken cancel) => request switch
    {
        ReloadRequest => await media.ReloadAsync(cancel),
        _ => $"refused: a node can be asked to {ReloadRequest}",
    };

    private void Deliver(Output output)
    {
        switch (output)
        {
            case SendFrame(var socket, var frame): voice.Send(socket, frame); break;
            case CloseSocket(var socket, var code, var reason): voice.Close(socket, code, reason); break;
            case ToMedia(var command): media.Send(command); break;
            case ToGateway(var link, var message): links?.Send(link, message); break;
        }
    }

    private NodeIdentity Identity()
    {
        var tokens = new VoiceTokenKey(secret);
        return new NodeIdentity(
            options.NodeId,
            text => tokens.TryRead(text, time.GetUtcNow(), out var token) ? token : null,
            DtlsIdentity.Make(time.GetUtcNow()),
            sockets.Announced)
        {
            Region = options.Region,
            SrtpProfiles = options.SrtpProfiles,
            Modes = options.EncryptionModes,
            ChannelPeople = options.ChannelPeople,
            MaxSessions = options.MaxSessions,
            Loudest = options.Loudest,
        };
    }

    private WebApplication BuildApp()
    {
        // The empty builder reads no settings files and no environment: what a node is told is in its options.
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions { ContentRootPath = AppContext.BaseDirectory });
        builder.Logging.AddSimpleConsole(console => console.SingleLine = true).SetMinimumLevel(LogLevel.Warning)
            .AddFilter("Voice", LogLevel.Information)
            .AddFilter("Microsoft.Extensions.Hosting", LogLevel.None); // a start that fails is told by its exception
        builder.Services.Configure<HostOptions>(host => host.ShutdownTimeout = StopTimeout);
        builder.WebHost.UseKestrelCore().UseKestrelHttpsConfiguration().ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxConcurrentConnections = 2 * options.MaxSessions + 256;
            kestrel.Limits.MaxRequestBodySize = 0;
            kestrel.Listen(options.Bind, options.Port, listen => listen.UseHttpAndHttps(certificate));
            if (options.MetricsPort is { } port) kestrel.Listen(IPAddress.Loopback, port, listen => listen.Use(Scraped));
        });
        return builder.Build();
    }

    private static ConnectionDelegate Scraped(ConnectionDelegate next) => connection =>
    {
        connection.Features.Set(new MetricsConnection());
        return next(connection);
    };

    private string[] CertificateNames()
    {
        var known = new[] { addresses.V4, addresses.V6 }.OfType<MediaAddress>().Select(address => address.Announce.ToString());
        string[] local = ["localhost", IPAddress.Loopback.ToString(), IPAddress.IPv6Loopback.ToString()];
        return [.. new[] { options.PublicHost }.OfType<string>().Concat(known).Concat(local).Distinct()];
    }

    private static DnsEndPoint ParseGateway(string text)
    {
        var colon = text.LastIndexOf(':');
        return colon > 0 && ushort.TryParse(text[(colon + 1)..], NumberStyles.None, CultureInfo.InvariantCulture, out var port)
            ? new DnsEndPoint(text[..colon].Trim('[', ']'), port)
            : throw new StartupException($"gateway \"{text}\" must be host:port, the port that it has for voice nodes");
    }

    private static string HostAndPort(string host, int port) => host.Contains(':') ? $"[{host}]:{port}" : $"{host}:{port}";

    private static bool IsName(string text) =>
        text.Length is >= 1 and <= 64 && text.All(c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c == '-');

    /// <summary>Marks a connection that came in on the port for metrics.</summary>
    private sealed class MetricsConnection;
}
