using System.Collections.Concurrent;
using Voice.Client;
using Voice.Protocol;
using Voice.Protocol.Gateway;

namespace Voice.Commands.Clients;

/// <summary>Logged in at the gateway, with the guilds it showed and people's names.</summary>
internal sealed class ClientSession : IAsyncDisposable
{
    private static readonly TimeSpan GuildsTimeout = TimeSpan.FromSeconds(10);

    private readonly ClientRequest request;
    private readonly ConcurrentDictionary<Snowflake, Guild> guilds = new();
    private readonly ConcurrentDictionary<Snowflake, string> names = new();
    private readonly SemaphoreSlim arrived = new(0);
    private GatewayClient? gateway;
    private string[]? regions;

    private ClientSession(ClientRequest request) => this.request = request;

    public GatewayClient Gateway => gateway!;

    public Snowflake Guild { get; private set; }

    public Snowflake Channel { get; private set; }

    /// <summary>For people.</summary>
    public string Place { get; private set; } = "";

    /// <exception cref="ClientException">Refused, or no such guild or channel.</exception>
    public static async Task<ClientSession> OpenAsync(ClientRequest request, CancellationToken cancellation)
    {
        var session = new ClientSession(request);
        try
        {
            using (var login = new Login(request.Gateway, request.CheckCertificate))
            {
                var token = request.Token ?? await login.AsGuest(request.Name, cancellation);
                var options = new GatewayClientOptions { CheckCertificate = request.CheckCertificate, OnEvent = session.Learn };
                session.gateway = await GatewayClient.ConnectAsync(await login.GatewayUrl(cancellation), token, options, cancellation);
                var regions = await login.Regions(token, cancellation);
                if (regions.Length > 1) session.regions = await RegionLatencies.OrderAsync(regions, cancellation: cancellation);
            }

            await session.FindPlace(cancellation);
            return session;
        }
        catch
        {
            await session.DisposeAsync();
            throw;
        }
    }

    public string NameOf(Snowflake user) => names.TryGetValue(user, out var name) ? name : $"user {user}";

    public Task<VoiceClient> JoinAsync(VoiceClientOptions options, CancellationToken cancellation) =>
        VoiceClient.JoinAsync(Gateway, Guild, Channel, options with { CheckCertificate = request.CheckCertificate, PreferredRegions = regions }, cancellation);

    public async ValueTask DisposeAsync()
    {
        if (gateway is not null) await gateway.DisposeAsync();
        arrived.Dispose();
    }

    private void Learn(GatewayEvent e)
    {
        switch (e)
        {
            case GatewayEvent.GuildCreate { Guild: var guild }:
                guilds[guild.Id] = guild;
                foreach (var member in guild.Members) names[member.User.Id] = NameOf(member);
                arrived.Release();
                break;
            case GatewayEvent.VoiceStateUpdate { State.Member: { } member }: names[member.User.Id] = NameOf(member); break;
        }
    }

    private static string NameOf(Member member) => member.Nick ?? member.User.GlobalName ?? member.User.Username;

    private async Task FindPlace(CancellationToken cancellation)
    {
        // The guilds follow READY one by one (protocol/gateway.md section 3).
        while (guilds.Count < Gateway.Ready.Guilds.Length && await arrived.WaitAsync(GuildsTimeout, cancellation))
        {
        }

        var guild = guilds.Values.FirstOrDefault(g => Matches(request.Guild, g.Id, g.Name))
            ?? throw new ClientException($"you are in no guild '{request.Guild}'{Known(guilds.Values.Select(g => g.Name))}");
        var voice = guild.Channels.Where(c => c.Type is ChannelType.Voice or ChannelType.Stage).ToArray();
        var channel = voice.FirstOrDefault(c => Matches(request.Channel, c.Id, c.Name))
            ?? throw new ClientException($"'{guild.Name}' has no voice channel '{request.Channel}'{Known(voice.Select(c => c.Name))}");
        (Guild, Channel, Place) = (guild.Id, channel.Id, $"{guild.Name} / {channel.Name}");
    }

    private static bool Matches(string asked, Snowflake id, string name) => asked == id.ToString() || asked.Equals(name, StringComparison.OrdinalIgnoreCase);

    private static string Known(IEnumerable<string> names) => string.Join(", ", names) is { Length: > 0 } list ? $"; there are: {list}" : "";
}
