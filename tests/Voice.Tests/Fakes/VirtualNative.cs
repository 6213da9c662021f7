using Voice.Media;
using Voice.Media.Net;
using Voice.Protocol.DiscordUdp;
using Voice.Protocol.Links;
using Voice.Protocol.Srtp;

namespace Voice.Tests.Fakes;

/// <summary>A bot or native client: Discord's UDP protocol. It takes each suffix once, as no SFU may send one twice.</summary>
public sealed class VirtualNative : VirtualPeer
{
    private readonly UdpProtection protection;
    private readonly HashSet<string> suffixes = [];
    private readonly Dictionary<uint, ulong> highest = [];

    internal VirtualNative(VirtualSfu sfu, uint id, EncryptionMode mode, RemoteEndPoint address)
        : base(sfu, Announce(sfu, id, mode), address)
    {
        SenderSsrc = TrackSsrc;
        protection = new(mode, Path.SecretKey, UdpEnd.Client);
        Learned = new(0, [], []);
    }

    public UdpPath Path => (UdpPath)Put.Path;

    public UdpTransport Transport => (UdpTransport)Sfu.TransportOf(this);

    public override byte[] Protect(ReadOnlySpan<byte> header, ReadOnlySpan<byte> body, ulong index)
    {
        var datagram = new byte[header.Length + body.Length + UdpProtection.MaxOverhead];
        if (!protection.TryProtect(header, body, datagram, out var length)) throw new InvalidOperationException("exhausted");
        return datagram[..length];
    }

    public override byte[] Rtcp(ReadOnlySpan<byte> compound)
    {
        var datagram = new byte[compound.Length + UdpProtection.MaxOverhead];
        if (!protection.TryProtectRtcp(compound, datagram, out var length)) throw new InvalidOperationException("no RTCP");
        return datagram[..length];
    }

    public override void Dispose() => protection.Dispose();

    private protected override ReceivedPacket Unprotect(byte[] datagram)
    {
        NoteSuffix(datagram);
        if (!protection.TryUnprotect(datagram, datagram, out var length)) throw new InvalidOperationException("the SFU sent a packet that does not authenticate");
        var packet = new ReceivedPacket(0, datagram[..length]);
        var (ssrc, sequence) = (packet.Packet.Ssrc, packet.Packet.SequenceNumber);
        ulong index = sequence;
        if (highest.TryGetValue(ssrc, out var last) && !Rollover.TryGuess(last, sequence, out index)) throw new InvalidOperationException("before the first");
        highest[ssrc] = Math.Max(last, index);
        return packet with { Index = index };
    }

    private protected override byte[] UnprotectRtcp(byte[] datagram)
    {
        NoteSuffix(datagram);
        if (!protection.TryUnprotectRtcp(datagram, datagram, out var length)) throw new InvalidOperationException("the SFU sent RTCP that does not authenticate");
        return datagram[..length];
    }

    private void NoteSuffix(byte[] datagram)
    {
        var suffix = Convert.ToHexString(datagram.AsSpan()[^(protection.Overhead - 16)..]);
        if (suffix.Length > 0 && !suffixes.Add(suffix)) throw new InvalidOperationException("the SFU used a nonce twice");
    }

    private static PutTransport Announce(VirtualSfu sfu, uint id, EncryptionMode mode)
    {
        var key = new byte[EncryptionModes.KeyLength];
        sfu.Random.NextBytes(key);
        return new(id, 0, 120, 1, new UdpPath(mode, key, id * 8, []));
    }
}
