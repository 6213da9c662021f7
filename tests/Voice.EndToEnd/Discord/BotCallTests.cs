using System.Diagnostics;
using Voice.EndToEnd.Harness;
using Xunit;
using RejoinDelay = Voice.Signaling.Gateway.Guilds.RejoinDelay;

namespace Voice.EndToEnd.Discord;

/// <summary>What happens to bots in a call: moved, muted, paused, cut off. Every frame has a number, so that a test sees which
/// were lost, and not only that there is sound.</summary>
public sealed class BotCallTests(DiscordFixture fixture) : IClassFixture<DiscordFixture>
{
    /// <summary>More than any test waits for: 10 minutes.</summary>
    private const int Endless = 30_000;

    [Fact]
    public async Task Who_moves_is_heard_in_the_new_channel_and_no_longer_in_the_old_one()
    {
        await using var room = await fixture.OpenRoom();
        var (ben, cid, dora) = (await room.AddBot("Ben"), await room.AddBot("Cid"), await room.AddBot("Dora"));
        await Task.WhenAll(ben.Join(room.Guild, room.Lounge), cid.Join(room.Guild, room.Lounge), dora.Join(room.Guild, room.Music));
        await cid.Knows(ben.User);
        await ben.Play(0, Endless);
        await cid.Hears(ben.User, 25);

        // By itself, with op 4.
        var before = ben.Told.Count;
        await ben.Do("move", new { channel = $"{room.Music}" });
        await ben.Reaches("ready", before);
        await dora.HearsMore(ben.User, 50);
        var (old, current) = (await cid.Taken(ben.User), await dora.Taken(ben.User));
        AssertInOrder(old.Numbers);
        AssertInOrder(current.Numbers);
        Assert.True(old.Numbers[^1] < current.Numbers[0], "both channels heard the same frame");

        // By a moderator.
        before = ben.Told.Count;
        await room.Moderate(ben.User, new { channel_id = $"{room.Lounge}" });
        await ben.Reaches("ready", before);
        await cid.HearsMore(ben.User, 50);
        current = await dora.Taken(ben.User);
        Assert.True(current.Numbers[^1] < (await cid.Taken(ben.User)).Numbers.First(number => number > old.Numbers[^1]), "both channels heard the same frame");
    }

    [Fact]
    public async Task Who_is_muted_by_a_moderator_reaches_nobody_until_unmuted_and_nobody_counts_it_as_loss()
    {
        await using var room = await fixture.OpenRoom();
        var page = await room.AddPage(fixture.Chromium, "Ann", Participant.Tones[1]);
        await page.IsConnected();
        var (ben, cid, dora) = (await room.AddBot("Ben"), await room.AddBot("Cid"), await room.AddBot("Dora"));
        await Task.WhenAll(ben.Join(room.Guild, room.Lounge), cid.Join(room.Guild, room.Lounge), dora.Join(room.Guild, room.Lounge));
        await Task.WhenAll(cid.Knows(ben.User, dora.User), page.Until("voice.streams.size === 3", "the page to know the bots"));
        await ben.Play(0, Endless);
        await cid.Hears(ben.User, 25);

        await room.Moderate(ben.User, new { mute = true });
        await cid.HearsSilence(ben.User, 5);
        var muted = await cid.Taken(ben.User);
        await dora.Play(0, 100); // two seconds, told by somebody who may speak
        await cid.Hears(dora.User, 99);
        Assert.Equal(muted.Numbers, (await cid.Taken(ben.User)).Numbers);

        await room.Moderate(ben.User, new { mute = false });
        await cid.HearsMore(ben.User, 50);
        var after = await cid.Taken(ben.User);
        AssertInOrder(after.Numbers);
        Assert.Equal(5, after.Silences);
        Assert.True(after.Numbers[muted.Numbers.Length] >= muted.Numbers[^1] + 100, "what was said while muted came later");
        foreach (var stream in (await page.Stats()).GetProperty("streams").EnumerateArray()) Assert.Equal(0, stream.GetProperty("lost").GetInt64());
    }

    [Fact]
    public async Task A_pause_is_no_loss_to_anybody_and_the_tone_is_heard_again_after_it()
    {
        await using var room = await fixture.OpenRoom();
        var page = await room.AddPage(fixture.Chromium, "Ann", Participant.Tones[1]);
        await page.IsConnected();
        var (ben, cid, dora) = (await room.AddBot("Ben"), await room.AddBot("Cid"), await room.AddBot("Dora"));
        await Task.WhenAll(ben.Join(room.Guild, room.Lounge), cid.Join(room.Guild, room.Lounge), dora.Join(room.Guild, room.Lounge));
        await Task.WhenAll(cid.Knows(ben.User, dora.User), page.Until("voice.streams.size === 3", "the page to know the bots"));
        await cid.Do("listen", new { user = $"{ben.User}" });
        await dora.Do("playFile", new { path = DiscordFixture.Tone, times = 20 });
        var tone = new Participant("Dora", DiscordFixture.ToneHertz, fixture.Server, page.Evaluate);
        await page.HearsExactly(tone);
        await dora.Do("pause");
        await page.HearsExactly();
        await dora.Do("unpause");
        await page.HearsExactly(tone);
        await dora.Do("stop");

        await ben.Play(0, 100);
        await cid.Hears(ben.User, 30);
        await ben.Do("pause");
        await cid.HearsSilence(ben.User, 5);
        await dora.Play(0, 150); // three seconds
        await cid.Hears(dora.User, 149);
        await ben.Do("unpause");
        Assert.Equal(Enumerable.Range(0, 100), (await cid.Hears(ben.User, 99)).Numbers);
        foreach (var stream in (await page.Stats()).GetProperty("streams").EnumerateArray()) Assert.Equal(0, stream.GetProperty("lost").GetInt64());
    }

