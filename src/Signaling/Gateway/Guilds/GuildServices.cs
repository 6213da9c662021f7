using System.Net;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Orleans.Runtime.Hosting;
using Orleans.Serialization;
using Orleans.Serialization.Cloning;
using Voice.Signaling.Gateway.Allocation;
using Voice.Signaling.Gateway.Probing;
using Voice.VoiceAllocator;

namespace Voice.Signaling.Gateway.Guilds;

/// <summary>The silo: guilds, users and the allocator, with what they need.</summary>
public static class GuildServices
{
    /// <summary>Name of the grain storage.</summary>
    public const string Storage = "guilds";

    /// <summary>Adds an Orleans silo that runs in this process, alone or as one of a cluster, and the node link's services.</summary>
    /// <exception cref="StartupException">A secret cannot be used; when the host starts: the database, or Redis, cannot.</exception>
    public static IHostApplicationBuilder AddGuilds(this IHostApplicationBuilder builder, GatewayOptions options)
    {
        var secret = ClusterSecret.Open(options.DataDirectory, options.ClusterSecret);

        // Its warnings are about server GC and thread start-up here, and say nothing to whoever runs this.
        builder.Logging.AddFilter("Orleans", LogLevel.Error).AddFilter("Microsoft.Orleans", LogLevel.Error)
            .AddFilter("Orleans.Messaging", LogLevel.Critical).AddFilter("Polly", LogLevel.None); // what they tell of is retried here
        builder.Services.TryAddSingleton(TimeProvider.System);
        builder.Services.AddSingleton(new VoiceTokenKey(secret));
        builder.Services.AddSingleton<GatewayProcesses>();
        builder.Services.AddMetrics();
        builder.Services.AddSingleton(services => ActivatorUtilities.CreateInstance<LinkAdmission>(services, secret, Guid.NewGuid().ToString("N")));
        builder.Services.AddSingleton(Neighbours.Of(options.Neighbours));
        builder.Services.AddSingleton<NodeProber>();
        builder.Services.AddHostedService(services => services.GetRequiredService<NodeProber>());
        builder.Services.AddSingleton<MediaProber>();
        builder.Services.AddHostedService(services => services.GetRequiredService<MediaProber>());
        builder.Services.AddSingleton<IGeneralizedCopier, ImmutableProtocol>();
        builder.Services.AddSerializer(serializer =>
            serializer.AddJsonSerializer(ImmutableProtocol.Contains, _ => false, json => { }));
        if (options.Cluster is { } cluster) builder.AddClusterSilo(cluster, RedisConnection.HashOf(AccountTokens.ReadKey(options.DataDirectory, options.TokenKey), secret));
        else builder.AddLoneSilo(Path.Combine(options.DataDirectory, "guilds.db"));
        return builder;
    }

    /// <summary>A silo that is reached from loopback only, with the guild database of the data folder.</summary>
    private static void AddLoneSilo(this IHostApplicationBuilder builder, string database)
    {
        var ports = FreePorts.Take(IPAddress.Loopback, 2);
        builder.Services.AddSingleton(_ => SqliteFile.Open(database));
        builder.Services.AddHostedService<DatabaseCheck>();
        builder.Services.AddGrainStorage(Storage, (services, _) => new SqliteGrainStorage(services.GetRequiredService<SqliteFile>()));
        builder.UseOrleans(silo => silo.UseLocalhostClustering(ports[0], ports[1]));
    }

    /// <summary>Opens the database before anything else starts, so that a bad one is the only thing that is told.</summary>
    private sealed class DatabaseCheck(SqliteFile database) : IHostedService
    {
        public Task StartAsync(CancellationToken cancellationToken) => database.Run(_ => true);

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}
