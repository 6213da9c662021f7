using Voice.EndToEnd.Harness;
using Xunit;

namespace Voice.EndToEnd.Discord;

/// <summary>A whole discord.js bot, which is told nothing but where the REST API is.</summary>
public sealed class DiscordJsTests(DiscordFixture fixture) : IClassFixture<DiscordFixture>
{
    [Fact]
    public async Task It_logs_in_sees_who_is_in_voice_joins_and_plays_a_file_that_the_browser_hears()
    {
        await using var room = await fixture.OpenRoom();
        var page = await room.AddPage(fixture.Chromium, "Ann", Participant.Tones[1]);
        await page.IsConnected();
        var bot = await room.AddDiscordJs("Jay");
        var members = await bot.Ask("members", new { guild = $"{room.Guild}", channel = $"{room.Lounge}" });
        Assert.Equal(["Ann"], members.EnumerateArray().Select(name => name.GetString()));

        await bot.Join(room.Guild, room.Lounge);
        await page.Until("voice.streams.size === 1", "the page to know the bot");
        await bot.Do("playFile", new { path = DiscordFixture.Tone, times = 5 });
        await page.HearsExactly(new Participant("Jay", DiscordFixture.ToneHertz, fixture.Server, page.Evaluate));
        await page.Until("[...voice.streams.keys()].every(user => voice.isSpeaking(user))", "the page to show that the bot speaks");
        await bot.Do("stop");
        await page.HearsExactly();

        // And it is told of what happens after.
        await room.Moderate(await Room.UserOf(page), new { mute = true });
        await bot.Tells("voice", e => e.GetProperty("mute").ValueKind == System.Text.Json.JsonValueKind.True);
        await page.Evaluate("voice.leave()");
        await bot.Tells("voice", e => e.GetProperty("channel").ValueKind == System.Text.Json.JsonValueKind.Null);
    }
}
