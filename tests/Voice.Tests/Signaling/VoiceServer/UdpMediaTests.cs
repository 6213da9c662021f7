using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using Voice.Protocol.DiscordUdp;
using Voice.Protocol.Links;
using Voice.Protocol.Rtp;
using Voice.Protocol.Voice;
using Xunit;

namespace Voice.Tests.Signaling.VoiceServer;

/// <summary>Two native clients, a node and its media process, all with real sockets.</summary>
public class UdpMediaTests
{
    private const int Packets = 100;

    private static readonly byte[] Silence = [0xF8, 0xFF, 0xFE];

    [Theory]
    [InlineData(EncryptionMode.AeadAes256GcmRtpSize, 1)]
    [InlineData(EncryptionMode.AeadXChaCha20Poly1305RtpSize, 2)]
    [InlineData(EncryptionMode.XSalsa20Poly1305, 1)]
    public async Task A_voice_is_heard_over_a_cut_and_resumed_WebSocket(EncryptionMode mode, int workers)
    {
        var (talks, listens) = (TestNode.Member(1), TestNode.Member(2));
        await using var node = await RealNode.StartAsync(
            [talks, listens],
            options => options with { EncryptionModes = EncryptionModes.WithLegacy, Workers = workers, ChannelPeople = 3 - workers });
        using var talker = await NativeClient.JoinAsync(node, talks, mode);
        using var listener = await NativeClient.JoinAsync(node, listens, mode);
        await listener.HearsOfAsync(VoiceOpcode.Speaking);
        Assert.Equal(workers == 2, talker.Server != listener.Server);

        await talker.SendAsync(VoiceOpcode.Speaking, new { speaking = 1, delay = 0, ssrc = talker.Ssrc });

        // Who joins hears from when the media process knows of it, which no message tells.
        for (var first = listener.ListenAsync(); !first.IsCompleted; await Task.WhenAny(first, Task.Delay(20, node.Patience))) talker.Talk(Silence);

        for (var i = 0; i < Packets; i++)
        {
            if (i == Packets / 3) talker.CutWebSocket();
            if (i == 2 * Packets / 3) await talker.ResumeAsync();
            var frame = Encoding.ASCII.GetBytes($"frame {i}");
            talker.Talk(frame);
            var heard = await listener.ListenAsync();
            while (heard.Payload == Convert.ToHexString(Silence)) heard = await listener.ListenAsync();
            Assert.Equal((talker.Ssrc, Convert.ToHexString(frame)), heard);
        }
    }

    /// <summary>What a voice library does, step by step.</summary>
    private sealed class NativeClient : IDisposable
    {
        private readonly RealNode node;
        private readonly object identify;
        private readonly UdpClient udp = new(new IPEndPoint(IPAddress.Loopback, 0));
        private RealClient socket = null!;
        private UdpProtection protection = null!;
        private ushort sequence = ushort.MaxValue - 10;
        private uint timestamp = uint.MaxValue - 9_000;
        private int seqAck = -1;

        private NativeClient(RealNode node, object identify) => (this.node, this.identify) = (node, identify);

        public uint Ssrc { get; private set; }

        /// <summary>Where its worker is.</summary>
        public string Server => $"{udp.Client.RemoteEndPoint}";

        public static async Task<NativeClient> JoinAsync(RealNode node, VoiceMember member, EncryptionMode mode)
        {
            var client = new NativeClient(node, RealNode.Identify(member)) { socket = await node.ConnectAsync() };
            await client.socket.SendAsync(client.identify);
            var ready = await client.HearsOfAsync(VoiceOpcode.Ready);
            client.Ssrc = ready.GetProperty("ssrc").GetUInt32();
            client.udp.Connect(ready.GetProperty("ip").GetString()!, ready.GetProperty("port").GetInt32());
            var (address, port) = await client.DiscoverAsync();
            await client.SendAsync(VoiceOpcode.SelectProtocol, new { protocol = "udp", data = new { address, port, mode = mode.Name() } });
            var description = await client.HearsOfAsync(VoiceOpcode.SessionDescription);
            Assert.Equal(mode.Name(), description.GetProperty("mode").GetString());
            client.protection = new(mode, [.. description.GetProperty("secret_key").EnumerateArray().Select(octet => octet.GetByte())], UdpEnd.Client);
            return client;
        }

        public Task SendAsync(VoiceOpcode op, object d) => socket.SendAsync(new { op = (int)op, d });

        /// <returns>The message's `d`; what comes before it is passed over.</returns>
        public async Task<JsonElement> HearsOfAsync(VoiceOpcode op)
        {
            while (true)
            {
                var frame = await socket.ReceiveAsync();
                if (frame.TryGetProperty("seq", out var seq)) seqAck = seq.GetInt32();
                if (TestClient.Op(frame) == op) return frame.GetProperty("d");
            }
        }

        public void CutWebSocket() => socket.Dispose();

        public async Task ResumeAsync()
        {
            var d = JsonSerializer.SerializeToElement(identify).GetProperty("d");
            socket = await node.ConnectAsync();
            await SendAsync(VoiceOpcode.Resume, new { server_id = d.GetProperty("server_id"), session_id = d.GetProperty("session_id"), token = d.GetProperty("token"), seq_ack = seqAck });
            await HearsOfAsync(VoiceOpcode.Resumed);
        }

        public void Talk(ReadOnlySpan<byte> frame)
        {
            Span<byte> header = stackalloc byte[RtpHeader.FixedLength];
            Span<byte> datagram = stackalloc byte[256];
            RtpHeader.Write(header, marker: false, 120, sequence++, timestamp, Ssrc);
            timestamp += 960;
            Assert.True(protection.TryProtect(header, frame, datagram, out var length));
            udp.Send(datagram[..length]);
        }

        /// <returns>SSRC and payload of the next RTP packet.</returns>
        public async Task<(uint Ssrc, string Payload)> ListenAsync()
        {
            while (true)
            {
                var datagram = (await udp.ReceiveAsync(node.Patience)).Buffer;
                if (datagram[1] is >= 192 and <= 223) continue; // RTCP
                Assert.True(protection.TryUnprotect(datagram, datagram, out var length));
                Assert.True(RtpPacket.TryParse(datagram.AsSpan(0, length), out var packet));
                Assert.Equal(120, packet.PayloadType);
                return (packet.Ssrc, Convert.ToHexString(packet.Payload));
            }
        }

        public void Dispose()
        {
            socket.Dispose();
            udp.Dispose();
            protection.Dispose();
        }

        /// <summary>udp-media.md section 2.</summary>
        private async Task<(string Address, int Port)> DiscoverAsync()
        {
            var request = new byte[IpDiscovery.Length];
            IpDiscovery.WriteRequest(request, Ssrc);
            await udp.SendAsync(request, node.Patience);
            var response = (await udp.ReceiveAsync(node.Patience)).Buffer;
            Assert.Equal(2, BinaryPrimitives.ReadUInt16BigEndian(response));
            return (Encoding.ASCII.GetString(response.AsSpan(8, 64)).TrimEnd('\0'), BinaryPrimitives.ReadUInt16BigEndian(response.AsSpan(72)));
        }
    }
}
