using System.Security.Cryptography;
using StackExchange.Redis;

namespace Voice.Signaling.Gateway.Guilds;

/// <summary>The one connection of this process to the cluster's Redis. Once open, it reconnects by itself.</summary>
/// <param name="secrets">What all gateways of a cluster have to share, hashed.</param>
/// <exception cref="StartupException">The options are not Redis's.</exception>
internal sealed class RedisConnection(GatewayCluster cluster, byte[] secrets) : IAsyncDisposable
{
    private readonly Lock gate = new();
    private Task<IConnectionMultiplexer>? open;

    public ConfigurationOptions Settings { get; } = Parse(cluster.Redis);

    /// <summary>What Orleans' providers are given. All share it.</summary>
    /// <exception cref="StartupException">Redis cannot be reached, or is another cluster's.</exception>
    public Task<IConnectionMultiplexer> Open()
    {
        lock (gate) return open ??= Connect();
    }

    public async ValueTask DisposeAsync()
    {
        if (open is { IsCompletedSuccessfully: true }) await (await open).DisposeAsync();
    }

    /// <summary>A hash of the keys that gateways of one cluster share. The token key is random: nothing can be guessed from it.</summary>
    public static byte[] HashOf(byte[] tokenKey, byte[] clusterSecret) => SHA256.HashData(HMACSHA256.HashData(tokenKey, clusterSecret));

    private async Task<IConnectionMultiplexer> Connect()
    {
        try
        {
            var redis = await ConnectionMultiplexer.ConnectAsync(Settings);
            await AssertSameSecrets(redis.GetDatabase());
            return redis;
        }
        catch (Exception e) when (e is RedisException or TimeoutException)
        {
            throw new StartupException($"Redis at {string.Join(',', Settings.EndPoints)} cannot be used ({e.Message}): start it or pass another --redis", e);
        }
    }

    private static ConfigurationOptions Parse(string text)
    {
        try
        {
            var settings = ConfigurationOptions.Parse(text);
            settings.ClientName = "voice-gateway";
            return settings;
        }
        catch (Exception e) when (e is ArgumentException or FormatException)
        {
            throw new StartupException($"--redis cannot be read ({e.Message}): pass host:port[,host:port][,password=...]", e);
        }
    }

    /// <summary>A gateway with keys of its own would refuse every token and every node that the others know, a user at a time.</summary>
    private async Task AssertSameSecrets(IDatabase redis)
    {
        RedisKey key = $"{cluster.Id}/secrets";
        await redis.StringSetAsync(key, secrets, when: When.NotExists);
        if (await redis.StringGetAsync(key) is var known && known.HasValue && CryptographicOperations.FixedTimeEquals((byte[])known!, secrets)) return;
        throw new StartupException(
            $"this gateway's cluster secret or token key is not that of the other gateways of cluster '{cluster.Id}': pass the same --cluster-secret and --token-key to each");
    }
}
