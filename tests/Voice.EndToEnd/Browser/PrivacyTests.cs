using System.Collections.Concurrent;
using Voice.EndToEnd.Harness;
using Xunit;

namespace Voice.EndToEnd.Browser;

/// <summary>Three browsers, each in a network namespace with an address of its own: nobody learns another's.</summary>
public sealed class PrivacyTests
{
    [Fact]
    public async Task Nothing_that_a_client_receives_contains_another_clients_address()
    {
        await using var network = await TestNetwork.Create();
        using var data = new TempDirectory();
        await using var server = await VoiceProcess.Up(data.Path, "--bind", network.Address, "--guests", "true");

        var hosts = new List<(NetworkNamespace Host, ChromiumBrowser Browser, Participant Who, ConcurrentQueue<string> Received)>();
        try
        {
            for (var i = 0; i < 3; i++)
            {
                var host = await network.AddHost();
                var browser = await ChromiumBrowser.Start(host);
                var page = await browser.NewPage(Scripts.Ears, RemoteDescriptions);
                var received = new ConcurrentQueue<string>();
                page.WebSocket += (_, socket) => socket.FrameReceived += (_, frame) => received.Enqueue(frame.Text ?? Convert.ToHexString(frame.Binary!));
                page.Response += (_, response) => received.Enqueue(string.Join('\n', response.Headers.Select(header => $"{header.Key}: {header.Value}")));
                var who = Participant.Of(page, server, $"Person{i}", Participant.Tones[i]);
                hosts.Add((host, browser, who, received));
                await page.GotoAsync(Participant.Address(server, who.Name, who.Tone, "Lounge").AbsoluteUri);
            }

            await Task.WhenAll(hosts.Select(mine => mine.Who.HearsExactly([.. hosts.Where(other => other != mine).Select(other => other.Who)])));

            foreach (var mine in hosts)
            {
                var descriptions = await mine.Who.Evaluate("remoteDescriptions()");
                var all = string.Join('\n', mine.Received) + descriptions.GetRawText();
                Assert.Contains("a=candidate", all); // the record is of both sockets: it holds the voice server's description
                Assert.Contains("VOICE_SERVER_UPDATE", all);
                foreach (var other in hosts.Where(other => other != mine))
                {
                    var addresses = await other.Host.AllAddresses();
                    Assert.Contains(other.Host.Address, addresses);
                    Assert.All(addresses, address => Assert.DoesNotContain(address, all));
                }
            }
        }
        finally
        {
            foreach (var (_, browser, _, _) in hosts) await browser.DisposeAsync();
        }
    }

    /// <summary>`remoteDescriptions()`: every remote description and remote candidate of every peer connection so far.</summary>
    private const string RemoteDescriptions = """
        (() => {
          const Peer = window.RTCPeerConnection;
          const peers = [], descriptions = [];
          window.RTCPeerConnection = class extends Peer {
            constructor(...parameters) { super(...parameters); peers.push(this); }
            setRemoteDescription(description) { descriptions.push(description.sdp); return super.setRemoteDescription(description); }
          };
          window.remoteDescriptions = async () => [...descriptions, ...(await Promise.all(peers.map(async peer =>
            [...(await peer.getStats()).values()].filter(report => report.type === 'remote-candidate')))).flat()];
        })();
        """;
}
