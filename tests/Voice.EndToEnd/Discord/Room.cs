using System.Globalization;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json;
using Microsoft.Playwright;
using Voice.EndToEnd.Harness;
using Voice.Protocol;
using Voice.Protocol.Gateway;
using Voice.Signaling.Gateway;
using Xunit;

namespace Voice.EndToEnd.Discord;

/// <summary>A guild of its own on a server, with two voice channels and the bots and pages that a test lets in.</summary>
public sealed class Room : IAsyncDisposable
{
    private static int count;

    private readonly VoiceProcess server;
    private readonly string data;
    private readonly AccountTokens tokens;
    private readonly HttpClient administrator;
    private readonly List<Bot> bots = [];
    private readonly List<IPage> pages = [];

    private Room(VoiceProcess server, string data)
    {
        this.server = server;
        this.data = data;
        tokens = AccountTokens.Open(data);
        // The bots are who must trust the private authority; beyond loopback all is https.
        var handler = new HttpClientHandler { ServerCertificateCustomValidationCallback = HttpClientHandler.DangerousAcceptAnyServerCertificateValidator };
        administrator = new HttpClient(handler) { BaseAddress = server.Address };
        administrator.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", Token(NewUser(), administrator: true));
    }

    /// <summary>PEM file of the server's private authority.</summary>
    public string Authority => Path.Combine(data, "ca.pem");

    public Snowflake Guild { get; private set; }

    public Snowflake Lounge { get; private set; }

    public Snowflake Music { get; private set; }

    /// <param name="data">The server's data folder.</param>
    public static async Task<Room> Open(VoiceProcess server, string data)
    {
        var room = new Room(server, data);
        room.Guild = (await room.Post<Guild>("guilds", new { name = "Room" })).Id;
        room.Lounge = (await room.Post<Channel>($"guilds/{room.Guild}/channels", new { name = "Lounge", type = 2 })).Id;
        room.Music = (await room.Post<Channel>($"guilds/{room.Guild}/channels", new { name = "Music", type = 2 })).Id;
        return room;
    }

    /// <summary>A bot with @discordjs/voice that is logged in, and in no channel yet.</summary>
    public Task<Bot> AddBot(string name, NetworkNamespace? inNamespace = null) => AddBot(name, "voice-bot.mjs", WebSocketAddress, inNamespace);

    /// <summary>A whole discord.js bot, logged in.</summary>
    public Task<Bot> AddDiscordJs(string name) => AddBot(name, "discord-bot.mjs", ApiAddress, inNamespace: null);

    /// <summary>A whole discord.py bot, logged in.</summary>
    public Task<Bot> AddDiscordPy(string name) => AddBot(name, "discord-bot.py", ApiAddress, inNamespace: null);

    /// <summary>Somebody in front of the page in Chromium, on the way into the Lounge.</summary>
    public async Task<Participant> AddPage(ChromiumBrowser browser, string name, int tone, params string[] scripts)
    {
        var user = await NewMember(name);
        var page = await browser.NewPage([Scripts.Ears, .. scripts]);
        pages.Add(page);
        await page.GotoAsync(string.Create(
            CultureInfo.InvariantCulture, $"{Participant.Address(server, name, tone, $"{Lounge}")}&guild={Guild}#token={Token(user)}"));
        return Participant.Of(page, server, name, tone);
    }

    /// <summary>Who is in front of a page.</summary>
    public static async Task<Snowflake> UserOf(Participant page) => Snowflake.Parse((await page.Evaluate("voice.user.id")).GetString()!, null);

    /// <summary>PATCH of a member's voice: mute, deaf, channel_id.</summary>
    public async Task Moderate(Snowflake user, object change)
    {
        using var answer = await administrator.PatchAsJsonAsync($"api/v10/guilds/{Guild}/members/{user}", change);
        Assert.True(answer.IsSuccessStatusCode, $"PATCH: {answer.StatusCode} {await answer.Content.ReadAsStringAsync()}");
    }

    public async Task<Snowflake> NewMember(string name, bool bot = false)
    {
        var user = NewUser();
        using var answer = await administrator.PutAsJsonAsync($"api/v10/guilds/{Guild}/members/{user}", new { username = name, bot });
        answer.EnsureSuccessStatusCode();
        return user;
    }

    public string Token(Snowflake user, bool administrator = false, bool bot = false) => tokens.Mint(user, TimeSpan.FromHours(1), administrator, bot);

    public async ValueTask DisposeAsync()
    {
        foreach (var bot in bots) await bot.DisposeAsync();
        foreach (var page in pages) await page.Context.DisposeAsync();
        administrator.Dispose();
    }

    private string ApiAddress => new Uri(server.Address, "api").AbsoluteUri;

    private string WebSocketAddress => new UriBuilder(server.Address) { Scheme = server.Address.Scheme == "https" ? "wss" : "ws" }.Uri.AbsoluteUri;

    private static Snowflake NewUser() => Snowflake.At(DateTimeOffset.UtcNow, (uint)Interlocked.Increment(ref count));

    private async Task<Bot> AddBot(string name, string script, string address, NetworkNamespace? inNamespace)
    {
        var user = await NewMember(name, bot: true);
        var bot = await Bot.Start(script, address, user, name, Token(user, bot: true), Authority, inNamespace);
        bots.Add(bot);
        return bot;
    }

    private async Task<T> Post<T>(string path, object body)
    {
        using var answer = await administrator.PostAsJsonAsync($"api/v10/{path}", body);
        answer.EnsureSuccessStatusCode();
        return (T)JsonSerializer.Deserialize(await answer.Content.ReadAsStringAsync(), typeof(T), GatewayJson.Default)!;
    }
}
