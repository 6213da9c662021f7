using System.Buffers.Binary;
using System.Net;
using System.Text;
using Voice.Protocol.DiscordUdp;
using Voice.Protocol.Rtp;
using Voice.Protocol.Voice;

namespace Voice.Client;

/// <summary>Discord's UDP protocol (protocol/udp-media.md): IP discovery, keepalive, RTP under the session's key.</summary>
/// <param name="sayNothing">Sends a packet that nobody hears, through <see cref="Send"/>: only RTP tells the server where we are.</param>
internal sealed class UdpMediaPath(VoiceClientOptions options, PacketHandler onPacket, Action sayNothing, KeyWitness? witnesses = null) : IMediaPath
{
    /// <summary>As RTP has it for Opus on the native path (section 4).</summary>
    private const byte OpusPayloadType = 120;

    private const int DiscoveryAttempts = 6;
    private static readonly TimeSpan FirstDiscoveryWait = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan KeepaliveInterval = TimeSpan.FromSeconds(5);

    /// <summary>Keepalives until the first echo; not every server echoes, so after some it is done without.</summary>
    private const int EchoAttempts = 6;
    private static readonly TimeSpan FirstEchoWait = TimeSpan.FromMilliseconds(20);

    /// <summary>While an echo is missing: of three keepalives a path that loses a fifth loses all every few minutes.</summary>
    private static readonly TimeSpan DoubtfulInterval = TimeSpan.FromSeconds(1);

    /// <summary>Keepalives without an echo, 15 s, after which a path that echoed before is lost.</summary>
    private const int MaxUnanswered = 11;

    private readonly TaskCompletionSource<(string Address, int Port)> discovered = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource lost = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource echoed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly CancellationTokenSource closing = new();
    private readonly ReplayWindows windows = new();
    private readonly byte[] sendBuffer = new byte[RtpHeader.FixedLength + IMediaPath.MaxPayload + UdpProtection.MaxOverhead];
    private readonly Lock sending = new();
    private readonly byte[] opened = new byte[witnesses is null ? 0 : DatagramSocket.MaxDatagram];
    private PacketWitness? witness;
    private DatagramSocket? socket;
    private UdpProtection? egress;
    private volatile UdpProtection? ingress;
    private EncryptionMode mode;
    private uint ssrc;
    private int unanswered;
    private long refused;

    public Task Lost => lost.Task;

    public long Refused => Interlocked.Read(ref refused);

    public async Task<byte[]> SelectAsync(ServerMessage.Ready ready, CancellationToken cancellation)
    {
        mode = options.Modes.Cast<EncryptionMode?>().FirstOrDefault(mode => mode!.Value.IsSupported && ready.Modes.Contains(mode.Value.Name()))
            ?? throw new VoiceClosedException(null, $"the server offers none of the wanted encryption modes, but {string.Join(", ", ready.Modes)}");
        if (!IPAddress.TryParse(ready.Ip, out var address)) throw new VoiceClosedException(null, "the server names no address for media");
        ssrc = ready.Ssrc;
        socket = new DatagramSocket(new IPEndPoint(address, ready.Port), Receive);
        var (own, port) = await Discover(cancellation);
        return ClientFrame.SelectUdp(own, port, mode.Name());
    }

    public async Task OpenAsync(ServerMessage.Description description, CancellationToken cancellation)
    {
        if (description is not { Mode: { } name, SecretKey: { Length: EncryptionModes.KeyLength } key } || name != mode.Name())
            throw new VoiceClosedException(null, "a session description without a key of the mode asked for");

        // The same key both ways. Two of them, because sending and receiving are threads of their own.
        lock (sending) egress = new UdpProtection(mode, key, UdpEnd.Client);
        witness = witnesses?.Invoke(key);
        ingress = new UdpProtection(mode, key, UdpEnd.Client);
        await FirstEcho(cancellation);
        _ = KeepAlive();
    }

    public void Send(ulong index, uint timestamp, bool marker, ReadOnlySpan<byte> payload)
    {
        Span<byte> header = stackalloc byte[RtpHeader.FixedLength];
        RtpHeader.Write(header, marker, OpusPayloadType, (ushort)index, timestamp, ssrc);
        lock (sending)
        {
            if (egress is not null && egress.TryProtect(header, payload, sendBuffer, out var length)) socket!.Send(sendBuffer.AsSpan(0, length));
        }
    }

    public async ValueTask DisposeAsync()
    {
        await closing.CancelAsync();
        if (socket is not null) await socket.DisposeAsync();
        lock (sending)
        {
            egress?.Dispose();
            egress = null;
        }

        ingress?.Dispose();
        closing.Dispose();
    }

