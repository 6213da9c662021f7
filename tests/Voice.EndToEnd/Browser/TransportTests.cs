using Voice.EndToEnd.Harness;
using Xunit;

namespace Voice.EndToEnd.Browser;

/// <summary>Every way that media can be protected and addressed, once with real browsers.</summary>
public sealed class TransportTests
{
    [Theory]
    [InlineData("aead_aes_128_gcm", "SRTP_AEAD_AES_128_GCM")]
    [InlineData("aes_cm_128_hmac_sha1_80", "SRTP_AES128_CM_HMAC_SHA1_80")]
    public async Task Browsers_hear_each_other_with_the_one_srtp_profile_that_the_node_offers(string profile, string cipher)
    {
        using var data = new TempDirectory();
        await using var server = await VoiceProcess.Up(data.Path, "--srtp-profiles", profile);
        await using var chromium = await ChromiumBrowser.Start();
        await using var call = new Call(server, chromium);
        var (ann, ben) = (await call.Add(), await call.Add());
        await Call.Hearing((ann, [ben]), (ben, [ann]));
        Assert.Equal(cipher, (await ann.Stats()).GetProperty("cipher").GetString());
    }

    [Fact]
    public async Task Browsers_hear_each_other_over_IPv6()
    {
        using var data = new TempDirectory();
        await using var server = await VoiceProcess.Up(data.Path, "--bind", "::1");
        Assert.Equal("[::1]", server.Address.Host);
        await using var chromium = await ChromiumBrowser.Start();
        await using var call = new Call(server, chromium);
        var (ann, ben) = (await call.Add("Lounge", RemoteCandidates), await call.Add("Lounge", RemoteCandidates));
        await Call.Hearing((ann, [ben]), (ben, [ann]));
        var addresses = await ann.Evaluate("remoteCandidates()");
        Assert.Equal(["::1"], addresses.EnumerateArray().Select(address => address.GetString()));
    }

    [Fact]
    public async Task Firefox_and_Chromium_hear_each_other()
    {
        using var data = new TempDirectory();
        await using var server = await VoiceProcess.Up(data.Path);
        await using var chromium = await ChromiumBrowser.Start();
        await using var call = new Call(server, chromium);
        var ann = await call.Add();
        await ann.IsConnected();

        await using var firefox = await FirefoxBidi.Start(microphone: Participant.Tones[3]);
        var fay = new Participant("Fay", Participant.Tones[3], server, firefox.Evaluate);
        await firefox.Navigate(Participant.Address(server, fay.Name, tone: null, "Lounge"));
        await firefox.Evaluate($"void eval({System.Text.Json.JsonSerializer.Serialize(Scripts.Ears)})");
        await fay.IsConnected();
        await Call.Hearing((ann, [fay]), (fay, [ann]));

        // Somebody comes, goes, and another takes the m-section over.
        var ben = await call.Add();
        await Call.Hearing((ann, [ben, fay]), (ben, [ann, fay]), (fay, [ann, ben]));
        await ben.Evaluate("voice.leave()");
        await Call.Hearing((ann, [fay]), (fay, [ann]));
        var cid = await call.Add();
        await Call.Hearing((ann, [cid, fay]), (cid, [ann, fay]), (fay, [ann, cid]));
    }

    /// <summary>`remoteCandidates()`: the addresses that the page's pairs lead to.</summary>
    private const string RemoteCandidates = """
        (() => {
          const Peer = window.RTCPeerConnection;
          let last;
          window.RTCPeerConnection = class extends Peer {
            constructor(...parameters) { super(...parameters); last = this; }
          };
          window.remoteCandidates = async () =>
            [...new Set([...(await last.getStats()).values()].filter(report => report.type === 'remote-candidate').map(report => report.address))];
        })();
        """;
}
