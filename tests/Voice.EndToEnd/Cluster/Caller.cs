using System.Security.Cryptography.X509Certificates;
using Voice.Client;
using Voice.EndToEnd.Harness;
using Voice.Protocol;

namespace Voice.EndToEnd.Cluster;

/// <summary>Somebody in voice who knows all gateways, and counts what became of their sessions.</summary>
public sealed class Caller : IAsyncDisposable
{
    private int readies;
    private int connected;

    private Caller(Snowflake user) => User = user;

    public Snowflake User { get; }

    public GatewayClient Gateway { get; private set; } = null!;

    public VoiceClient Voice { get; private set; } = null!;

    /// <summary>How often media began to go both ways.</summary>
    public int Connected => Volatile.Read(ref connected);

    /// <param name="first">The gateway that is asked first.</param>
    public static async Task<Caller> Join(ThreeGateways cluster, Snowflake user, int first, Snowflake guild, Snowflake channel, CancellationToken cancel)
    {
        var caller = new Caller(user);
        Uri[] others = [.. Enumerable.Range(0, cluster.Gateways.Length).Where(number => number != first).Select(cluster.AddressOf)];
        caller.Gateway = await GatewayClient.ConnectAsync(
            cluster.AddressOf(first), cluster.Token(user), new GatewayClientOptions { OnEvent = caller.On, Others = others, MaxAttempts = 100 }, cancel);
        var trusted = X509Certificate2.CreateFromPem(await File.ReadAllTextAsync(cluster.CaFile, cancel));
        caller.Voice = await VoiceClient.JoinAsync(caller.Gateway, guild, channel, new VoiceClientOptions { OnEvent = caller.On, CheckCertificate = PrivateCa.Trust([trusted]) }, cancel);
        return caller;
    }

    /// <summary>Waits until so many gateway sessions were begun.</summary>
    public Task Ready(int count, CancellationToken cancel) =>
        Poll.Until(() => Volatile.Read(ref readies) >= count, $"gateway session {count}", TimeSpan.FromSeconds(60)).WaitAsync(cancel);

    public async ValueTask DisposeAsync()
    {
        await Voice.DisposeAsync();
        await Gateway.DisposeAsync();
    }

    private void On(GatewayEvent e)
    {
        if (e is GatewayEvent.Ready) Interlocked.Increment(ref readies);
    }

    private void On(VoiceEvent e)
    {
        if (e is VoiceEvent.StateChanged { State: VoiceClientState.Connected }) Interlocked.Increment(ref connected);
    }
}