    [Fact]
    public async Task A_voice_socket_cut_in_mid_talk_is_resumed_and_no_frame_is_lost()
    {
        const int frames = 600;
        await using var room = await fixture.OpenRoom();
        await using var toBen = new Forwarder();
        await using var toCid = new Forwarder();
        var (ben, cid, dora) = (await room.AddBot("Ben"), await room.AddBot("Cid"), await room.AddBot("Dora"));
        await Task.WhenAll(Join(ben, toBen), Join(cid, toCid));
        await cid.Knows(ben.User);
        await cid.Do("listen", new { user = $"{ben.User}" });
        await ben.Play(0, frames);

        // The talker's: the library itself holds its frames back until it has resumed.
        await cid.Hears(ben.User, 50);
        var before = ben.Told.Count;
        toBen.Cut();
        await ben.Reaches("connecting", before);
        toBen.Mend();
        await ben.Reaches("ready", before);

        // The listener's: media flows on, and who came meanwhile is told after.
        await cid.HearsMore(ben.User, 50);
        before = cid.Told.Count;
        toCid.Cut();
        await cid.Reaches("connecting", before);
        await cid.HearsMore(ben.User, 50);
        await dora.Join(room.Guild, room.Lounge);
        toCid.Mend();
        await cid.Reaches("ready", before);
        await cid.Knows(dora.User);
        await dora.Play(0, 50);
        Assert.Equal(Enumerable.Range(0, 50), (await cid.Hears(dora.User, 49)).Numbers);

        Assert.Equal(Enumerable.Range(0, frames), (await cid.Hears(ben.User, frames - 1)).Numbers);
        foreach (var bot in new[] { ben, cid })
        {
            Assert.Equal(1, bot.Sent(0)); // identified once
            Assert.Equal(1, bot.Sent(7));
        }

        async Task Join(Bot bot, Forwarder forwarder)
        {
            var joined = bot.Join(room.Guild, room.Lounge, forwarder.Address);
            forwarder.LeadTo((await bot.Tells("server")).GetProperty("endpoint").GetString()!);
            await joined;
        }
    }

    [Fact]
    public async Task A_session_that_the_server_does_not_know_is_closed_with_4006_and_the_bot_joins_again()
    {
        await using var room = await fixture.OpenRoom();
        var (ben, cid) = (await room.AddBot("Ben"), await room.AddBot("Cid"));
        await ben.Join(room.Guild, room.Lounge);
        await cid.Do("join", new { guild = $"{room.Guild}", channel = $"{room.Lounge}", wrong = new { session_id = new string('0', 32) }, times = 1 });
        await cid.Reaches("ready", after: 0);
        Assert.Equal([4006], cid.CloseCodes);
        await ben.Knows(cid.User);
        await cid.Play(0, 50);
        Assert.Equal(Enumerable.Range(0, 50), (await ben.Hears(cid.User, 49)).Numbers);
    }

    [Fact]
    public async Task A_library_that_comes_back_after_each_fatal_close_is_answered_later_and_later_and_still_gets_in()
    {
        const int wrong = 5;
        await using var room = await fixture.OpenRoom();
        var ben = await room.AddBot("Ben");
        var clock = Stopwatch.StartNew();
        await ben.Do("join", new { guild = $"{room.Guild}", channel = $"{room.Lounge}", wrong = new { token = "somebody else's" }, times = wrong });
        await ben.Reaches("ready", after: 0);
        Assert.Equal(Enumerable.Repeat(4004, wrong), ben.CloseCodes);
        Assert.True(clock.Elapsed > 3 * RejoinDelay.First, $"{wrong} times in {clock.Elapsed}");
    }

    [Fact]
    public async Task When_the_media_process_dies_bots_notice_nothing()
    {
        await using var room = await fixture.OpenRoom();
        Bot[] bots = [await room.AddBot("Ben"), await room.AddBot("Cid")];
        var (ben, cid) = (bots[0], bots[1]);
        await Task.WhenAll(ben.Join(room.Guild, room.Lounge), cid.Join(room.Guild, room.Lounge));
        await cid.Knows(ben.User);
        await ben.Play(0, Endless);
        await cid.Hears(ben.User, 25);
        fixture.Server.KillMedia();
        AssertInOrder((await cid.HearsMore(ben.User, 100)).Numbers);
        Assert.All(bots, bot => Assert.Empty(bot.CloseCodes));
        Assert.All(bots, bot => Assert.Equal((1, 0), (bot.Sent(opcode: 0), bot.Sent(opcode: 7)))); // identify, resume
    }

    private static void AssertInOrder(int[] numbers)
    {
        for (var i = 1; i < numbers.Length; i++) Assert.True(numbers[i] > numbers[i - 1], $"{numbers[i]} came after {numbers[i - 1]}");
    }
}
