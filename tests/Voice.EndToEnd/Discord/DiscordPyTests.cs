using Voice.EndToEnd.Harness;
using Xunit;

namespace Voice.EndToEnd.Discord;

/// <summary>Debian's discord.py 2.2.2, which knows only the encryption modes that this server offers on demand, and connects to
/// port 443 whatever the endpoint says.</summary>
public sealed class DiscordPyTests
{
    [Theory]
    [InlineData("xsalsa20_poly1305_lite")]
    [InlineData("xsalsa20_poly1305_suffix")]
    [InlineData("xsalsa20_poly1305")]
    public async Task An_old_bot_logs_in_joins_and_is_heard_by_a_new_one(string mode)
    {
        const int frames = 100;
        using var data = new TempDirectory();
        await using var server = await VoiceProcess.Up(data.Path, "--node-port", "443", "--encryption-modes", $"aead_aes256_gcm_rtpsize,{mode}");
        await using var room = await Room.Open(server, data.Path);
        var (ben, old) = (await room.AddBot("Ben"), await room.AddDiscordPy("Olga"));
        await ben.Join(room.Guild, room.Lounge);
        await old.Join(room.Guild, room.Lounge);
        Assert.Equal(mode, (await old.Tells("connection")).GetProperty("mode").GetString());
        await ben.Knows(old.User);
        await ben.Do("listen", new { user = $"{old.User}" });
        await old.Play(0, frames);
        Assert.Equal(Enumerable.Range(0, frames), (await ben.Hears(old.User, frames - 1)).Numbers);
    }
}
