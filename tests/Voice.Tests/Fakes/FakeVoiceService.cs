using System.Net;
using System.Net.Sockets;
using System.Net.WebSockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json;
using System.Threading.Channels;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Voice.Client;
using Voice.Protocol.DiscordUdp;
using Voice.Protocol.Rtp;
using Voice.Protocol.Voice;
using Xunit;

namespace Voice.Tests.Fakes;

/// <summary>A main gateway and a voice server for one client, which do what a test tells them; TLS and UDP are real.</summary>
internal sealed class FakeVoiceService : IAsyncDisposable
{
    public const uint Ssrc = 8;

    private static readonly byte[] Key = new byte[EncryptionModes.KeyLength];

    private readonly Channel<JsonElement> heardByGateway = Channel.CreateUnbounded<JsonElement>();
    private readonly Channel<JsonElement> heardByVoice = Channel.CreateUnbounded<JsonElement>();
    private readonly Channel<byte[]> datagrams = Channel.CreateUnbounded<byte[]>();
    private readonly Channel<byte[]> empty = Channel.CreateUnbounded<byte[]>();
    private readonly Socket udp = new(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
    private readonly UdpProtection egress = new(EncryptionMode.AeadAes256GcmRtpSize, Key, UdpEnd.Server);
    private readonly UdpProtection ingress = new(EncryptionMode.AeadAes256GcmRtpSize, Key, UdpEnd.Server);
    private readonly CancellationTokenSource life = new();
    private WebApplication app = null!;
    private X509Certificate2 certificate = null!;
    private WebSocket? gateway;
    private WebSocket? voice;
    private EndPoint? client;
    private int assignments;
    private int keepalives;

    private readonly TaskCompletionSource goodbye = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public int Port { get; private set; }

    /// <summary>Done when a client has closed its voice WebSocket.</summary>
    public Task Goodbye => goodbye.Task;

    public string Endpoint => $"127.0.0.1:{Port}";

    /// <summary>Discovery requests that are lost before one is answered.</summary>
    public int LostDiscoveries { get; set; }

    /// <summary>Close codes for the coming Identifies; then they are let in.</summary>
    public Queue<int> Refusals { get; } = new();

    /// <summary>Gateway connections to refuse.</summary>
    public int Away { get; set; }

    /// <summary>The gateway knows the session that is to be resumed.</summary>
    public bool Resumes { get; set; } = true;

    /// <summary>Of so many keepalives one is answered.</summary>
    public volatile int EchoEvery = 1;

    public int Keepalives => Volatile.Read(ref keepalives);

    /// <summary>Op 4 is answered.</summary>
    public bool Assigns { get; set; } = true;

    public static async Task<FakeVoiceService> Start()
    {
        var service = new FakeVoiceService();
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={Guid.NewGuid():N}", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddIpAddress(IPAddress.Loopback);
        request.CertificateExtensions.Add(names.Build());
        using var made = request.CreateSelfSigned(DateTimeOffset.UnixEpoch, DateTimeOffset.UnixEpoch.AddYears(100));
        var certificate = service.certificate = X509CertificateLoader.LoadPkcs12(made.Export(X509ContentType.Pkcs12), null);
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseKestrelHttpsConfiguration().ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0, listen => listen.UseHttps(certificate)));
        service.app = builder.Build();
        service.app.UseWebSockets();
        service.app.Run(service.Serve);
        await service.app.StartAsync();
        service.Port = new Uri(service.app.Urls.First()).Port;
        service.udp.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        _ = service.ReceiveUdp();
        return service;
    }

    public Task<GatewayClient> Connect() => GatewayClient.ConnectAsync(
        new Uri($"wss://{Endpoint}/gateway"), "token", new GatewayClientOptions { CheckCertificate = PrivateCa.Trust([certificate]) }, TestContext.Current.CancellationToken);

    public VoiceClientOptions Options => OptionsWith();

    /// <param name="others">Voice servers that the client may be sent to.</param>
    public VoiceClientOptions OptionsWith(params FakeVoiceService[] others) =>
        new() { CheckCertificate = PrivateCa.Trust([certificate, .. others.Select(other => other.certificate)]) };

    /// <summary>Lets in whom the other would let in.</summary>
    public void TakeOverFrom(FakeVoiceService other) => assignments = other.assignments;

    /// <summary>The client's next message with this opcode, on the main gateway.</summary>
    public Task<JsonElement> GatewayHears(int op) => Hears(heardByGateway, op);

    /// <summary>On the voice WebSocket.</summary>
    public Task<JsonElement> VoiceHears(VoiceOpcode op) => Hears(heardByVoice, (int)op);

    public async Task<byte[]> NextPayload()
    {
        var plain = await datagrams.Reader.ReadAsync(TestContext.Current.CancellationToken);
        Assert.True(RtpPacket.TryParse(plain, out var packet));
        return packet.Payload.ToArray();
    }

    public async Task<(uint Timestamp, byte[] Payload)> NextPacket()
    {
        var plain = await datagrams.Reader.ReadAsync(TestContext.Current.CancellationToken);
        Assert.True(RtpPacket.TryParse(plain, out var packet));
        return (packet.Timestamp, packet.Payload.ToArray());
    }

    /// <summary>An authentic RTP packet without payload.</summary>
    public async Task NextEmptyPacket() => await empty.Reader.ReadAsync(TestContext.Current.CancellationToken);

    public Task Voice(object message) => Send(voice!, message);

    /// <summary>Both WebSockets break, and this gateway knows no session any more: as after a restart.</summary>
    /// <param name="away">Gateway connections that are refused before one is let in.</param>
    public void Restart(int away)
    {
        (Away, Resumes) = (away, false);
        Refusals.Enqueue((int)VoiceCloseCode.SessionNoLongerValid);
        voice!.Abort();
        gateway!.Abort();
    }

    public void AbortGateway() => gateway!.Abort();

    public Task Gateway(object message) => Send(gateway!, message);

    public Task CloseVoice(int code) => voice!.CloseOutputAsync((WebSocketCloseStatus)code, null, TestContext.Current.CancellationToken);

    public void AbortVoice() => voice!.Abort();

    public Task State(string? channel) => Dispatch("VOICE_STATE_UPDATE", new { guild_id = "500", channel_id = channel, user_id = "11", session_id = $"session-{++assignments}" });

    public Task Server(string? endpoint) => Dispatch("VOICE_SERVER_UPDATE", new { guild_id = "500", token = $"token-{assignments}", endpoint });

    public bool HasPacket => datagrams.Reader.TryPeek(out _);

    public void SendRtp(ushort sequence, uint ssrc, byte[] payload, uint? timestamp = null)
    {
        var header = new byte[RtpHeader.FixedLength];
        RtpHeader.Write(header, false, 120, sequence, timestamp ?? sequence * 960u, ssrc);
        var datagram = new byte[2048];
        Assert.True(egress.TryProtect(header, payload, datagram, out var length));
        SendUdp(datagram[..length]);
    }

    public void SendUdp(byte[] datagram) => udp.SendTo(datagram, client!);

    public async ValueTask DisposeAsync()
    {
        await life.CancelAsync();
        udp.Dispose();
        await app.StopAsync(new CancellationToken(true));
        await app.DisposeAsync();
        certificate.Dispose();
        egress.Dispose();
        ingress.Dispose();
        life.Dispose();
    }

    private async Task Serve(HttpContext context)
    {
        if (context.Request.Path == "/gateway" && Away-- > 0)
        {
            context.Response.StatusCode = StatusCodes.Status503ServiceUnavailable;
            return;
        }

        using var socket = await context.WebSockets.AcceptWebSocketAsync();
        try
        {
            if (context.Request.Path == "/gateway") await ServeGateway(socket);
            else await ServeVoice(socket);
        }
        catch (Exception e) when (e is WebSocketException or OperationCanceledException or EndOfStreamException)
        {
            // The client has gone.
        }
    }

    private async Task ServeGateway(WebSocket socket)
    {
        gateway = socket;
        await Send(socket, new { op = 10, d = new { heartbeat_interval = 40_000 } });
        while (true)
        {
            var message = await Receive(socket);
            await heardByGateway.Writer.WriteAsync(message);
            switch (message.GetProperty("op").GetInt32())
            {
                case 2:
                    await Dispatch("READY", new
                    {
                        v = 10,
                        user = new { id = "11", username = "ann" },
                        guilds = Array.Empty<object>(),
                        session_id = "g",
                        resume_gateway_url = "",
                        application = new { id = "11" },
                    });
                    break;
                case 6 when Resumes: await Dispatch("RESUMED", new { }); break;
                case 6: await Send(socket, new { op = 9, d = false }); break;
                case 4 when Assigns:
                    var channel = message.GetProperty("d").GetProperty("channel_id").GetString();
                    await State(channel);
                    if (channel is not null) await Server(Endpoint);
                    break;
            }
        }
    }

    private async Task ServeVoice(WebSocket socket)
    {
        voice = socket;
        await Send(socket, new { op = 8, d = new { v = 8, heartbeat_interval = 40_000 } });
        while (true)
        {
            var message = await Receive(socket);
            var d = message.GetProperty("d");
            switch ((VoiceOpcode)message.GetProperty("op").GetInt32())
            {
                case VoiceOpcode.Identify when Refusals.TryDequeue(out var code):
                    await socket.CloseOutputAsync((WebSocketCloseStatus)code, null, life.Token);
                    break;
                case VoiceOpcode.Identify:
                    Assert.Equal($"session-{assignments} token-{assignments}", $"{d.GetProperty("session_id")} {d.GetProperty("token")}");
                    await Send(socket, new { op = 2, d = new { ssrc = Ssrc, ip = "127.0.0.1", port = ((IPEndPoint)udp.LocalEndPoint!).Port, modes = EncryptionModes.Current } });
                    break;
                case VoiceOpcode.SelectProtocol:
                    var mode = d.GetProperty("data").GetProperty("mode").GetString();
                    await Send(socket, new { op = 4, d = new { mode, secret_key = Key.Select(b => (int)b) } });
                    break;
                case VoiceOpcode.Resume when Refusals.TryDequeue(out var code):
                    await socket.CloseOutputAsync((WebSocketCloseStatus)code, null, life.Token);
                    break;
                case VoiceOpcode.Resume: await Send(socket, new { op = 9, d = (object?)null }); break;
            }

            await heardByVoice.Writer.WriteAsync(message);
        }
    }

    private async Task ReceiveUdp()
    {
        var buffer = new byte[2048];
        try
        {
            while (true)
            {
                var got = await udp.ReceiveFromAsync(buffer, new IPEndPoint(IPAddress.Any, 0), life.Token);
                Handle(buffer.AsSpan(0, got.ReceivedBytes), (IPEndPoint)got.RemoteEndPoint);
            }
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            // The end.
        }
    }

    private void Handle(Span<byte> datagram, IPEndPoint from)
    {
        client = from;
        switch (Demux.Classify(datagram))
        {
            case PacketKind.IpDiscovery when LostDiscoveries-- <= 0:
                var response = new byte[IpDiscovery.Length];
                IpDiscovery.WriteResponse(response, Ssrc, from.Address.GetAddressBytes(), (ushort)from.Port);
                SendUdp(response);
                break;
            case PacketKind.Keepalive:
                if (Interlocked.Increment(ref keepalives) % EchoEvery == 0) SendUdp(datagram.ToArray());
                break;
            case PacketKind.Rtp when ingress.TryUnprotect(datagram, datagram, out var length):
                (length > RtpHeader.FixedLength ? datagrams : empty).Writer.TryWrite(datagram[..length].ToArray());
                break;
        }
    }

    private Task Dispatch(string type, object d) => Send(gateway!, new { op = 0, t = type, s = 1, d });

    private static async Task<JsonElement> Hears(Channel<JsonElement> heard, int op)
    {
        while (true)
        {
            var message = await heard.Reader.ReadAsync(TestContext.Current.CancellationToken);
            if (message.GetProperty("op").GetInt32() == op) return message.GetProperty("d");
        }
    }

    private Task Send(WebSocket socket, object message) =>
        socket.SendAsync(Encoding.UTF8.GetBytes(JsonSerializer.Serialize(message)), WebSocketMessageType.Text, true, life.Token);

    private async Task<JsonElement> Receive(WebSocket socket)
    {
        var buffer = new byte[16 * 1024];
        var length = 0;
        while (true)
        {
            var part = await socket.ReceiveAsync(buffer.AsMemory(length), life.Token);
            if (part.MessageType == WebSocketMessageType.Close)
            {
                if (socket == voice) goodbye.TrySetResult();
                if (socket.State == WebSocketState.CloseReceived) await socket.CloseOutputAsync(WebSocketCloseStatus.NormalClosure, null, life.Token);
                throw new EndOfStreamException();
            }

            length += part.Count;
            if (part.EndOfMessage) return JsonElement.Parse(buffer.AsSpan(0, length));
        }
    }
}
