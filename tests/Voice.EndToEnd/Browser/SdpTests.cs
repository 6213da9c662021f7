using Microsoft.Playwright;
using Xunit;

namespace Voice.EndToEnd.Browser;

/// <summary>voice-client.js's session descriptions, tried where they run.</summary>
public sealed class SdpTests(CallFixture fixture) : IClassFixture<CallFixture>, IAsyncLifetime
{
    private IPage page = null!;

    public async ValueTask InitializeAsync()
    {
        page = await fixture.Chromium.NewPage();
        await page.GotoAsync(fixture.Server.Address.AbsoluteUri);
        await page.EvaluateAsync("async () => { window.sdp = await import('/voice-client.js'); }");
    }

    public async ValueTask DisposeAsync()
    {
        if (page is not null) await page.Context.DisposeAsync();
    }

    [Fact]
    public async Task A_fragment_has_each_kept_line_of_the_offer_once_and_nothing_that_tells_where_we_are()
    {
        var fragment = await page.EvaluateAsync<string>("""
            async () => {
              const peer = new RTCPeerConnection();
              peer.addTransceiver('audio', { direction: 'sendonly' });
              peer.addTransceiver('audio', { direction: 'recvonly' });
              await peer.setLocalDescription();
              await new Promise(done => { peer.onicecandidate = event => event.candidate || done(); });
              return sdp.fragmentOf(peer.localDescription.sdp);
            }
            """);
        var lines = fragment.Split('\n');
        Assert.Equal(lines.Length, lines.Distinct().Count());
        Assert.Single(lines, line => line.StartsWith("a=ice-ufrag:", StringComparison.Ordinal));
        Assert.Single(lines, line => line.StartsWith("a=ice-pwd:", StringComparison.Ordinal));
        Assert.Single(lines, line => line.StartsWith("a=fingerprint:sha-256 ", StringComparison.Ordinal));
        Assert.Contains(lines, line => line.StartsWith("a=rtpmap:", StringComparison.Ordinal) && line.Contains("opus/48000/2", StringComparison.Ordinal));
        Assert.DoesNotContain(lines, line => line.Contains("candidate", StringComparison.Ordinal));
        Assert.All(lines, line => Assert.StartsWith("a=", line));
    }

    [Theory]
    [InlineData("sendonly", false, "recvonly")]
    [InlineData("recvonly", true, "sendonly")]
    [InlineData("recvonly", false, "inactive")]
    [InlineData("inactive", true, "inactive")]
    [InlineData("sendrecv", true, "sendrecv")]
    [InlineData("sendrecv", false, "recvonly")]
    public async Task The_answers_direction_follows_from_the_offers_and_from_whether_somebody_sends(string offered, bool sends, string answered)
    {
        var answer = await page.EvaluateAsync<string>(
            "([offered, sends, server]) => sdp.answerTo(`v=0\\r\\nm=audio 9 UDP/TLS/RTP/SAVPF 109\\r\\na=mid:7\\r\\na=${offered}\\r\\na=rtpmap:109 opus/48000/2\\r\\n`, " +
            "sdp.parseServerSdp(server), new Map(sends ? [['7', { userId: '42', ssrc: 1000 }]] : []))",
            new object[] { offered, sends, ServerSdp });
        var lines = answer.Split("\r\n");
        Assert.Contains($"a={answered}", lines);
        Assert.Contains("a=mid:7", lines);
        Assert.Contains("a=setup:passive", lines);
        Assert.Contains("m=audio 50000 UDP/TLS/RTP/SAVPF 109", lines);
        Assert.Equal(sends, lines.Contains("a=msid:42-1000 a42-1000"));
        Assert.Equal(sends, lines.Contains("a=ssrc:1000 cname:42-1000"));
    }

    [Theory]
    [InlineData("a=fingerprint:")]
    [InlineData("a=ice-ufrag:")]
    [InlineData("a=ice-pwd:")]
    [InlineData("c=")]
    public async Task A_server_description_without_a_line_that_is_needed_is_refused(string prefix)
    {
        var cut = string.Join('\n', ServerSdp.Split('\n').Where(line => !line.StartsWith(prefix, StringComparison.Ordinal)));
        var message = await page.EvaluateAsync<string>("cut => { try { sdp.parseServerSdp(cut); return ''; } catch (error) { return error.message; } }", cut);
        Assert.Contains(prefix, message);
    }

    [Theory]
    [InlineData(1000, "resume")]
    [InlineData(1006, "resume")]
    [InlineData(4004, "rejoin")]
    [InlineData(4006, "rejoin")]
    [InlineData(4009, "rejoin")]
    [InlineData(4014, "wait")]
    [InlineData(4015, "resume")]
    [InlineData(4021, "stop")]
    [InlineData(4022, "wait")]
    public async Task A_close_code_has_one_reaction(int code, string reaction) =>
        Assert.Equal(reaction, await page.EvaluateAsync<string>("code => sdp.reactionTo(code)", code));

    private const string ServerSdp = """
        m=audio 50000 ICE/SDP
        a=fingerprint:sha-256 AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB
        c=IN IP4 192.0.2.7
        a=rtcp:50000
        a=ice-ufrag:abcdefgh
        a=ice-pwd:0123456789012345678901
        a=candidate:1 1 UDP 2130706431 192.0.2.7 50000 typ host
        """;
}
