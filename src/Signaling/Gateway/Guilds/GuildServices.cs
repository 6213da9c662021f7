using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Orleans.Runtime.Hosting;
using Orleans.Serialization;
using Orleans.Serialization.Cloning;
using Voice.Signaling.Gateway.Allocation;

namespace Voice.Signaling.Gateway.Guilds;

/// <summary>The silo: guilds, users and the allocator, with what they need.</summary>
public static class GuildServices
{
    /// <summary>Name of the grain storage.</summary>
    public const string Storage = "guilds";

    /// <summary>Adds an Orleans silo that runs in this process and is reached from loopback only, with the guild
    /// database of the data folder, and the node link's services.</summary>
    /// <exception cref="StartupException">The cluster secret cannot be used; when the host starts: the database cannot.</exception>
    public static IHostApplicationBuilder AddGuilds(this IHostApplicationBuilder builder, GatewayOptions options)
    {
        var secret = ClusterSecret.Open(options.DataDirectory, options.ClusterSecret);
        var database = Path.Combine(options.DataDirectory, "guilds.db");
        var ports = FreePorts(2);

        // Its warnings are about server GC and thread start-up here, and say nothing to whoever runs this.
        builder.Logging.AddFilter("Orleans", LogLevel.Error).AddFilter("Microsoft.Orleans", LogLevel.Error);
        builder.Services.TryAddSingleton(TimeProvider.System);
        builder.Services.AddSingleton(_ => SqliteFile.Open(database));
        builder.Services.AddHostedService<DatabaseCheck>();
        builder.Services.AddSingleton(new VoiceTokenKey(secret));
        builder.Services.AddMetrics();
        builder.Services.AddSingleton(services => ActivatorUtilities.CreateInstance<LinkAdmission>(services, secret, Guid.NewGuid().ToString("N")));
        builder.Services.AddSingleton<IGeneralizedCopier, ImmutableProtocol>();
        builder.Services.AddSerializer(serializer =>
            serializer.AddJsonSerializer(ImmutableProtocol.Contains, _ => false, json => { }));
        builder.Services.AddGrainStorage(Storage, (services, _) => new SqliteGrainStorage(services.GetRequiredService<SqliteFile>()));
        builder.UseOrleans(silo => silo.UseLocalhostClustering(ports[0], ports[1]));
        return builder;
    }

    /// <summary>Ports of loopback that nobody listens on. Orleans wants to know them beforehand; they are from below those that
    /// systems give out by themselves, so that nobody is given one before the silo opens it.</summary>
    private static int[] FreePorts(int count)
    {
        var listeners = new List<TcpListener>();
        try
        {
            while (listeners.Count < count)
            {
                var listener = new TcpListener(IPAddress.Loopback, Random.Shared.Next(20_000, 32_000));
                try
                {
                    listener.Start();
                    listeners.Add(listener);
                }
                catch (SocketException e) when (e.SocketErrorCode == SocketError.AddressAlreadyInUse)
                {
                    // Another one, then.
                }
            }

            return [.. listeners.Select(listener => ((IPEndPoint)listener.LocalEndpoint).Port)];
        }
        finally
        {
            foreach (var listener in listeners) listener.Stop();
        }
    }

    /// <summary>Opens the database before anything else starts, so that a bad one is the only thing that is told.</summary>
    private sealed class DatabaseCheck(SqliteFile database) : IHostedService
    {
        public Task StartAsync(CancellationToken cancellationToken) => database.Run(_ => true);

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}
