using BenchmarkDotNet.Attributes;
using Voice.Protocol.Rtp;
using Voice.Protocol.Srtp;

namespace Voice.Bench;

/// <summary>One Opus packet of 100 bytes with an audio level, in and out.</summary>
[MemoryDiagnoser]
public class SrtpProtection
{
    private const ulong Index = 0x1_0005;

    private readonly byte[] header = new byte[RtpHeader.MaxLength];
    private readonly byte[] payload = new byte[100];
    private readonly byte[] destination = new byte[200];
    private byte[] packet = [];
    private byte[] forged = [];
    private SrtpContext context = null!;
    private SrtpReceiver receiver = null!;
    private ulong next;

    [Params(SrtpProfile.Aes128CmHmacSha1_80, SrtpProfile.AeadAes128Gcm)]
    public SrtpProfile Profile { get; set; }

    [GlobalSetup]
    public void Setup()
    {
        byte[] key = new byte[Profile.KeyLength], salt = new byte[Profile.SaltLength];
        new Random(1).NextBytes(key);
        context = new SrtpContext(Profile, key, salt);
        receiver = new SrtpReceiver(new SrtpContext(Profile, key, salt));

        RtpHeader.Write(header, false, 111, unchecked((ushort)Index), 960, 0xCAFEBABE, 1, 0x85);
        packet = destination[..context.Protect(header, payload, Index, destination)];
        forged = [.. packet[..^1], (byte)(packet[^1] ^ 1)];
    }

    [GlobalCleanup]
    public void Cleanup()
    {
        context.Dispose();
        receiver.Dispose();
    }

    [Benchmark]
    public int Protect() => context.Protect(header, payload, Index, destination);

    [Benchmark]
    public bool Unprotect() => context.TryUnprotect(packet, RtpHeader.MaxLength, Index, destination, out _);

    [Benchmark]
    public bool RefuseForged() => context.TryUnprotect(forged, RtpHeader.MaxLength, Index, destination, out _);

    /// <summary>A sender and a receiver with their state: what a packet costs in both directions, at a new index each.</summary>
    [Benchmark]
    public SrtpResult ProtectThenReceive()
    {
        var index = ++next;
        RtpHeader.Write(header, false, 111, (ushort)index, 960, 0xCAFEBABE, 1, 0x85);
        var length = context.Protect(header, payload, index, destination);
        return receiver.TryUnprotect(destination.AsSpan(0, length), destination, out _, out _);
    }
}
