using BenchmarkDotNet.Attributes;
using Voice.Protocol.DiscordUdp;
using Voice.Protocol.Rtp;

namespace Voice.Bench;

/// <summary>One Opus packet of 100 bytes with an audio level, in and out.</summary>
[MemoryDiagnoser]
public class UdpProtecting
{
    private readonly byte[] header = new byte[RtpHeader.MaxLength];
    private readonly byte[] payload = new byte[100];
    private readonly byte[] destination = new byte[200];
    private byte[] packet = [];
    private byte[] forged = [];
    private UdpProtection protection = null!;

    [Params(EncryptionMode.AeadAes256GcmRtpSize, EncryptionMode.AeadXChaCha20Poly1305RtpSize)]
    public EncryptionMode Mode { get; set; }

    [GlobalSetup]
    public void Setup()
    {
        protection = new(Mode, new byte[EncryptionModes.KeyLength], UdpEnd.Server);
        RtpHeader.Write(header, false, 120, 1, 960, 0xCAFEBABE, 1, 0x85);
        protection.TryProtect(header, payload, destination, out var length);
        packet = destination[..length];
        forged = [.. packet[..^5], (byte)(packet[^5] ^ 1), .. packet[^4..]];
    }

    [GlobalCleanup]
    public void Cleanup() => protection.Dispose();

    [Benchmark]
    public bool Protect() => protection.TryProtect(header, payload, destination, out _);

    [Benchmark]
    public bool Unprotect() => protection.TryUnprotect(packet, destination, out _);

    [Benchmark]
    public bool RefuseForged() => protection.TryUnprotect(forged, destination, out _);
}
