using System.Net.WebSockets;
using System.Text;
using System.Text.Json;
using Voice.Protocol.Links;
using Voice.Signaling;
using Voice.Signaling.VoiceServer;

namespace Voice.Tests.Signaling.VoiceServer;

/// <summary>A node with real sockets, a real media process, and a gateway that is not one.</summary>
internal sealed class RealNode : IAsyncDisposable
{
    public const string Secret = "a secret of the tests, long enough";

    public static readonly byte[] SecretBytes = Encoding.UTF8.GetBytes(Secret);
    public static readonly string[] MediaCommand = ["dotnet", Path.Combine(AppContext.BaseDirectory, "voice.dll"), "media"];

    private readonly string data = Directory.CreateTempSubdirectory("voice-node-").FullName;
    private readonly CancellationTokenSource patience = new(TimeSpan.FromSeconds(60));

    private RealNode() => Gateway = new FakeGateway(data, SecretBytes);

    /// <summary>Ends when a test has waited for too long.</summary>
    public CancellationToken Patience => patience.Token;

    public FakeGateway Gateway { get; }

    public NodeHost Host { get; private set; } = null!;

    /// <summary>Up, linked, and given guild 41 with these members.</summary>
    public static async Task<RealNode> StartAsync(VoiceMember[] members, Func<NodeOptions, NodeOptions>? change = null)
    {
        var node = new RealNode();
        var options = Options(node.data, node.Gateway.Address);
        node.Host = await NodeHost.StartAsync(change?.Invoke(options) ?? options, node.patience.Token);
        await node.Gateway.AcceptAsync(node.patience.Token);
        await node.Gateway.SendAsync(new GuildUpdate(TestNode.Guild, "", TestNode.Epoch, 1, true, members, []));
        await node.Gateway.Next<GuildAck>();
        return node;
    }

    public static NodeOptions Options(string data, string gateway) => new()
    {
        DataDirectory = data,
        Port = 0,
        MediaPort = 0,
        Gateways = [gateway],
        ClusterSecret = Secret,
        MediaCommand = MediaCommand,
    };

    public static object Identify(VoiceMember member)
    {
        var token = new VoiceToken(TestNode.Guild, member.Channel, member.User, member.SessionId, TestNode.NodeId, TestNode.Epoch, "");
        return new
        {
            op = 0,
            d = new
            {
                server_id = $"{TestNode.Guild}",
                user_id = $"{member.User}",
                session_id = member.SessionId,
                token = new VoiceTokenKey(SecretBytes).Sign(token, DateTimeOffset.UtcNow),
            },
        };
    }

    public Task<RealClient> ConnectAsync(string query = "?v=8") => RealClient.ConnectAsync(Host, query, patience.Token);

    public async ValueTask DisposeAsync()
    {
        await Host.DisposeAsync();
        await Gateway.DisposeAsync();
        patience.Dispose();
        Directory.Delete(data, recursive: true);
    }
}

/// <summary>A client's real WebSocket.</summary>
internal sealed class RealClient : IDisposable
{
    private readonly ClientWebSocket socket = new();
    private readonly CancellationToken patience;

    private RealClient(CancellationToken patience) => this.patience = patience;

    /// <exception cref="WebSocketException">The node refused.</exception>
    public static async Task<RealClient> ConnectAsync(NodeHost node, string query, CancellationToken patience)
    {
        var client = new RealClient(patience);
        await client.socket.ConnectAsync(new Uri($"ws://{node.Endpoint}{query}"), patience);
        return client;
    }

    public void Dispose() => socket.Dispose();

    public Task SendAsync(object message) => SendAsync(JsonSerializer.SerializeToUtf8Bytes(message), WebSocketMessageType.Text);

    public Task SendAsync(byte[] message, WebSocketMessageType type) => socket.SendAsync(message, type, true, patience);

    /// <exception cref="EndOfStreamException">The node closed.</exception>
    public async Task<JsonElement> ReceiveAsync()
    {
        var buffer = new byte[64 * 1024];
        var got = await socket.ReceiveAsync(buffer, patience);
        if (got.MessageType == WebSocketMessageType.Close) throw new EndOfStreamException();
        return JsonElement.Parse(buffer.AsSpan(0, got.Count));
    }

    /// <summary>Reads on until the node closes, and answers it.</summary>
    /// <returns>The close code.</returns>
    public async Task<int> ClosedAsync()
    {
        try
        {
            while (true) await ReceiveAsync();
        }
        catch (EndOfStreamException)
        {
            await socket.CloseOutputAsync(WebSocketCloseStatus.NormalClosure, null, patience);
            return (int)socket.CloseStatus!;
        }
    }

    public Task CloseAsync() => socket.CloseAsync(WebSocketCloseStatus.NormalClosure, null, patience);
}
