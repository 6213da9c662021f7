using Voice.Protocol.DiscordUdp;
using Voice.Protocol.Srtp;

namespace Voice.Load.Generator;

/// <summary>What protects one participant's packets, both ways.</summary>
internal abstract class PacketKeys : IDisposable
{
    /// <summary>The most that protection adds.</summary>
    public const int MaxOverhead = UdpProtection.MaxOverhead;

    /// <returns>Bytes written.</returns>
    public abstract int Protect(ReadOnlySpan<byte> header, ReadOnlySpan<byte> payload, ulong index, Span<byte> destination);

    /// <summary>Checks and decrypts in place.</summary>
    public abstract SrtpResult TryUnprotect(Span<byte> datagram, out int length);

    public abstract void Dispose();
}

internal sealed class SrtpKeys(SrtpKeyingMaterial material) : PacketKeys
{
    private readonly SrtpContext egress = material.CreateClientContext();
    private readonly SrtpReceiver ingress = new(material.CreateServerContext(), 1024);

    public override int Protect(ReadOnlySpan<byte> header, ReadOnlySpan<byte> payload, ulong index, Span<byte> destination) =>
        egress.Protect(header, payload, index, destination);

    public override SrtpResult TryUnprotect(Span<byte> datagram, out int length) => ingress.TryUnprotect(datagram, datagram, out length, out _);

    public override void Dispose()
    {
        egress.Dispose();
        ingress.Dispose();
    }
}

/// <summary>Whether a packet came twice is seen by its stamp: there is no window here.</summary>
internal sealed class UdpKeys(EncryptionMode mode, byte[] key) : PacketKeys
{
    private readonly UdpProtection protection = new(mode, key, UdpEnd.Client);

    public override int Protect(ReadOnlySpan<byte> header, ReadOnlySpan<byte> payload, ulong index, Span<byte> destination) =>
        protection.TryProtect(header, payload, destination, out var length) ? length : throw new InvalidOperationException("a key is used up");

    public override SrtpResult TryUnprotect(Span<byte> datagram, out int length) =>
        protection.TryUnprotect(datagram, datagram, out length) ? SrtpResult.Ok : SrtpResult.AuthenticationFailed;

    public override void Dispose() => protection.Dispose();
}
