using Voice.EndToEnd.Harness;
using Xunit;

namespace Voice.EndToEnd.Discord;

/// <summary>Two bots and a browser, each in a network namespace with an address of its own: no bot learns another's.</summary>
public sealed class PrivacyTests
{
    [Fact]
    public async Task Nothing_that_a_bot_receives_contains_anothers_address()
    {
        await using var network = await TestNetwork.Create();
        using var data = new TempDirectory();
        await using var server = await VoiceProcess.Up(data.Path, "--bind", network.Address);
        var hosts = new[] { await network.AddHost(), await network.AddHost(), await network.AddHost() };
        await using var chromium = await ChromiumBrowser.Start(hosts[2]);
        await using var room = await Room.Open(server, data.Path);
        var page = await room.AddPage(chromium, "Ann", Participant.Tones[1]);
        await page.IsConnected();
        var bots = new[] { await room.AddBot("Ben", hosts[0]), await room.AddBot("Cid", hosts[1]) };
        await Task.WhenAll(bots.Select(bot => bot.Join(room.Guild, room.Lounge)));
        await Task.WhenAll(bots.Select((bot, i) => bot.Knows(bots[1 - i].User)));
        for (var i = 0; i < bots.Length; i++)
        {
            await bots[i].Play(0, 50);
            Assert.Equal(Enumerable.Range(0, 50), (await bots[1 - i].Hears(bots[i].User, 49)).Numbers);
        }

        for (var i = 0; i < bots.Length; i++)
        {
            var all = string.Join('\n', bots[i].Told.Select(told => told.GetRawText()));
            Assert.Contains(hosts[i].Address, all); // its own: it asked for it
            Assert.Contains("VOICE_SERVER_UPDATE", all);
            foreach (var other in hosts.Where(other => other != hosts[i]))
                Assert.All(await other.AllAddresses(), address => Assert.DoesNotContain(address, all));
        }
    }
}
