using System.Net.Http.Headers;
using System.Net.Http.Json;
using Microsoft.Playwright;
using Voice.EndToEnd.Harness;
using Voice.Protocol;
using Voice.Signaling.Gateway;
using Xunit;

namespace Voice.EndToEnd.Browser;

/// <summary>One server and one browser for the tests of a class; each test has its own pages.</summary>
public sealed class CallFixture : IAsyncLifetime
{
    private readonly TempDirectory data = new();

    public VoiceProcess Server { get; private set; } = null!;

    public ChromiumBrowser Chromium { get; private set; } = null!;

    public async ValueTask InitializeAsync()
    {
        Server = await VoiceProcess.Up(data.Path);
        Chromium = await ChromiumBrowser.Start();
    }

    /// <summary>Makes a voice channel that admits only so many.</summary>
    public async Task AddChannel(string guild, string name, int userLimit)
    {
        var administrator = AccountTokens.Open(data.Path).Mint(Snowflake.At(DateTimeOffset.UtcNow, 1), TimeSpan.FromMinutes(5), administrator: true);
        using var http = new HttpClient { BaseAddress = Server.Address };
        http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", administrator);
        using var made = await http.PostAsJsonAsync($"api/v10/guilds/{guild}/channels", new { name, type = 2, user_limit = userLimit });
        made.EnsureSuccessStatusCode();
    }

    public async ValueTask DisposeAsync()
    {
        if (Chromium is not null) await Chromium.DisposeAsync();
        if (Server is not null) await Server.DisposeAsync();
        data.Dispose();
    }
}

/// <summary>A test's pages: Ann, Ben, Cid and Dora, each with a tone. Closing them leaves the channel.</summary>
public sealed class Call(VoiceProcess server, ChromiumBrowser browser) : IAsyncDisposable
{
    private static readonly string[] Names = ["Ann", "Ben", "Cid", "Dora"];

    private readonly List<IPage> pages = [];

    /// <summary>The next person, on the way into the channel (null: none yet).</summary>
    public async Task<Participant> Add(string? channel = "Lounge", params string[] scripts)
    {
        var number = pages.Count;
        var (participant, page) = await Participant.Open(browser, server, Names[number], Participant.Tones[number], channel, scripts);
        pages.Add(page);
        return participant;
    }

    /// <summary>Ann, Ben and Cid in one channel, each hearing the other two.</summary>
    public async Task<(Participant Ann, Participant Ben, Participant Cid)> Three()
    {
        var (ann, ben, cid) = (await Add(), await Add(), await Add());
        await Hearing((ann, [ben, cid]), (ben, [ann, cid]), (cid, [ann, ben]));
        return (ann, ben, cid);
    }

    /// <summary>Everybody hears exactly who is named after them.</summary>
    public static Task Hearing(params (Participant Who, Participant[] Hears)[] expectations) =>
        Task.WhenAll(expectations.Select(expectation => expectation.Who.HearsExactly(expectation.Hears)));

    public IPage PageOf(Participant participant) => pages[Array.IndexOf(Names, participant.Name)];

    public async ValueTask DisposeAsync()
    {
        foreach (var page in pages) await page.Context.DisposeAsync();
    }
}