    private async Task<(string Address, int Port)> Discover(CancellationToken cancellation)
    {
        var request = new byte[IpDiscovery.Length];
        IpDiscovery.WriteRequest(request, ssrc);
        for (var (attempt, wait) = (0, FirstDiscoveryWait); attempt < DiscoveryAttempts; attempt++, wait *= 1.5)
        {
            socket!.Send(request);
            try
            {
                return await discovered.Task.WaitAsync(wait, options.Time, cancellation);
            }
            catch (TimeoutException)
            {
                // Lost on its way, there or back.
            }
        }

        throw new VoiceClosedException(null, $"no answer to IP discovery: UDP does not reach the voice server");
    }

    /// <summary>The media process may hear of us later than we of it: what we said before its echo would be lost.</summary>
    private async Task FirstEcho(CancellationToken cancellation)
    {
        for (var (attempt, wait) = (0, FirstEchoWait); attempt < EchoAttempts; attempt++, wait *= 2)
        {
            SendKeepalive(0);
            sayNothing(); // after it: where the one was echoed, the other was heard
            try
            {
                await echoed.Task.WaitAsync(wait, options.Time, cancellation);
                return;
            }
            catch (TimeoutException)
            {
                // Once more.
            }
        }
    }

    /// <summary>Keeps routers' mappings open, and says anew where we are when echoes stop: a router may have changed our address.</summary>
    private async Task KeepAlive()
    {
        var cancellation = closing.Token;
        try
        {
            for (var count = 1u; ; count++)
            {
                var isDoubtful = Volatile.Read(ref unanswered) > 1 && echoed.Task.IsCompleted;
                await Task.Delay(isDoubtful ? DoubtfulInterval : KeepaliveInterval, options.Time, cancellation);
                var missing = Volatile.Read(ref unanswered);
                if (missing >= MaxUnanswered && echoed.Task.IsCompleted) break;
                SendKeepalive(count);
                if (missing > 0) sayNothing();
            }

            lost.TrySetException(new VoiceClosedException(null, "the media path is lost: the voice server does not answer over UDP"));
            _ = lost.Task.Exception; // seen
        }
        catch (OperationCanceledException)
        {
            // The path is closed.
        }
    }

    private void SendKeepalive(uint count)
    {
        Span<byte> keepalive = stackalloc byte[Keepalive.Length];
        Keepalive.Write(keepalive, count);
        Interlocked.Increment(ref unanswered);
        socket!.Send(keepalive);
    }

    private void Receive(Span<byte> datagram)
    {
        switch (Demux.Classify(datagram))
        {
            case PacketKind.Rtp when ingress is { } key: ReceiveRtp(key, datagram); break;
            case PacketKind.Keepalive:
                Volatile.Write(ref unanswered, 0);
                echoed.TrySetResult();
                break;
            case PacketKind.Rtcp: // reports on what we send: nobody asks for them yet
                if (witness is not null && ingress is { } its && its.TryUnprotectRtcp(datagram, opened, out _))
                    witness(new(0, NonceOf(its, datagram), 0, isFresh: false, datagram, []));
                break;
            case PacketKind.Stun when IpDiscovery.TryParseResponse(datagram, out var response) && response.Ssrc == ssrc:
                discovered.TrySetResult((Encoding.ASCII.GetString(response.Address), response.Port));
                break;
            default: Interlocked.Increment(ref refused); break;
        }
    }

    private void ReceiveRtp(UdpProtection key, Span<byte> datagram)
    {
        var plain = witness is null ? datagram : opened; // a witness sees what came, too
        if (!key.TryUnprotect(datagram, plain, out var length)
            || !RtpPacket.TryParse(plain[..length], out var packet)
            || packet.Ssrc == ssrc) // our own, sent back: the key is the same both ways
        {
            Interlocked.Increment(ref refused);
            return;
        }

        // Authenticate, then remember.
        var isFresh = windows.TryTake(packet.Ssrc, packet.SequenceNumber, packet.Timestamp, out var index);
        witness?.Invoke(new(0, NonceOf(key, datagram), index, isFresh, datagram, packet.Payload));
        if (!isFresh) Interlocked.Increment(ref refused);
        else if (packet.PayloadType == OpusPayloadType) onPacket(packet, index);
    }

    /// <summary>The count that the packet carries; in the mode whose nonce is the header, what of it changes.</summary>
    private static ulong NonceOf(UdpProtection key, ReadOnlySpan<byte> datagram) => key.NonceOf(datagram) switch
    {
        [] => BinaryPrimitives.ReadUInt64BigEndian(datagram[2..]),
        var nonce => BinaryPrimitives.ReadUInt32BigEndian(nonce),
    };
}
