using System.Net;
using System.Security.Cryptography;
using System.Text;
using Voice.Media;
using Voice.Media.Net;
using Voice.Protocol.DiscordUdp;
using Voice.Protocol.Links;
using Voice.Protocol.Rtp;
using Voice.Protocol.Srtp;
using Voice.Protocol.Stun;

namespace Voice.Bench;

/// <summary>How a client protects a packet that it sends.</summary>
internal delegate int Protecting(ReadOnlySpan<byte> header, ReadOnlySpan<byte> payload, ulong index, Span<byte> datagram);

/// <summary>Clients of a worker that has no network. A client's track is announced as its first SSRC.</summary>
internal static class Clients
{
    public const byte AudioLevelExtension = 1;
    public const byte OpusPayloadType = 111;

    public static readonly TimeSpan Now = TimeSpan.FromHours(1);

    public static RemoteEndPoint Address(uint id) => RemoteEndPoint.From(new IPEndPoint(new IPAddress(0x0A000000 + id), 5000));

    public static uint TrackOf(uint id) => id * 8;

    public static Protecting ConnectNative(Worker worker, uint id, EncryptionMode mode)
    {
        var key = RandomNumberGenerator.GetBytes(EncryptionModes.KeyLength);
        worker.Apply([Put(id, new UdpPath(mode, key, TrackOf(id), Address(id).ToWire()))], Now);
        var protection = new UdpProtection(mode, key, UdpEnd.Client);
        return (header, payload, _, datagram) => protection.TryProtect(header, payload, datagram, out var length) ? length : 0;
    }

    /// <summary>One that need not shake hands.</summary>
    public static Protecting ConnectBrowser(Worker worker, uint id, SrtpProfile profile)
    {
        Announce(worker, id, profile, new byte[32]);
        var material = RandomNumberGenerator.GetBytes(profile.KeyingMaterialLength);
        ((WebRtcTransport)worker.Transports[id]).Connect(new((ushort)profile, material));
        return new SrtpKeyingMaterial(profile, material).CreateClientContext().Protect;
    }

    /// <summary>A browser that may shake hands: its address is validated.</summary>
    public static void Announce(Worker worker, uint id, SrtpProfile profile, byte[] fingerprint)
    {
        var path = new WebRtcPath($"{id:x}server", "a-password-of-22-chars", $"{id:x}client", fingerprint, [(ushort)profile]);
        worker.Apply([Put(id, path)], Now);
        worker.Receive(Check(path), Address(id), Now);
    }

    /// <summary>A connectivity check that nominates.</summary>
    public static byte[] Check(WebRtcPath path)
    {
        var check = new byte[256];
        var writer = new StunWriter(check, StunClass.Request, StunMethod.Binding, RandomNumberGenerator.GetBytes(StunMessage.TransactionIdLength));
        writer.AddUsername(Encoding.UTF8.GetBytes($"{path.LocalUfrag}:{path.RemoteUfrag}"));
        writer.AddUseCandidate();
        writer.AddMessageIntegrity(Encoding.UTF8.GetBytes(path.LocalPassword));
        writer.AddFingerprint();
        return check[..writer.Length];
    }

    /// <summary>An Opus packet of 100 bytes, 20 ms at 40 kbit/s, with an audio level.</summary>
    public static byte[] Packet(uint id, Protecting protect, ulong index)
    {
        Span<byte> header = stackalloc byte[RtpHeader.MaxLength];
        Span<byte> payload = stackalloc byte[100];
        Span<byte> datagram = stackalloc byte[200];
        var length = RtpHeader.Write(header, false, OpusPayloadType, (ushort)index, (uint)index * 960, TrackOf(id), AudioLevelExtension, 30);
        return datagram[..protect(header[..length], payload, index, datagram)].ToArray();
    }

    private static PutTransport Put(uint id, MediaPath path) => new(id, 0, OpusPayloadType, AudioLevelExtension, path);
}

/// <summary>A port to nowhere.</summary>
internal sealed class NoPort : IDatagramPort
{
    public bool TrySend(ReadOnlySpan<byte> datagram, Destination to) => true;
}
