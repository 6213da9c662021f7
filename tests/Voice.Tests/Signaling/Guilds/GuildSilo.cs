using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Orleans.Storage;
using Voice.Protocol;
using Voice.Protocol.Gateway;
using Voice.Protocol.Links;
using Voice.Signaling.Gateway;
using Voice.Signaling.Gateway.Guilds;
using Voice.VoiceAllocator;
using Xunit;

namespace Voice.Tests.Signaling.Guilds;

/// <summary>A whole gateway silo in this process, on a data folder of its own.</summary>
public sealed class GuildSilo : IAsyncLifetime
{
    private readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("voice-silo-");
    private IHost host = null!;

    public IGrainFactory Grains => host.Services.GetRequiredService<IGrainFactory>();

    public IServiceProvider Services => host.Services;

    /// <summary>From now on nothing can be written.</summary>
    public bool StorageFails { get; set; }

    public IAllocatorGrain Allocator => Grains.GetGrain<IAllocatorGrain>(0);

    public IGuildGrain Guild(ulong id) => Grains.GetGrain<IGuildGrain>((long)id);

    public async ValueTask InitializeAsync() => await Start();

    /// <summary>Ends the silo and starts another one on the same folder.</summary>
    public async Task Restart()
    {
        await Stop();
        await Start();
    }

    public async ValueTask DisposeAsync()
    {
        await Stop();
        folder.Delete(recursive: true);
    }

    private async Task Start()
    {
        var builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings());
        builder.Logging.AddProvider(new TestLog());
        builder.AddGuilds(new GatewayOptions { DataDirectory = folder.FullName });
        builder.Services.AddKeyedSingleton<IGrainStorage>(
            GuildServices.Storage, (services, _) => new FaultyStorage(this, new SqliteGrainStorage(services.GetRequiredService<SqliteFile>())));
        host = builder.Build();
        await host.StartAsync();
    }

    private async Task Stop()
    {
        await host.StopAsync();
        host.Dispose();
    }

    private sealed class FaultyStorage(GuildSilo silo, IGrainStorage storage) : IGrainStorage
    {
        public Task ReadStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState) => storage.ReadStateAsync(stateName, grainId, grainState);

        public Task WriteStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState) =>
            silo.StorageFails ? Task.FromException(new IOException("disk full")) : storage.WriteStateAsync(stateName, grainId, grainState);

        public Task ClearStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState) => storage.ClearStateAsync(stateName, grainId, grainState);
    }

    private sealed class TestLog : ILoggerProvider, ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public ILogger CreateLogger(string categoryName) => this;

        public void Dispose()
        {
        }

        public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Warning;

        public void Log<TState>(LogLevel level, EventId id, TState state, Exception? e, Func<TState, Exception?, string> text) =>
            TestContext.Current.SendDiagnosticMessage("{0} {1} {2}", level, text(state, e), e);
    }
}

/// <summary>A voice node's link as the silo sees it, with a node behind it that remembers, and answers like a real one.</summary>
public sealed class FakeNode : INodeLink, IDisposable
{
    private const string Observer = "observer";

    private readonly GuildSilo silo;
    private readonly NodeIdentity identity;
    private readonly INodeLink reference;
    private readonly Timer reports;
    private readonly Timer votes;
    private readonly Watch<GuildUpdate> pushes = new();
    private readonly Watch<GuildDrop> drops = new();

    private FakeNode(GuildSilo silo, string id, string region)
    {
        this.silo = silo;
        identity = new NodeIdentity(id, Guid.NewGuid().ToString("N"), region, $"{id}.example:2048");
        reference = silo.Grains.CreateObjectReference<INodeLink>(this);
        votes = new Timer(_ => _ = Vote([new NodeVote(id, NodeHealth.Dead)]), null, Timeout.Infinite, Timeout.Infinite);
        reports = new Timer(_ => _ = Report(), null, Timeout.Infinite, Timeout.Infinite);
    }

    public string Endpoint => identity.Endpoint;

    public Watch<GuildUpdate> Pushes => pushes;

    public Watch<GuildDrop> Drops => drops;

    public bool Answers { get; set; } = true;

