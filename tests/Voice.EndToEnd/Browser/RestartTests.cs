using System.Globalization;
using Voice.EndToEnd.Harness;
using Xunit;

namespace Voice.EndToEnd.Browser;

/// <summary>`voice up` is killed and started again: nothing is lost, and nobody has to press anything.</summary>
public sealed class RestartTests
{
    [Fact]
    public async Task After_a_kill_guilds_are_the_same_pages_are_back_in_the_call_and_no_process_is_left_behind()
    {
        using var data = new TempDirectory();
        await using var chromium = await ChromiumBrowser.Start();
        var first = await VoiceProcess.Up(data.Path);
        try
        {
            await using var call = new Call(first, chromium);
            var (ann, ben) = (await call.Add(), await call.Add());
            await Call.Hearing((ann, [ben]), (ben, [ann]));
            var guilds = await ann.Evaluate(Guilds);
            var children = first.Children();
            Assert.NotEmpty(children);

            first.Kill();
            await Poll.Until(() => !children.Any(VoiceProcess.IsRunning), "the media process to end with its parent", TimeSpan.FromSeconds(10));
            await ann.Until("!voice.connected", "Ann's page to notice");

            var port = first.Address.Port.ToString(CultureInfo.InvariantCulture);
            await using var second = await VoiceProcess.Up(data.Path, "--port", port);
            await ann.Until("voice.connected", "Ann's page to find the gateway again", TimeSpan.FromSeconds(30));
            await ben.Until("voice.connected", "Ben's page to find the gateway again", TimeSpan.FromSeconds(30));
            await Task.WhenAll(ann.IsConnected(), ben.IsConnected());
            await Call.Hearing((ann, [ben]), (ben, [ann]));
            Assert.Equal(guilds.GetRawText(), (await ann.Evaluate(Guilds)).GetRawText());
        }
        finally
        {
            await first.DisposeAsync();
        }
    }

    private const string Guilds = "[...voice.guilds.values()].map(guild => [guild.id, guild.name, [...guild.channels.values()].map(channel => [channel.id, channel.name])])";
}
