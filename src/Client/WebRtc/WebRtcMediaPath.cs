using System.Net.Sockets;
using System.Security.Cryptography;
using Org.BouncyCastle.Tls;
using Voice.Protocol.Rtp;
using Voice.Protocol.Srtp;
using Voice.Protocol.Voice;

namespace Voice.Client.WebRtc;

/// <summary>A browser's transport (protocol/voice-gateway.md section 6): ICE towards a lite server, DTLS as the client, SRTP.</summary>
internal sealed class WebRtcMediaPath(VoiceClientOptions options, PacketHandler onPacket, KeyWitness? witnesses = null) : IMediaPath
{
    private const byte OpusPayloadType = 111; // as Chromium numbers it
    private const int MaxStreams = 4096;

    /// <summary>SRTCP has keys of its own, so its indexes are no RTP's.</summary>
    private const ulong RtcpSpace = 1UL << 32;
    private const string IceCharacters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

    private readonly string ufrag = RandomNumberGenerator.GetString(IceCharacters, 8);
    private readonly string password = RandomNumberGenerator.GetString(IceCharacters, 24);
    private readonly long started = options.Time.GetTimestamp();
    private readonly TaskCompletionSource connected = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource lost = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly CancellationTokenSource closing = new();
    private readonly byte[] sendBuffer = new byte[RtpHeader.FixedLength + IMediaPath.MaxPayload + SrtpProfiles.MaxTagLength];
    private readonly Lock sending = new();
    private readonly Lock checking = new();
    private readonly byte[] opened = new byte[witnesses is null ? 0 : DatagramSocket.MaxDatagram];
    private PacketWitness? witness;
    private IceClient? ice;
    private DatagramSocket? socket;
    private DtlsInbox? inbox;
    private DtlsTransport? dtls;
    private SrtpContext? egress;
    private volatile SrtpReceiver? ingress;
    private uint ssrc;
    private long refused;

    public Task Lost => lost.Task;

    public long Refused => Interlocked.Read(ref refused);

    private TimeSpan Now => options.Time.GetElapsedTime(started);

    public Task<byte[]> SelectAsync(ServerMessage.Ready ready, CancellationToken cancellation)
    {
        ssrc = ready.Ssrc;
        var fingerprint = BitConverter.ToString(DtlsHandshake.OwnFingerprint).Replace('-', ':');
        var fragment = $"a=extmap-allow-mixed\na=ice-ufrag:{ufrag}\na=ice-pwd:{password}\na=ice-options:trickle\n"
            + $"a=fingerprint:sha-256 {fingerprint}\na=rtpmap:{OpusPayloadType} opus/48000/2";
        return Task.FromResult(ClientFrame.SelectWebRtc(fragment, OpusPayloadType));
    }

    public async Task OpenAsync(ServerMessage.Description description, CancellationToken cancellation)
    {
        if (ServerSdpReader.Parse(description.Sdp) is not { } sdp) throw new VoiceClosedException(null, "a session description that is not WebRTC's");
        var address = sdp.Addresses.FirstOrDefault(a => a.AddressFamily == AddressFamily.InterNetwork ? Socket.OSSupportsIPv4 : Socket.OSSupportsIPv6)
            ?? throw new VoiceClosedException(null, "the server names no address that we can reach");
        ice = new IceClient(ufrag, sdp.IceUfrag, sdp.IcePassword, Now);
        inbox = new DtlsInbox(datagram => socket!.Send(datagram));
        socket = new DatagramSocket(address, Receive);
        _ = KeepChecking();
        await await Task.WhenAny(connected.Task, lost.Task).WaitAsync(cancellation);

        (var profile, var material, dtls) = await DtlsHandshake.RunAsync(inbox, sdp.Fingerprint, cancellation);
        UseKeys(new SrtpKeyingMaterial(profile, material));
    }

    public void Send(ulong index, uint timestamp, bool marker, ReadOnlySpan<byte> payload)
    {
        Span<byte> header = stackalloc byte[RtpHeader.FixedLength];
        RtpHeader.Write(header, marker, OpusPayloadType, (ushort)index, timestamp, ssrc);
        lock (sending)
        {
            if (egress is not null) socket!.Send(sendBuffer.AsSpan(0, egress.Protect(header, payload, index, sendBuffer)));
        }
    }

    public async ValueTask DisposeAsync()
    {
        await closing.CancelAsync();
        try
        {
            dtls?.Close(); // says close_notify
        }
        catch (IOException)
        {
            // It could not.
        }

        inbox?.Close();
        if (socket is not null) await socket.DisposeAsync();
        lock (sending)
        {
            egress?.Dispose();
            egress = null;
        }

        ingress?.Dispose();
        closing.Dispose();
    }

    private void UseKeys(SrtpKeyingMaterial keys)
    {
        lock (sending) egress = keys.CreateClientContext();
        witness = witnesses?.Invoke(keys.ServerKey);
        ingress = new SrtpReceiver(keys.CreateServerContext(), MaxStreams);
    }

    /// <summary>Until connected, then for consent; ends when the server answers no more.</summary>
    private async Task KeepChecking()
    {
        var buffer = new byte[256];
        var cancellation = closing.Token;
        try
        {
            while (true)
            {
                TimeSpan wait;
                lock (checking)
                {
                    var now = Now;
                    if (ice!.IsLost(now)) break;
                    if (ice.NextCheck <= now) socket!.Send(buffer.AsSpan(0, ice.WriteCheck(buffer, now, Random.Shared.NextDouble())));
                    wait = ice.NextCheck - now;
                }

                await Task.Delay(wait, options.Time, cancellation);
            }

            lost.TrySetException(new VoiceClosedException(null, "the media path is lost: the voice server does not answer over UDP"));
            _ = lost.Task.Exception; // seen
        }
        catch (OperationCanceledException)
        {
            // The path is closed.
        }
    }

    private void Receive(Span<byte> datagram)
    {
        switch (Demux.Classify(datagram))
        {
            case PacketKind.Rtp when ingress is { } keys: ReceiveRtp(keys, datagram); break;
            case PacketKind.Rtcp: // reports on what we send: nobody asks for them yet
                if (witness is not null && ingress is { } its && its.TryAuthenticateRtcp(datagram, opened, out var sender, out var number))
                    witness(new(RtcpSpace | sender, number, 0, isFresh: false, datagram, []));
                break;
            case PacketKind.Dtls: inbox!.Deliver(datagram); break;
            case PacketKind.Stun:
                lock (checking)
                {
                    if (!ice!.TryTake(datagram, Now)) Interlocked.Increment(ref refused);
                    else connected.TrySetResult();
                }

                break;
            default: Interlocked.Increment(ref refused); break;
        }
    }

    private void ReceiveRtp(SrtpReceiver keys, Span<byte> datagram)
    {
        var plain = witness is null ? datagram : opened; // a witness sees what came, too
        var result = keys.TryUnprotect(datagram, plain, out var length, out var index);
        if (result == SrtpResult.Ok && RtpPacket.TryParse(plain[..length], out var packet))
        {
            witness?.Invoke(new(packet.Ssrc, index, index, isFresh: true, datagram, packet.Payload));
            if (packet.PayloadType == OpusPayloadType) onPacket(packet, index);
            return;
        }

        Interlocked.Increment(ref refused);
        if (witness is not null && keys.TryAuthenticate(datagram, plain, out length, out index) && RtpPacket.TryParse(plain[..length], out packet))
            witness(new(packet.Ssrc, index, index, isFresh: false, datagram, packet.Payload));
    }
}
