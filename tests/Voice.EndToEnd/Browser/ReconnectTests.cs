using Voice.EndToEnd.Harness;
using Xunit;

namespace Voice.EndToEnd.Browser;

/// <summary>What breaks under a call is mended by the page.</summary>
public sealed class ReconnectTests(CallFixture fixture) : IClassFixture<CallFixture>
{
    [Fact]
    public async Task Broken_sockets_are_resumed_and_the_call_does_not_notice()
    {
        await using var call = new Call(fixture.Server, fixture.Chromium);
        var (ann, ben) = (await call.Add("Lounge", Scripts.Sockets), await call.Add());
        await Call.Hearing((ann, [ben]), (ben, [ann]));
        await ann.Evaluate("void states.splice(0)");

        await ann.Evaluate("void sockets.findLast(socket => socket.url.endsWith('?v=8')).close(4900)");
        await ann.Until("sent(7) === 1 && sockets.at(-1).readyState === 1", "the voice socket to be resumed");
        await ann.Evaluate("void sockets.find(socket => socket.url.includes('?v=10')).close(4900)");
        await ann.Until("!voice.connected", "the page to notice that the gateway is gone");
        await ann.Until("voice.connected", "the gateway's session to be resumed");

        await Call.Hearing((ann, [ben]), (ben, [ann]));
        Assert.Equal("[]", (await ann.Evaluate("states")).GetRawText());
        Assert.Equal("1", (await ann.Evaluate("sent(0)")).GetRawText()); // identified once, and never again
    }

    [Fact]
    public async Task Who_joins_as_the_same_person_elsewhere_takes_the_call_over()
    {
        await using var call = new Call(fixture.Server, fixture.Chromium);
        var (ann, ben) = (await call.Add(), await call.Add());
        await Call.Hearing((ann, [ben]), (ben, [ann]));
        var token = (await ann.Evaluate("JSON.parse(sessionStorage.getItem('voice.login')).token")).GetString();
        var page = await fixture.Chromium.NewPage(Scripts.Ears);
        var again = Participant.Of(page, fixture.Server, "Ann", Participant.Tones[2]);
        await page.GotoAsync($"{Participant.Address(fixture.Server, again.Name, again.Tone, "Lounge")}#token={token}");
        await Call.Hearing((again, [ben]), (ben, [again]));
        await ann.Reaches("Disconnected");
        await page.Context.DisposeAsync();
    }
}
