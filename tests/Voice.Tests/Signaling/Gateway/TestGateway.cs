using System.IO.Compression;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Net.WebSockets;
using System.Text;
using System.Text.Json;
using Voice.Client;
using Voice.Protocol;
using Voice.Signaling.Gateway;
using Xunit;

namespace Voice.Tests.Signaling.Gateway;

/// <summary>A gateway on a free loopback port, with guilds in memory, and ways to talk to it.</summary>
internal sealed class TestGateway : IAsyncDisposable
{
    private readonly string _data = Directory.CreateTempSubdirectory("voice-").FullName;
    private readonly HttpClient _http = new();

    public FakeGrains Guilds { get; } = new();

    public GatewayHost Host { get; private set; } = null!;

    public AccountTokens Tokens { get; private set; } = null!;

    /// <param name="realGuilds">With a silo, instead of <see cref="Guilds"/>.</param>
    public static async Task<TestGateway> Start(TimeProvider? time = null, bool? guestLogin = null, string? publicHost = null, bool realGuilds = false)
    {
        var gateway = new TestGateway();
        var options = new GatewayOptions { DataDirectory = gateway._data, Port = 0, LinkPort = 0, GuestLogin = guestLogin, PublicHost = publicHost };
        gateway.Host = await GatewayHost.StartAsync(options, realGuilds ? null : gateway.Guilds.Grains, time ?? TimeProvider.System, TestContext.Current.CancellationToken);
        gateway.Tokens = AccountTokens.Open(gateway._data, time: time);
        return gateway;
    }

    public string Token(Snowflake user, bool administrator = false, bool bot = false) => Tokens.Mint(user, TimeSpan.FromHours(1), administrator, bot);

    public Task<GatewayClient> Connect(Snowflake user, GatewayClientOptions? options = null) =>
        GatewayClient.ConnectAsync(new Uri($"ws://127.0.0.1:{Host.Port}"), Token(user), options, TestContext.Current.CancellationToken);

    public async Task<RawSocket> ConnectRaw(string query = "v=10&encoding=json")
    {
        var socket = new ClientWebSocket();
        await socket.ConnectAsync(new Uri($"ws://127.0.0.1:{Host.Port}/?{query}"), TestContext.Current.CancellationToken);
        return new RawSocket(socket);
    }

    public async Task<(int Status, JsonElement Body)> Request(HttpMethod method, string path, string? token = null, object? body = null, string? host = null)
    {
        using var request = new HttpRequestMessage(method, new Uri($"http://127.0.0.1:{Host.Port}{path}"));
        if (token is not null) request.Headers.Authorization = AuthenticationHeaderValue.Parse(token);
        request.Headers.Host = host;
        if (body is not null) request.Content = JsonContent.Create(body);
        using var response = await _http.SendAsync(request, TestContext.Current.CancellationToken);
        var text = await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
        return ((int)response.StatusCode, text.Length > 0 ? JsonDocument.Parse(text).RootElement : default);
    }

    /// <summary>The answer to a request of this user's, which has to have this status.</summary>
    public async Task<JsonElement> Ask(Snowflake user, HttpMethod method, string path, object? body, int expected = 200)
    {
        var (status, answer) = await Request(method, path, Token(user), body);
        Assert.Equal(expected, status);
        return answer;
    }

    /// <summary>A request of this user's is refused with this status and Discord's code.</summary>
    public async Task Refused(Snowflake user, HttpMethod method, string path, object? body, int status, int code)
    {
        var (refused, answer) = await Request(method, path, Token(user), body);
        Assert.Equal((status, code), (refused, answer.GetProperty("code").GetInt32()));
    }

    public async ValueTask DisposeAsync()
    {
        await Host.DisposeAsync();
        _http.Dispose();
        Directory.Delete(_data, recursive: true);
    }
}

/// <summary>A WebSocket that says what it is told to, and only that.</summary>
internal sealed class RawSocket(ClientWebSocket socket) : IDisposable
{
    private readonly MemoryStream _compressed = new();
    private ZLibStream? _zlib;

    public Task Send(string message) =>
        socket.SendAsync(Encoding.UTF8.GetBytes(message), WebSocketMessageType.Text, true, TestContext.Current.CancellationToken);

    /// <summary>The next message; null when the server closed.</summary>
    public async Task<JsonElement?> Receive()
    {
        var buffer = new byte[1 << 20];
        var length = 0;
        while (true)
        {
            var part = await socket.ReceiveAsync(buffer.AsMemory(length), TestContext.Current.CancellationToken);
            if (part.MessageType == WebSocketMessageType.Close) return null;
            length += part.Count;
            if (!part.EndOfMessage) continue;
            var message = buffer.AsMemory(0, length);
            return JsonDocument.Parse(part.MessageType == WebSocketMessageType.Binary ? Inflate(message.Span) : message).RootElement;
        }
    }

    /// <summary>The next message with this opcode, and for dispatches this name.</summary>
    public async Task<JsonElement> Until(int op, string? type = null)
    {
        while (await Receive() is { } message)
        {
            if (message.GetProperty("op").GetInt32() == op && (type is null || message.GetProperty("t").GetString() == type)) return message;
        }

        throw new InvalidOperationException($"closed with {socket.CloseStatus}");
    }

    /// <summary>The server's close code.</summary>
    public async Task<int> Closed()
    {
        while (await Receive() is not null)
        {
        }

        return (int)socket.CloseStatus!.Value;
    }

    public void Dispose()
    {
        _zlib?.Dispose();
        socket.Dispose();
    }

    /// <summary>One zlib stream for the whole connection, in which each message ends with a sync flush.</summary>
    private byte[] Inflate(ReadOnlySpan<byte> message)
    {
        Assert.True(message.EndsWith((ReadOnlySpan<byte>)[0x00, 0x00, 0xFF, 0xFF]));
        _compressed.SetLength(0);
        _compressed.Write(message);
        _compressed.Position = 0;
        _zlib ??= new ZLibStream(_compressed, CompressionMode.Decompress);
        var plain = new MemoryStream();
        var buffer = new byte[1 << 20];
        while (_compressed.Position < _compressed.Length) plain.Write(buffer, 0, _zlib.Read(buffer));
        return plain.ToArray();
    }
}
