using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using Voice.Protocol.Links;
using Voice.Protocol.Rtp;
using Voice.Protocol.Srtp;

namespace Voice.Tests.Fakes;

/// <summary>A WebRTC client over a real socket: checks, shakes hands and sends. A thread receives until it is disposed.</summary>
public sealed class UdpClientPeer : IDisposable
{
    private readonly Socket socket;
    private readonly BlockingCollection<byte[]> inbox = [];
    private readonly BlockingCollection<Action> posted = [];
    private readonly DtlsClient dtls;
    private SrtpContext? egress;
    private SrtpReceiver? ingress;

    /// <param name="server">The worker's port.</param>
    /// <param name="put">As signalled, but for the fingerprint.</param>
    public UdpClientPeer(IPEndPoint server, PutTransport put, SrtpProfile profile)
    {
        var certificate = TestCertificate.Create();
        Put = put.With(path => path with { RemoteFingerprint = certificate.Fingerprint, Profiles = [(ushort)profile] });
        socket = new(server.AddressFamily, SocketType.Dgram, ProtocolType.Udp);
        socket.Connect(server);
        dtls = new(certificate, [profile], datagram => socket.Send(datagram));
        new Thread(Receive) { IsBackground = true, Name = "UDP client" }.Start();
    }

    public PutTransport Put { get; }

    public IPEndPoint LocalEndPoint => (IPEndPoint)socket.LocalEndPoint!;

    /// <summary>Checks until it is answered, then shakes hands.</summary>
    public void Connect(CancellationToken cancel)
    {
        do socket.Send(BindingRequest.Build(Put, RandomNumberGenerator.GetBytes(12)));
        while (!inbox.TryTake(out _, 200, cancel));

        dtls.Start(posted.Add);
        posted.Take(cancel)();
        if (dtls.Succeeded != true) throw new InvalidOperationException("the handshake failed");
        var keys = new SrtpKeyingMaterial(dtls.Profile, dtls.KeyingMaterial);
        egress = keys.CreateClientContext();
        ingress = new(keys.CreateServerContext());
    }

    public void SendRtp(uint ssrc, ulong index, ReadOnlySpan<byte> payload)
    {
        Span<byte> header = stackalloc byte[RtpHeader.FixedLength];
        RtpHeader.Write(header, false, Put.OpusPayloadType, (ushort)index, (uint)index * 960, ssrc);
        var datagram = new byte[header.Length + payload.Length + SrtpProfiles.MaxTagLength];
        socket.Send(datagram.AsSpan(0, egress!.Protect(header, payload, index, datagram)));
    }

    /// <summary>The next RTP packet, decrypted.</summary>
    public ReceivedPacket TakeRtp(CancellationToken cancel)
    {
        while (true)
        {
            var datagram = inbox.Take(cancel);
            if (Demux.Classify(datagram) != PacketKind.Rtp) continue;
            var result = ingress!.TryUnprotect(datagram, datagram, out var length, out var index);
            if (result != SrtpResult.Ok) throw new InvalidOperationException($"the SFU sent a packet that is {result}");
            return new(index, datagram[..length]);
        }
    }

    public void Dispose()
    {
        socket.Dispose();
        egress?.Dispose();
        ingress?.Dispose();
    }

    private void Receive()
    {
        var buffer = new byte[2048];
        try
        {
            while (true)
            {
                var datagram = buffer[..socket.Receive(buffer)];
                if (Demux.Classify(datagram) == PacketKind.Dtls) dtls.Deliver(datagram);
                else inbox.Add(datagram);
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
        }
    }
}
