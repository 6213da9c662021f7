using System.Collections.Concurrent;
using Voice.EndToEnd.Browser;
using Voice.EndToEnd.Harness;
using Voice.Signaling.VoiceServer;
using Xunit;

namespace Voice.EndToEnd.Failover;

/// <summary>Chromium talks and hears while the media process is killed, and while another takes over from it: nothing in the page changes.</summary>
public sealed class BrowserTests
{
    /// <summary>Notes every change of state of every peer connection.</summary>
    private const string Witness = """
        window.witnessed = [];
        window.RTCPeerConnection = class extends RTCPeerConnection {
            constructor(...options) {
                super(...options);
                window.peer = this;
                for (const kind of ['connectionstatechange', 'iceconnectionstatechange', 'signalingstatechange', 'icegatheringstatechange'])
                    this.addEventListener(kind, () => window.witnessed.push(`${kind} ${this.connectionState} ${this.iceConnectionState}`));
            }
        };
        """;

    private const string Received = "[...(await peer.getStats()).values()].filter(each => each.type === 'inbound-rtp').reduce((sum, each) => sum + each.packetsReceived, 0)";

    /// <summary>Six seconds: ICE takes five to notice.</summary>
    private const int LongEnough = 300;

    [Theory]
    [InlineData("SIGKILL")]
    [InlineData("reload")]
    public async Task A_call_goes_on_through_another_media_process(string how)
    {
        using var data = new TempDirectory();
        await using var server = await VoiceProcess.Up(data.Path);
        await using var chromium = await ChromiumBrowser.Start();
        await using var call = new Call(server, chromium);
        var (ann, ben) = (await call.Add("Lounge", Witness), await call.Add("Lounge", Witness));
        await Call.Hearing((ann, [ben]), (ben, [ann]));
        await Poll.Until(() => server.Children().Length == 2, "a spare media process", TimeSpan.FromSeconds(20));
        var errors = new ConcurrentQueue<string>();
        foreach (var person in new[] { ann, ben })
        {
            call.PageOf(person).Console += (_, line) => { if (line.Type == "error") errors.Enqueue(line.Text); };
            call.PageOf(person).PageError += (_, error) => errors.Enqueue(error);
        }
        var before = await Task.WhenAll(States(ann), States(ben));

        var first = server.ServingMedia();
        if (how == "SIGKILL") server.KillMedia();
        else Assert.StartsWith("reloaded: ", await NodeControl.AskAsync(data.Path, null, NodeHost.ReloadRequest, TestContext.Current.CancellationToken));
        await Poll.Until(() => !VoiceProcess.IsRunning(first), "the first process to be gone", TimeSpan.FromSeconds(5));
        await Task.WhenAll(HearsOn(ann), HearsOn(ben));

        await Call.Hearing((ann, [ben]), (ben, [ann]));
        Assert.Equal(before, await Task.WhenAll(States(ann), States(ben)));
        Assert.Empty(errors);
    }

    private static async Task HearsOn(Participant person)
    {
        var enough = (await person.Evaluate(Received)).GetInt64() + LongEnough;
        await person.Until($"{Received} >= {enough}", $"{person.Name} to hear on", TimeSpan.FromSeconds(30));
    }

    private static async Task<string> States(Participant person)
    {
        var states = await person.Evaluate("({ now: peer.connectionState, state: voice.state, witnessed })");
        Assert.Equal("connected", states.GetProperty("now").GetString());
        return states.GetRawText();
    }
}
