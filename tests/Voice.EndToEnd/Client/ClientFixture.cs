using System.Net.Http.Json;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using Voice.Client;
using Voice.EndToEnd.Harness;
using Voice.Protocol;
using Voice.Protocol.Gateway;
using Voice.Signaling.Gateway;
using Xunit;

namespace Voice.EndToEnd.Client;

/// <summary>A `voice up`, and accounts and clients for it.</summary>
public sealed class ClientFixture : IAsyncLifetime
{
    private readonly TempDirectory data = new();
    private AccountTokens tokens = null!;
    private uint users;

    public VoiceProcess Server { get; private set; } = null!;

    public Snowflake Guild { get; private set; }

    public Snowflake Channel { get; private set; }

    public Snowflake OtherChannel { get; private set; }

    public string CaFile => Path.Combine(data.Path, "ca.pem");

    public async ValueTask InitializeAsync()
    {
        Server = await VoiceProcess.Up(data.Path);
        tokens = AccountTokens.Open(data.Path);
        using var http = Http(NewToken(out _, administrator: true));
        var guild = await Post<Guild>(http, "api/v10/guilds", new { name = "Clients" });
        Guild = guild.Id;
        Channel = (await Post<Channel>(http, $"api/v10/guilds/{Guild}/channels", new { name = "Voice", type = 2 })).Id;
        OtherChannel = (await Post<Channel>(http, $"api/v10/guilds/{Guild}/channels", new { name = "Other", type = 2 })).Id;
    }

    public async ValueTask DisposeAsync()
    {
        if (Server is not null) await Server.DisposeAsync();
        data.Dispose();
    }

    public string NewToken(out Snowflake user, bool administrator = false)
    {
        user = Snowflake.At(DateTimeOffset.UtcNow, Interlocked.Increment(ref users));
        return tokens.Mint(user, TimeSpan.FromHours(1), administrator);
    }

    /// <summary>A token of a member of the guild.</summary>
    public async Task<(string Token, Snowflake User)> NewMember()
    {
        var token = NewToken(out var user);
        using var http = Http(NewToken(out _, administrator: true));
        (await http.PutAsJsonAsync($"api/v10/guilds/{Guild}/members/{user}", new { })).EnsureSuccessStatusCode();
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
        var channel = await Post<PrivateChannel>(http, "api/v10/users/@me/channels", new { recipient_id = second.User });
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

    private HttpClient Http(string token) =>
        new() { BaseAddress = Server.Address, DefaultRequestHeaders = { Authorization = new("Bearer", token) } };

    private static async Task<T> Post<T>(HttpClient http, string path, object body)
    {
        var response = await http.PostAsJsonAsync(path, body);
        Assert.True(response.IsSuccessStatusCode, $"{path}: {response.StatusCode} {await response.Content.ReadAsStringAsync()}");
        return (T)JsonSerializer.Deserialize(await response.Content.ReadAsStringAsync(), typeof(T), GatewayJson.Default)!;
    }
}

public sealed record Participant(GatewayClient Gateway, VoiceClient Voice, Snowflake User) : IAsyncDisposable
{
    public async ValueTask DisposeAsync()
    {
        await Voice.DisposeAsync();
        await Gateway.DisposeAsync();
    }
}
