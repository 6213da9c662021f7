using System.Net;
using System.Net.Sockets;
using Voice.Protocol.Links;
using Voice.Protocol.Voice;
using Voice.Signaling;
using Voice.Signaling.VoiceServer;
using Voice.Tests.Protocol.Voice;
using Xunit;

namespace Voice.Tests.Signaling.VoiceServer;

/// <summary>The shells around the core, with real sockets and a real media process.</summary>
public sealed class NodeHostTests : IDisposable
{
    private readonly string data = Directory.CreateTempSubdirectory("voice-node-").FullName;
    private readonly CancellationTokenSource patience = new(TimeSpan.FromSeconds(60));

    public void Dispose()
    {
        patience.Dispose();
        Directory.Delete(data, recursive: true);
    }

    [Fact]
    public async Task A_client_joins_over_real_sockets()
    {
        await using var gateway = new FakeGateway(data, RealNode.SecretBytes);
        await using var node = await NodeHost.StartAsync(Options(gateway.Address) with { MetricsPort = 0 }, patience.Token);
        var hello = await gateway.AcceptAsync(patience.Token);
        Assert.Equal((node.NodeId, node.Endpoint), (hello.NodeId, hello.Endpoint));

        await gateway.SendAsync(new NodePing(77));
        Assert.Equal(77, (await gateway.Next<NodePong>()).Number);
        await gateway.SendAsync(new GuildUpdate(41, "", 5, 1, true, [TestNode.Member(1)], []));
        Assert.False((await gateway.Next<GuildAck>()).NeedWhole);

        using var http = new HttpClient();
        Assert.Equal("ok\n", await http.GetStringAsync($"http://{node.Endpoint}/healthz", patience.Token));
        Assert.DoesNotContain("voice_participants", await (await http.GetAsync($"http://{node.Endpoint}/metrics", patience.Token)).Content.ReadAsStringAsync(patience.Token));

        using var client = await ConnectAsync(node);
        Assert.Equal(VoiceOpcode.Hello, TestClient.Op(await client.ReceiveAsync()));
        await client.SendAsync(RealNode.Identify(TestNode.Member(1)));
        var ready = (await client.ReceiveAsync()).GetProperty("d");
        await client.SendAsync(new { op = 1, d = new { protocol = "webrtc", data = Samples.Chromium } });
        var sdp = (await client.ReceiveAsync()).GetProperty("d").GetProperty("sdp").GetString();
        Assert.Contains($"127.0.0.1 {ready.GetProperty("port")} typ host", sdp);
        Assert.Equal(VoiceSessionState.Connected, (await gateway.Next<VoiceSessionChanged>()).State);
        Assert.Single((await gateway.Next<NodeReport>(report => report.Sessions == 1)).Hosted);
        Assert.Contains("voice_participants 1\n", await http.GetStringAsync(node.MetricsEndpoint, patience.Token));

        await client.SendAsync(new { op = 5, d = new string('x', VoiceSocket.MaxMessage) });
        Assert.Equal((int)VoiceCloseCode.DecodeError, await client.ClosedAsync());
        Assert.Equal(VoiceSessionState.Ended, (await gateway.Next<VoiceSessionChanged>()).State);
    }

    [Fact]
    public async Task A_node_comes_back_to_a_gateway_that_hung_up_and_its_calls_went_on()
    {
        await using var gateway = new FakeGateway(data, RealNode.SecretBytes);
        await using var node = await NodeHost.StartAsync(Options(gateway.Address), patience.Token);
        var first = await gateway.AcceptAsync(patience.Token);
        await gateway.SendAsync(new GuildUpdate(41, "", 5, 1, true, [TestNode.Member(1)], []));
        await gateway.Next<GuildAck>();
        using var client = await ConnectAsync(node);
        await client.ReceiveAsync();
        await client.SendAsync(RealNode.Identify(TestNode.Member(1)));
        await client.ReceiveAsync();
        await gateway.HangUpAsync();
        await client.CloseAsync(); // what happens now is told later

        var second = await gateway.AcceptAsync(patience.Token);
        Assert.Equal(first.Incarnation, second.Incarnation);
        Assert.Equal(new HostedGuild(41, "", 5), (await gateway.Next<NodeReport>()).Hosted.Single());
    }

    [Fact]
    public async Task A_gateway_that_does_not_know_the_secret_is_told_nothing()
    {
        await using var gateway = new FakeGateway(data, [.. RealNode.SecretBytes.Reverse()]);
        await using var node = await NodeHost.StartAsync(Options(gateway.Address), patience.Token);

        await Assert.ThrowsAsync<EndOfStreamException>(() => gateway.AcceptAsync(patience.Token));
    }

    [Fact]
    public async Task What_keeps_a_node_from_starting_is_one_line()
    {
        using var udp = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        udp.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        using var tcp = new TcpListener(IPAddress.Loopback, 0);
        tcp.Start();
        var good = Options("127.0.0.1:1");

        var busyUdp = await FailureAsync(good with { MediaPort = ((IPEndPoint)udp.LocalEndPoint!).Port });
        Assert.Contains("UDP port", busyUdp);
        Assert.Contains("TCP port", await FailureAsync(good with { Port = ((IPEndPoint)tcp.LocalEndpoint).Port }));
        Assert.Contains("no-such-program", await FailureAsync(good with { MediaCommand = ["no-such-program"] }));
        Assert.Contains("node id", await FailureAsync(good with { NodeId = "Node 1" }));
        Assert.Contains("host:port", await FailureAsync(good with { Gateways = ["nowhere"] }));

        async Task<string> FailureAsync(NodeOptions options)
        {
            var failure = await Assert.ThrowsAsync<StartupException>(() => NodeHost.StartAsync(options, patience.Token));
            Assert.DoesNotContain('\n', failure.Message);
            return failure.Message;
        }
    }

    private NodeOptions Options(string gateway) => RealNode.Options(data, gateway);

    private Task<RealClient> ConnectAsync(NodeHost node) => RealClient.ConnectAsync(node, "?v=8", patience.Token);
}
