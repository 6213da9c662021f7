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

            await using var second = await VoiceProcess.Up(data.Path, "--port", Number(first.Address.Port));
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

    /// <summary>After its restart the gateway does not know whether the page's voice session lives, so it says nothing, and there is no node that could know.</summary>
    [Fact]
    public async Task A_page_waits_for_its_voice_server_as_long_as_there_is_none()
    {
        using var data = new TempDirectory();
        await using var chromium = await ChromiumBrowser.Start();
        await using var first = await VoiceProcess.Gateway(data.Path);
        await using var node = await VoiceProcess.Node("node", data.Path, first.LinkPort);
        await using var call = new Call(first, chromium);
        var ann = await call.Add();
        await ann.IsConnected();
        var asked = await Asked(ann);

        // Frozen, it does not come back to the gateway, and the page does not miss it yet.
        node.Freeze();
        first.Kill();
        await ann.Until("!voice.connected", "Ann's page to notice");
        await using var second = await VoiceProcess.Gateway(data.Path, "--port", Number(first.Address.Port), "--link-port", Number(first.LinkPort));
        await ann.Until("voice.connected", "Ann's page to find the gateway again", TimeSpan.FromSeconds(30));
        node.Kill();

        // With the voice session that she has, without it, and again because nobody answers.
        await Poll.Until(async () => await Asked(ann) >= asked + 3, "Ann's page to ask three times", TimeSpan.FromSeconds(40));
        Assert.Equal("Awaiting Endpoint", (await ann.Evaluate("voice.state")).GetString());
        await using var late = await VoiceProcess.Node("node", data.Path, second.LinkPort);
        await ann.IsConnected();
    }

    private static async Task<int> Asked(Participant one) => (await one.Evaluate("trail.filter(line => line.includes(' > 4 ')).length")).GetInt32();

    private static string Number(int port) => port.ToString(CultureInfo.InvariantCulture);

    private const string Guilds = "[...voice.guilds.values()].map(guild => [guild.id, guild.name, [...guild.channels.values()].map(channel => [channel.id, channel.name])])";
}
