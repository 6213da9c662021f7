using System.Security.Cryptography.X509Certificates;
using Voice.Client;
using Voice.EndToEnd.Harness;
using Voice.Protocol;
using Voice.Protocol.Gateway;
using Xunit;

namespace Voice.EndToEnd.Client;

/// <summary>A `voice up`, and accounts and clients for it.</summary>
public sealed class ClientFixture : IAsyncLifetime
{
    private readonly TempDirectory data = new();
    private Accounts accounts = null!;

    public VoiceProcess Server { get; private set; } = null!;

    public Snowflake Guild { get; private set; }

    public Snowflake Channel { get; private set; }

    public Snowflake OtherChannel { get; private set; }

    public string CaFile => Path.Combine(data.Path, "ca.pem");

    public async ValueTask InitializeAsync()
    {
        Server = await VoiceProcess.Up(data.Path);
        accounts = new(data.Path);
        using var http = Http(NewToken(out _, administrator: true));
        Guild = await http.CreateGuild("Clients");
        Channel = await http.CreateVoiceChannel(Guild, "Voice");
        OtherChannel = await http.CreateVoiceChannel(Guild, "Other");
    }

    public async ValueTask DisposeAsync()
    {
        if (Server is not null) await Server.DisposeAsync();
        data.Dispose();
    }

    public string NewToken(out Snowflake user, bool administrator = false)
    {
        user = Accounts.NewUser();
        return accounts.Token(user, administrator);
    }

    /// <summary>A token of a member of the guild.</summary>
    public async Task<(string Token, Snowflake User)> NewMember()
    {
        var token = NewToken(out var user);
        using var http = Http(NewToken(out _, administrator: true));
        await http.AddMember(Guild, user);
        return (token, user);
    }

    public async Task<Participant> Join(VoiceClientOptions options, Snowflake? channel = null, CancellationToken cancel = default)
    {
        return await Join(await NewMember(), Guild, channel ?? Channel, options, cancel);
    }

    /// <summary>A call of two members, who share a guild and need none.</summary>
    public async Task<(Participant Caller, Participant Called)> Call(VoiceClientOptions caller, VoiceClientOptions called, CancellationToken cancel)
    {
        var (first, second) = (await NewMember(), await NewMember());
        using var http = Http(first.Token);
        var channel = await http.Post<PrivateChannel>("users/@me/channels", new { recipient_id = second.User });
        return (await Join(first, null, channel.Id, caller, cancel), await Join(second, null, channel.Id, called, cancel));
    }

    private async Task<Participant> Join(
        (string Token, Snowflake User) member, Snowflake? guild, Snowflake channel, VoiceClientOptions options, CancellationToken cancel)
    {
        var (token, user) = member;
        var gateway = await GatewayClient.ConnectAsync(new UriBuilder(Server.Address) { Scheme = "ws" }.Uri, token, cancellation: cancel);
        var trusted = X509Certificate2.CreateFromPem(await File.ReadAllTextAsync(CaFile, cancel));
        var voice = await VoiceClient.JoinAsync(gateway, guild, channel, options with { CheckCertificate = PrivateCa.Trust([trusted]) }, cancel);
        return new Participant(gateway, voice, user);
    }

    private HttpClient Http(string token) => Rest.Open(Server.Address, token);
}

public sealed record Participant(GatewayClient Gateway, VoiceClient Voice, Snowflake User) : IAsyncDisposable
{
    public async ValueTask DisposeAsync()
    {
        await Voice.DisposeAsync();
        await Gateway.DisposeAsync();
    }
}
