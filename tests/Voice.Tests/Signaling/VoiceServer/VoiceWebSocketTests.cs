using System.Net.Security;
using System.Net.Sockets;
using System.Net.WebSockets;
using System.Text;
using Voice.Protocol.Voice;
using Xunit;

namespace Voice.Tests.Signaling.VoiceServer;

/// <summary>What libraries do with the WebSocket itself, on a real one.</summary>
public class VoiceWebSocketTests
{
    [Fact]
    public async Task The_handshakes_of_libraries_are_taken_over_TLS_and_compression_is_declined()
    {
        await using var node = await RealNode.StartAsync([]);

        // As the npm package ws (discord.js) and as aiohttp (discord.py) write them.
        string[] handshakes =
        [
            "GET /?v=8 HTTP/1.1\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
                + "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\nHost: {0}\r\n\r\n",
            "GET /?v=4 HTTP/1.1\r\nHost: {0}\r\nUpgrade: websocket\r\nConnection: upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
                + "Accept: */*\r\nAccept-Encoding: gzip, deflate\r\nUser-Agent: Python/3.11 aiohttp/3.8.4\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: {0}\r\nupgrade: WebSocket\r\nconnection: keep-alive, Upgrade\r\nsec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
        ];
        foreach (var (handshake, version) in handshakes.Zip([8, 4, 4]))
        {
            var answer = await HandshakeAsync(node.Host.Endpoint, string.Format(null, handshake, node.Host.Endpoint));
            Assert.StartsWith("HTTP/1.1 101 ", answer);
            Assert.Contains("Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=", answer);
            Assert.DoesNotContain("Sec-WebSocket-Extensions", answer);
            Assert.EndsWith($$$"""{"op":8,"d":{"v":{{{version}}},"heartbeat_interval":13750}}""", answer);
        }
    }

    [Fact]
    public async Task Versions_4_to_9_are_served_and_no_other_path()
    {
        await using var node = await RealNode.StartAsync([]);
        foreach (var query in new[] { "", "/", "?v=4", "/?v=5", "?v=7", "/?v=9" })
        {
            using var client = await node.ConnectAsync(query);
            Assert.Equal(VoiceOpcode.Hello, TestClient.Op(await client.ReceiveAsync()));
        }

        foreach (var query in new[] { "?v=3", "?v=10", "?v=x", "?v=", "/voice?v=8" }) await Assert.ThrowsAsync<WebSocketException>(() => node.ConnectAsync(query));
    }

    [Fact]
    public async Task A_client_need_not_wait_for_Hello_nor_for_anything_else()
    {
        var member = TestNode.Member(1);
        await using var node = await RealNode.StartAsync([member], options => options with { EncryptionModes = ["xsalsa20_poly1305"] });
        using var client = await node.ConnectAsync();
        await client.SendAsync(RealNode.Identify(member));
        await client.SendAsync(new { op = 1, d = new { protocol = "udp", data = new { address = "127.0.0.1", port = 1, mode = "xsalsa20_poly1305" } } });
        await client.SendAsync([26, 1, 2, 3], WebSocketMessageType.Binary); // end-to-end encryption: not ours, no harm
        await client.SendAsync(new { op = 3, d = new { t = 5, seq_ack = -1 } });

        var heard = new List<string>();
        for (var i = 0; i < 4; i++) heard.Add(TestClient.Op(await client.ReceiveAsync()).ToString());
        Assert.Equal(["Hello", "Ready"], heard[..2]);
        Assert.Equal(["HeartbeatAck", "SessionDescription"], heard[2..].Order()); // the latter when the media process is ready for it
        await client.SendAsync([27], WebSocketMessageType.Binary);
        Assert.Equal((int)VoiceCloseCode.UnknownOpcode, await client.ClosedAsync());
    }

    [Fact]
    public async Task Who_talks_too_much_is_closed()
    {
        await using var node = await RealNode.StartAsync([]);
        using var client = await node.ConnectAsync();
        for (var i = 0; i < 300; i++) await client.SendAsync(new { op = 3, d = i });

        Assert.Equal((int)VoiceCloseCode.RateLimited, await client.ClosedAsync());
    }

    [Fact]
    public async Task A_node_that_stops_in_order_tells_its_clients()
    {
        var member = TestNode.Member(1);
        await using var node = await RealNode.StartAsync([member]);
        using var client = await node.ConnectAsync();
        await client.SendAsync(RealNode.Identify(member));
        await client.ReceiveAsync();
        await client.ReceiveAsync();
        var stopping = node.Host.StopAsync();

        Assert.Equal((int)VoiceCloseCode.VoiceServerCrashed, await client.ClosedAsync());
        await stopping;
    }

    /// <summary>Sends bytes and reads the answer's head and the WebSocket message that follows it.</summary>
    private static async Task<string> HandshakeAsync(string endpoint, string request)
    {
        var cancel = TestContext.Current.CancellationToken;
        using var tcp = new TcpClient();
        var colon = endpoint.LastIndexOf(':');
        await tcp.ConnectAsync(endpoint[..colon], int.Parse(endpoint[(colon + 1)..]), cancel);
        await using var tls = new SslStream(tcp.GetStream(), leaveInnerStreamOpen: false, (_, certificate, _, _) => certificate is not null);
        await tls.AuthenticateAsClientAsync("localhost");
        await tls.WriteAsync(Encoding.ASCII.GetBytes(request), cancel);
        var answer = new StringBuilder();
        var buffer = new byte[4096];
        while (!answer.ToString().EndsWith("}}", StringComparison.Ordinal))
        {
            var got = await tls.ReadAsync(buffer, cancel);
            if (got == 0) break;
            answer.Append(Encoding.Latin1.GetString(buffer, 0, got));
        }

        return answer.ToString();
    }
}