    /// <summary>Users who have a voice session here.</summary>
    public ulong[] Connected { get; set; } = [];

    public static async Task<FakeNode> Start(GuildSilo silo, string id = "node-1", string region = "local")
    {
        var node = new FakeNode(silo, id, region);
        Assert.True(await silo.Allocator.Register(node.identity, "link", Observer, node.reference));
        await node.Report();
        node.reports.Change(1000, 1000);
        return node;
    }

    /// <summary>A timer may ask for it when the silo is gone: then nobody sees that it fails.</summary>
    public async Task Report(params HostedGuild[] hosted) =>
        await silo.Allocator.Report(identity.Id, identity.Incarnation, "link", new NodeReport(0, 0, 0, 0, 0, true, hosted));

    public async Task Die()
    {
        reports.Dispose();
        await silo.Allocator.LinkLost(identity.Id, identity.Incarnation, "link");
        votes.Change(0, 500);
    }

    public async Task Push(GuildUpdate update)
    {
        pushes.Add(update);
        if (!Answers) return;
        await silo.Grains.GetGrain<IHostedGuild>((long)update.Guild)
            .Acknowledged(new GuildAck(update.Guild, update.Slot, update.Epoch, update.Revision, false, update.Whole ? Connected : null));
    }

    public Task Drop(GuildDrop drop)
    {
        drops.Add(drop);
        return Task.CompletedTask;
    }

    public Task Ping() => Task.CompletedTask;

    public void Dispose()
    {
        reports.Dispose();
        votes.Dispose();
        _ = Vote([]);
    }

    /// <inheritdoc cref="Report"/>
    private async Task Vote(NodeVote[] said) => await silo.Allocator.Vote(new VoteSheet($"{Observer} of {identity.Id}", Whole: true, said));
}

/// <summary>A gateway process: hears a guild's events.</summary>
public sealed class FakeGateway : IGuildObserver
{
    private readonly IGuildObserver reference;

    private FakeGateway(GuildSilo silo) => reference = silo.Grains.CreateObjectReference<IGuildObserver>(this);

    public Watch<GuildEvent> Events { get; } = new();

    public static async Task<FakeGateway> Start(GuildSilo silo, ulong guild)
    {
        var gateway = new FakeGateway(silo);
        await silo.Guild(guild).Subscribe(gateway.reference);
        return gateway;
    }

    public void OnEvents(Snowflake guild, GuildEvent[] events)
    {
        foreach (var one in events) Events.Add(one);
    }

    public async Task<VoiceServerUpdate> ServerUpdate(string session, Func<VoiceServerUpdate, bool> wanted)
    {
        var found = await Events.When(one => one.OnlySession == session && one.Type == "VOICE_SERVER_UPDATE" && wanted(Read(one)));
        return Read(found);
    }

    public static VoiceServerUpdate Read(GuildEvent one) => JsonSerializer.Deserialize(one.Data, GatewayJson.Default.VoiceServerUpdate)!;

    public static VoiceState State(GuildEvent one) => JsonSerializer.Deserialize(one.Data, GatewayJson.Default.VoiceState)!;
}

/// <summary>What happened, in order; one can wait for something to happen.</summary>
public sealed class Watch<T>
{
    private readonly List<T> seen = [];
    private TaskCompletionSource changed = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public T[] All
    {
        get
        {
            lock (seen) return [.. seen];
        }
    }

    public void Add(T one)
    {
        lock (seen)
        {
            seen.Add(one);
            changed.TrySetResult();
            changed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        }
    }

    public Task<T> When(Func<T, bool> wanted) => Until(all => all.FirstOrDefault(wanted))!;

    /// <summary>Waits until <paramref name="wanted"/> finds something; a minute is the end of hope, not a measurement.</summary>
    public async Task<TFound> Until<TFound>(Func<T[], TFound?> wanted)
    {
        using var hope = new CancellationTokenSource(TimeSpan.FromMinutes(1));
        while (true)
        {
            Task next;
            T[] all;
            lock (seen)
            {
                all = [.. seen];
                next = changed.Task;
            }

            if (wanted(all) is { } found && !Equals(found, default(TFound))) return found;
            await next.WaitAsync(hope.Token);
        }
    }
}
