using Voice.Protocol.Rtp;
using Voice.Protocol.Srtp;
using static Voice.Fuzz.BrokenPromiseException;

namespace Voice.Fuzz;

/// <summary>A stranger's datagrams at a receiver whose key he does not have: whatever they are, nothing is remembered of them.</summary>
internal sealed class SrtpTarget : IFuzzTarget
{
    private readonly SrtpReceiver[] receivers =
    [
        Create(SrtpProfile.Aes128CmHmacSha1_80), Create(SrtpProfile.AeadAes128Gcm), Create(SrtpProfile.AeadAes256Gcm),
    ];

    private readonly byte[] plain = new byte[1 << 16];

    public void Run(ReadOnlySpan<byte> input)
    {
        if (input.Length > plain.Length) return;
        foreach (var receiver in receivers)
        {
            Unless(receiver.TryUnprotect(input, plain, out var length, out _) != SrtpResult.Ok && length == 0, "a stranger's packet is refused");
            Unless(receiver.TryUnprotectRtcp(input, plain, out length) != SrtpResult.Ok && length == 0, "a stranger's report is refused");
            Unless(receiver.RtpStreams.Length == 1 && receiver.RtpStreams[0].Window.Highest == 1, "no stream is remembered");
            Unless(receiver.RtcpStreams.IsEmpty, "no report is remembered");
        }
    }

    /// <summary>Has heard one packet, so that replay and rollover have something to look at.</summary>
    private static SrtpReceiver Create(SrtpProfile profile)
    {
        byte[] key = new byte[profile.KeyLength], salt = new byte[profile.SaltLength];
        var random = new Random((int)profile);
        random.NextBytes(key);
        random.NextBytes(salt);
        using var sender = new SrtpContext(profile, key, salt);
        var receiver = new SrtpReceiver(new SrtpContext(profile, key, salt));
        Span<byte> packet = stackalloc byte[100];
        Span<byte> header = stackalloc byte[RtpHeader.FixedLength];
        RtpHeader.Write(header, false, 111, 1, 960, 0xCAFEBABE);
        var length = sender.Protect(header, "voice"u8, 1, packet);
        Unless(receiver.TryUnprotect(packet[..length], packet, out _, out _) == SrtpResult.Ok, "its peer's packet is taken");
        return receiver;
    }
}
