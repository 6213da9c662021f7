using System.Globalization;
using Voice.EndToEnd.Harness;
using Xunit;

namespace Voice.EndToEnd.Discord;

/// <summary>Two unmodified bots and a Chromium in one channel send each other numbered frames.</summary>
public sealed class CountingTests(ITestOutputHelper output)
{
    /// <summary>A minute of 20 ms frames.</summary>
    private const int Frames = 3000;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(90);

    /// <summary>Both modes at the same time, each on a server of its own: it is the server's list that a bot chooses from.</summary>
    [Fact]
    public async Task Three_thousand_frames_arrive_bit_exact_in_order_and_complete_in_every_direction_and_in_both_modes()
    {
        await using var chromium = await ChromiumBrowser.Start();
        await Task.WhenAll(
            Count(chromium, "aead_aes256_gcm_rtpsize"),
            Count(chromium, "aead_xchacha20_poly1305_rtpsize", "--encryption-modes", "aead_xchacha20_poly1305_rtpsize"));
    }

    private async Task Count(ChromiumBrowser chromium, string mode, params string[] options)
    {
        using var data = new TempDirectory();
        await using var server = await VoiceProcess.Up(data.Path, options);
        await using var room = await Room.Open(server, data.Path);
        var page = await room.AddPage(chromium, "Ann", Participant.Tones[1], Scripts.Frames, Scripts.Counters);
        await page.IsConnected();
        var ann = await Room.UserOf(page);
        var (ben, cid) = (await room.AddBot("Ben"), await room.AddBot("Cid"));
        await Task.WhenAll(ben.Join(room.Guild, room.Lounge), cid.Join(room.Guild, room.Lounge));
        await Task.WhenAll(ben.Knows(ann, cid.User), cid.Knows(ann, ben.User), page.Until("voice.streams.size === 2", "Ann's page to know both bots"));
        Assert.Equal(mode, ben.EncryptionMode);
        Assert.Equal(mode, cid.EncryptionMode);
        foreach (var (listener, talkers) in new[] { (ben, new[] { ann, cid.User }), (cid, [ann, ben.User]) })
        {
            foreach (var talker in talkers) await listener.Do("listen", new { user = $"{talker}" });
        }

        const uint pageSender = 1;
        await Task.WhenAll(ben.Play(0, Frames), cid.Play(0, Frames), page.Evaluate($"counters.play({pageSender}, 0, {Frames})"));

        var sent = Enumerable.Range(0, Frames).ToArray();
        foreach (var (listener, other) in new[] { (ben, cid), (cid, ben) })
        {
            var ofBot = await listener.Hears(other.User, Frames - 1, Patience);
            Assert.Equal(0, ofBot.Other);
            Assert.Equal(sent, ofBot.Numbers);
            Assert.Equal(sent, (await listener.Hears(ann, Frames - 1, Patience)).Numbers);
        }

        foreach (var bot in new[] { ben, cid })
        {
            await page.Until($"counters.received({bot.Sender}).includes({Frames - 1})", $"the page to get {bot.Name}'s last frame");
            var received = await page.Evaluate($"counters.received({bot.Sender})");
            Assert.Equal(sent, received.EnumerateArray().Select(number => number.GetInt32()));
        }

        foreach (var stream in (await page.Stats()).GetProperty("streams").EnumerateArray())
        {
            Assert.True(stream.GetProperty("packets").GetInt64() >= Frames);
            Assert.Equal(0, stream.GetProperty("lost").GetInt64());
        }

        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{mode}: 6 directions, {Frames} frames each, 0 lost"));
    }
}
