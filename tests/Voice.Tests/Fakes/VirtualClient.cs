using System.Buffers.Binary;
using Voice.Media;
using Voice.Media.Dtls;
using Voice.Media.Net;
using Voice.Protocol.Links;
using Voice.Protocol.Srtp;
using Voice.Protocol.Stun;

namespace Voice.Tests.Fakes;

/// <summary>A browser: it checks connectivity, and its keys come as from a DTLS handshake.</summary>
public sealed class VirtualClient : VirtualPeer
{
    private readonly byte[] keyingMaterial;
    private readonly SrtpContext egress;
    private readonly SrtpReceiver ingress;
    private readonly HashSet<(uint Ssrc, ulong Index)> indexes = [];
    private readonly HashSet<(uint Ssrc, uint Index)> rtcpIndexes = [];
    private readonly byte[] transaction = new byte[StunMessage.TransactionIdLength];

    internal VirtualClient(VirtualSfu sfu, uint id, SrtpProfile profile, byte payloadType, byte levelExtension, RemoteEndPoint address)
        : base(sfu, Announce(id, profile, payloadType, levelExtension), address)
    {
        Profile = profile;
        SenderSsrc = 0xA000_0000 + id;
        keyingMaterial = new byte[profile.KeyingMaterialLength];
        sfu.Random.NextBytes(keyingMaterial);
        var keys = new SrtpKeyingMaterial(profile, keyingMaterial);
        egress = keys.CreateClientContext();
        ingress = new(keys.CreateServerContext());
    }

    public SrtpProfile Profile { get; }

    public uint NextRtcpIndex { get; set; } = 1;

    public WebRtcTransport Transport => (WebRtcTransport)Sfu.TransportOf(this);

    /// <summary>As if a DTLS handshake had run.</summary>
    public void UseKeys()
    {
        Transport.Connect(new DtlsKeys((ushort)Profile, keyingMaterial));
        Learned = new((ushort)Profile, keyingMaterial, Address.ToWire());
    }

    /// <summary>A connectivity check (RFC 8445 section 7.2), with what a test wants wrong.</summary>
    public byte[] Check(
        bool nominate = true, string? username = null, string? password = null, bool controlled = false, ushort? extra = null,
        bool integrity = true, bool fingerprint = true)
    {
        Sfu.Random.NextBytes(transaction);
        return BindingRequest.Build(
            Put.With(path => path with { LocalPassword = password ?? path.LocalPassword }), transaction,
            nominate, username, controlled, extra, integrity, fingerprint);
    }

    public override byte[] Protect(ReadOnlySpan<byte> header, ReadOnlySpan<byte> body, ulong index)
    {
        var datagram = new byte[header.Length + body.Length + SrtpProfiles.MaxTagLength];
        return datagram[..egress.Protect(header, body, index, datagram)];
    }

    public override byte[] Rtcp(ReadOnlySpan<byte> compound)
    {
        var datagram = new byte[compound.Length + SrtpProfiles.MaxRtcpOverhead];
        return datagram[..egress.ProtectRtcp(compound, NextRtcpIndex++, datagram)];
    }

    public override void Dispose()
    {
        egress.Dispose();
        ingress.Dispose();
    }

    private protected override ReceivedPacket Unprotect(byte[] datagram)
    {
        var result = ingress.TryUnprotect(datagram, datagram, out var length, out var index);
        if (result != SrtpResult.Ok) throw new InvalidOperationException($"the SFU sent a packet that is {result}");
        if (!indexes.Add((BinaryPrimitives.ReadUInt32BigEndian(datagram.AsSpan(8)), index))) throw new InvalidOperationException("the SFU used an index twice");
        return new(index, datagram[..length]);
    }

    private protected override byte[] UnprotectRtcp(byte[] datagram)
    {
        NoteRtcpIndex(datagram);
        var result = ingress.TryUnprotectRtcp(datagram, datagram, out var length);
        if (result != SrtpResult.Ok) throw new InvalidOperationException($"the SFU sent RTCP that is {result}");
        return datagram[..length];
    }

    /// <summary>RFC 3711 section 3.4: the index stands behind the packet, before the tag unless that is part of the ciphertext.</summary>
    private void NoteRtcpIndex(byte[] datagram)
    {
        var word = BinaryPrimitives.ReadUInt32BigEndian(datagram.AsSpan(Profile.IsAead ? datagram.Length - 4 : datagram.Length - Profile.TagLength - 4));
        var ssrc = BinaryPrimitives.ReadUInt32BigEndian(datagram.AsSpan(4));
        if (!rtcpIndexes.Add((ssrc, word))) throw new InvalidOperationException("the SFU used an RTCP index twice");
    }

    private static PutTransport Announce(uint id, SrtpProfile profile, byte payloadType, byte levelExtension) => new(
        id, 0, payloadType, levelExtension,
        new WebRtcPath($"local{id:d4}", $"password-of-local-{id:d4}", $"remote{id:d4}", new byte[32], [(ushort)profile]));
}
