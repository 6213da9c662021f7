using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Orleans.Configuration;
using Orleans.Storage;
using StackExchange.Redis;

namespace Voice.Signaling.Gateway.Guilds;

/// <summary>A silo that shares guilds with other gateways: who is in the cluster, what grains store, and their reminders are in Redis.</summary>
internal static class ClusterSilo
{
    /// <summary>Between probes of a silo by another, and how long an answer may take. Three are missed before it is evicted, so
    /// that calls of a dead gateway's guilds go on being changed within some 3 s (Orleans' own choice is 5 s).</summary>
    private static readonly TimeSpan ProbePeriod = TimeSpan.FromSeconds(1);

    /// <summary>How often the table of members is read, for news that gossip lost.</summary>
    private static readonly TimeSpan TableRefresh = TimeSpan.FromSeconds(10);

    /// <summary>How often a silo writes there that it lives. Where all died at once, the first that comes back believes the others until some of
    /// these are missing.</summary>
    private static readonly TimeSpan SignOfLife = TimeSpan.FromSeconds(3);

    /// <summary>While silos come and go a message may get lost, of a grain or of the directory of grains: it is given up early enough for another
    /// attempt to be in time (<see cref="Patience"/>; Orleans' own choice is 30 s, which somebody who logs in waited).</summary>
    private static readonly TimeSpan ResponseTimeout = TimeSpan.FromSeconds(8);
    private static readonly TimeSpan SystemResponseTimeout = TimeSpan.FromSeconds(4);

    /// <exception cref="StartupException">The host has no address; when the host starts: Redis cannot be used.</exception>
    public static void AddClusterSilo(this IHostApplicationBuilder builder, GatewayCluster cluster, byte[] secrets)
    {
        var redis = new RedisConnection(cluster, secrets);
        var address = AddressOf(cluster.Host);
        builder.Services.AddSingleton(_ => redis); // made by the container, it is disposed of by it
        builder.Services.AddHostedService<RedisCheck>();
        builder.UseOrleans(silo =>
        {
            silo.Configure<ClusterOptions>(options => options.ClusterId = options.ServiceId = cluster.Id);
            silo.Configure<EndpointOptions>(options =>
            {
                options.AdvertisedIPAddress = address;
                options.SiloPort = cluster.Port > 0 ? cluster.Port : FreePorts.Take(address, 1)[0];
                options.GatewayPort = 0; // Orleans' own, for clients of the silo: there are none
            });
            silo.Configure<ClusterMembershipOptions>(options =>
            {
                options.ProbeTimeout = options.MinProbeTimeout = options.MaxProbeTimeout = ProbePeriod;
                options.TableRefreshTimeout = TableRefresh;
                options.IAmAliveTablePublishTimeout = SignOfLife;
            });
            silo.Configure<SiloMessagingOptions>(options =>
                (options.ResponseTimeout, options.SystemResponseTimeout) = (ResponseTimeout, SystemResponseTimeout));
            silo.UseRedisClustering(options => (options.ConfigurationOptions, options.CreateMultiplexer) = (redis.Settings, _ => Shared()));
            silo.UseRedisReminderService(options => (options.ConfigurationOptions, options.CreateMultiplexer) = (redis.Settings, _ => Shared()));
            silo.AddRedisGrainStorage(GuildServices.Storage, options =>
            {
                (options.ConfigurationOptions, options.CreateMultiplexer) = (redis.Settings, _ => Shared());
                options.GrainStorageSerializer = new JsonSerializerOfGrains();
            });
        });

        async Task<(IConnectionMultiplexer Redis, bool IsShared)> Shared() => (await redis.Open(), true);
    }

    private static IPAddress AddressOf(string host)
    {
        try
        {
            return IPAddress.TryParse(host, out var address)
                ? address
                : Dns.GetHostAddresses(host).OrderBy(one => one.AddressFamily).First();
        }
        catch (SocketException e)
        {
            throw new StartupException($"--silo-host {host} has no address ({e.Message}): pass the address at which the other gateways reach this one", e);
        }
    }

    /// <summary>Tells of a bad Redis before anything else starts.</summary>
    private sealed class RedisCheck(RedisConnection redis) : IHostedService
    {
        public Task StartAsync(CancellationToken cancellationToken) => redis.Open();

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }

    /// <summary>As <see cref="SqliteGrainStorage"/> writes them.</summary>
    private sealed class JsonSerializerOfGrains : IGrainStorageSerializer
    {
        public BinaryData Serialize<T>(T? input) => new(JsonSerializer.SerializeToUtf8Bytes(input));

        public T Deserialize<T>(BinaryData input) => JsonSerializer.Deserialize<T>(input.ToMemory().Span)!;
    }
}
