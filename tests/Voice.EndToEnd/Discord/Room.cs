using System.Globalization;
using System.Net.Http.Json;
using Microsoft.Playwright;
using Voice.EndToEnd.Harness;
using Voice.Protocol;

namespace Voice.EndToEnd.Discord;

/// <summary>A guild of its own on a server, with two voice channels and the bots and pages that a test lets in.</summary>
public sealed class Room : IAsyncDisposable
{
    private readonly VoiceProcess server;
    private readonly string data;
    private readonly Accounts accounts;
    private readonly HttpClient administrator;
    private readonly List<Bot> bots = [];
    private readonly List<IPage> pages = [];

    private Room(VoiceProcess server, string data)
    {
        this.server = server;
        this.data = data;
        accounts = new(data);
        administrator = Rest.Open(server.Address, accounts.NewAdministrator());
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
        room.Guild = await room.administrator.CreateGuild("Room");
        room.Lounge = await room.administrator.CreateVoiceChannel(room.Guild, "Lounge");
        room.Music = await room.administrator.CreateVoiceChannel(room.Guild, "Music");
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
    public async Task Moderate(Snowflake user, object change) =>
        await Rest.Succeeds(await administrator.PatchAsJsonAsync($"api/v10/guilds/{Guild}/members/{user}", change));

    public async Task<Snowflake> NewMember(string name, bool bot = false)
    {
        var user = Accounts.NewUser();
        await administrator.AddMember(Guild, user, new { username = name, bot });
        return user;
    }

    public string Token(Snowflake user, bool bot = false) => accounts.Token(user, bot: bot);

    public async ValueTask DisposeAsync()
    {
        foreach (var bot in bots) await bot.DisposeAsync();
        foreach (var page in pages) await page.Context.DisposeAsync();
        administrator.Dispose();
    }

    private string ApiAddress => new Uri(server.Address, "api").AbsoluteUri;

    private string WebSocketAddress => new UriBuilder(server.Address) { Scheme = server.Address.Scheme == "https" ? "wss" : "ws" }.Uri.AbsoluteUri;

    private async Task<Bot> AddBot(string name, string script, string address, NetworkNamespace? inNamespace)
    {
        var user = await NewMember(name, bot: true);
        var bot = await Bot.Start(script, address, user, name, Token(user, bot: true), Authority, inNamespace);
        bots.Add(bot);
        return bot;
    }
}
