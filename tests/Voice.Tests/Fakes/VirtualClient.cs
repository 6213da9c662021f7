using System.Net;
using Voice.Media;
using Voice.Media.Dtls;
using Voice.Media.Net;
using Voice.Protocol.Links;
using Voice.Protocol.Rtp;
using Voice.Protocol.Srtp;
using Voice.Protocol.Stun;

namespace Voice.Tests.Fakes;

/// <summary>A browser's transport as far as the SFU can tell: it checks, protects and unprotects. Its address can change.</summary>
public sealed class VirtualClient : IDisposable
{
    private readonly VirtualSfu sfu;
    private readonly byte[] keyingMaterial;
    private readonly SrtpContext egress;
    private readonly SrtpReceiver ingress;
    private readonly byte[] transaction = new byte[StunMessage.TransactionIdLength];

    internal VirtualClient(VirtualSfu sfu, uint id, SrtpProfile profile, byte payloadType, byte levelExtension, RemoteEndPoint address)
    {
        this.sfu = sfu;
        Profile = profile;
        Put = new(
            id, 0, payloadType, levelExtension,
            new WebRtcPath($"local{id:d4}", $"password-of-local-{id:d4}", $"remote{id:d4}", new byte[32], [(ushort)profile]));
        TrackSsrc = id * 8;
        SenderSsrc = 0xA000_0000 + id;
        keyingMaterial = new byte[profile.KeyingMaterialLength];
        sfu.Random.NextBytes(keyingMaterial);
        var keys = new SrtpKeyingMaterial(profile, keyingMaterial);
        egress = keys.CreateClientContext();
        ingress = new(keys.CreateServerContext());
        Address = address;
        sfu.Port.Attach(address, Inbox.Add);
    }

    public uint Id => Put.Id;

    public SrtpProfile Profile { get; }

    public PutTransport Put { get; internal set; }

    public PutTrack PutTrack => new(TrackSsrc, Id, TrackKind.Audio, 48_000, 0);

    /// <summary>Ours, as listeners see it.</summary>
    public uint TrackSsrc { get; }

    /// <summary>Of the client's own choosing.</summary>
    public uint SenderSsrc { get; set; }

    public RemoteEndPoint Address { get; private set; }

    /// <summary>Every datagram that reached it.</summary>
    public List<byte[]> Inbox { get; } = [];

    /// <summary>The 48-bit index that the next packet gets.</summary>
    public ulong NextIndex { get; set; } = 1000;

    public uint NextTimestamp { get; set; } = 5000;

    public uint NextRtcpIndex { get; set; } = 1;

    public Transport Transport => sfu.Worker.Transports[Id];

    public void MoveTo(string address, int port)
    {
        sfu.Port.Detach(Address);
        Address = RemoteEndPoint.From(new IPEndPoint(IPAddress.Parse(address), port));
        sfu.Port.Attach(Address, Inbox.Add);
    }

    /// <summary>As if a DTLS handshake had run.</summary>
    public void UseKeys() => Transport.Connect(new DtlsKeys((ushort)Profile, keyingMaterial));

    public void Send(ReadOnlySpan<byte> datagram) => sfu.Deliver(datagram, Address);

    /// <summary>A connectivity check (RFC 8445 section 7.2), with what a test wants wrong.</summary>
    public byte[] Check(
        bool nominate = true, string? username = null, string? password = null, bool controlled = false, ushort? extra = null,
        bool integrity = true, bool fingerprint = true)
    {
        sfu.Random.NextBytes(transaction);
        return BindingRequest.Build(
            Put.With(path => path with { LocalPassword = password ?? path.LocalPassword }), transaction,
            nominate, username, controlled, extra, integrity, fingerprint);
    }

    /// <summary>The client's next packet, protected; 20 ms of audio after the last.</summary>
    public byte[] Rtp(ReadOnlySpan<byte> payload = default, byte? level = null, bool marker = false, byte? payloadType = null)
    {
        if (payload.IsEmpty) payload = [0xF8, 0xFF, 0xFE];
        var header = new byte[RtpHeader.MaxLength];
        var length = RtpHeader.Write(
            header, marker, payloadType ?? Put.OpusPayloadType, (ushort)NextIndex, NextTimestamp, SenderSsrc,
            level is null ? (byte)0 : Put.AudioLevelExtension, level ?? 0);
        NextTimestamp += 960;
        return Protect(header.AsSpan(0, length), payload, NextIndex++);
    }

    /// <summary>Any packet, protected.</summary>
    public byte[] Protect(ReadOnlySpan<byte> header, ReadOnlySpan<byte> body, ulong index)
    {
        var datagram = new byte[header.Length + body.Length + SrtpProfiles.MaxTagLength];
        return datagram[..egress.Protect(header, body, index, datagram)];
    }

    public byte[] Rtcp(ReadOnlySpan<byte> compound)
    {
        var datagram = new byte[compound.Length + SrtpProfiles.MaxRtcpOverhead];
        return datagram[..egress.ProtectRtcp(compound, NextRtcpIndex++, datagram)];
    }

    /// <summary>Unprotects the RTP in the inbox, which is emptied.</summary>
    public List<ReceivedPacket> TakeRtp()
    {
        var packets = new List<ReceivedPacket>();
        foreach (var datagram in Take(PacketKind.Rtp))
        {
            var result = ingress.TryUnprotect(datagram, datagram, out var length, out var index);
            if (result != SrtpResult.Ok) throw new InvalidOperationException($"the SFU sent a packet that is {result}");
            packets.Add(new(index, datagram[..length]));
        }
        return packets;
    }

    /// <summary>Unprotects the RTCP in the inbox, which is emptied.</summary>
    public List<byte[]> TakeRtcp()
    {
        var compounds = new List<byte[]>();
        foreach (var datagram in Take(PacketKind.Rtcp))
        {
            var result = ingress.TryUnprotectRtcp(datagram, datagram, out var length);
            if (result != SrtpResult.Ok) throw new InvalidOperationException($"the SFU sent RTCP that is {result}");
            compounds.Add(datagram[..length]);
        }
        return compounds;
    }

    public void Dispose()
    {
        egress.Dispose();
        ingress.Dispose();
    }

    private byte[][] Take(PacketKind kind)
    {
        var taken = Inbox.Where(datagram => Demux.Classify(datagram) == kind).ToArray();
        Inbox.RemoveAll(taken.Contains);
        return taken;
    }
}

/// <summary>A packet as a listener has it after decryption.</summary>
public sealed record ReceivedPacket(ulong Index, byte[] Bytes)
{
    public RtpPacket Packet => RtpPacket.TryParse(Bytes, out var packet) ? packet : throw new InvalidOperationException("not RTP");

    public byte[] Payload => Packet.Payload.ToArray();
}
