using System.Diagnostics;
using Voice.Client;
using Voice.EndToEnd.Harness;
using Xunit;

namespace Voice.EndToEnd.Discord;

/// <summary>`voice record` of what a bot plays.</summary>
public sealed class RecordTests(DiscordFixture fixture) : IClassFixture<DiscordFixture>
{
    [Fact]
    public async Task A_recording_holds_the_packets_of_the_file_that_a_bot_played_and_opusinfo_finds_no_fault()
    {
        using var folder = new TempDirectory();
        await using var room = await fixture.OpenRoom();
        var bot = await room.AddBot("Ben");
        await bot.Join(room.Guild, room.Lounge);
        await using var record = VoiceCommand.Start(
            folder.Path, "record", $"{room.Guild}", $"{room.Lounge}", "--url", $"{fixture.Server.Address}", "--ca", room.Authority,
            "--token", room.Token(await room.NewMember("Rex")), "-o", folder.Path);
        await record.Says("Recording");

        // Twice: once the second is in the file, nothing of the first is on its way any more.
        var size = new FileInfo(DiscordFixture.Tone).Length;
        await bot.Do("playFile", new { path = DiscordFixture.Tone, times = 2 });
        await Poll.Until(() => Directory.EnumerateFiles(folder.Path).Any(file => new FileInfo(file).Length > size * 5 / 4), "the recording", TimeSpan.FromSeconds(20));
        record.Interrupt();
        Assert.Equal(0, await record.Exit(TestContext.Current.CancellationToken));

        var file = Assert.Single(Directory.GetFiles(folder.Path));
        var played = await Packets(DiscordFixture.Tone);
        Assert.Equal(played, (await Packets(file)).Take(played.Count));

        using var check = Process.Start(new ProcessStartInfo("opusinfo", [file]) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        var found = await check.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        await check.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.Equal(0, check.ExitCode);
        Assert.DoesNotContain("WARNING", found);
        Assert.Contains("Logical stream 1 ended", found);
    }

    private static async Task<List<string>> Packets(string file)
    {
        await using var stream = File.OpenRead(file);
        return await OpusFile.ReadAsync(stream, file).Select(packet => Convert.ToHexString(packet.Data.Span)).ToListAsync();
    }
}
