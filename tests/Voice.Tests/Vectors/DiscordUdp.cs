using Voice.Protocol.DiscordUdp;

namespace Voice.Tests.Vectors;

/// <summary>udp-media.md sections 2 and 5.</summary>
internal static class DiscordUdp
{
    public static readonly byte[] Key = Hex.Bytes("000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f");

    /// <summary>Vector A: sequence 1, timestamp 960, SSRC 12345, a frame of silence.</summary>
    public static readonly byte[] Rtp = Hex.Bytes("80780001000003c000003039 f8fffe");

    /// <summary>Vector B: audio level and speaker flags in the encrypted part.</summary>
    public static readonly byte[] RtpWithExtension = Hex.Bytes("907800020000078000003039 bede0001 10ff9002 f8fffe");

    /// <summary>Vector C: a receiver report.</summary>
    public static readonly byte[] Rtcp = Hex.Bytes("81c9000700003039 0000303a0000000000000001000000000000000000000000");

    /// <summary>Vectors A, B and D. The suffix is the counter, or the whole nonce (its sender's choice), or not there.</summary>
    public static readonly (EncryptionMode Mode, byte[] Plain, int Header, uint Counter, byte[] Wire)[] RtpVectors =
    [
        (EncryptionMode.AeadAes256GcmRtpSize, Rtp, 12, 1,
            Hex.Bytes("80780001000003c000003039 bcc933 52177d1556c79e0ebde42f854ca27751 00000001")),
        (EncryptionMode.AeadXChaCha20Poly1305RtpSize, Rtp, 12, 1,
            Hex.Bytes("80780001000003c000003039 f158af f80ffdd729b8527eeadceb6aa6333a05 00000001")),
        (EncryptionMode.AeadAes256GcmRtpSize, RtpWithExtension, 20, 2,
            Hex.Bytes("907800020000078000003039bede0001 bc83cacc6aff08 c7b6792bb821e9c076274a07cc0a8665 00000002")),
        (EncryptionMode.AeadXChaCha20Poly1305RtpSize, RtpWithExtension, 20, 2,
            Hex.Bytes("907800020000078000003039bede0001 0248a69651e56f c71ba1258a850e27abb1078e5967117b 00000002")),
        (EncryptionMode.XSalsa20Poly1305, Rtp, 12, 0,
            Hex.Bytes("80780001000003c000003039 c835f9e090c872bf0b5cf08ea15f2536 0a0e25")),
        (EncryptionMode.XSalsa20Poly1305Suffix, Rtp, 12, 0,
            Hex.Bytes("80780001000003c000003039 a645eb9fae22eb933e49a746f5188b60 ce6a49 a0a1a2a3a4a5a6a7a8a9aaabacadaeafb0b1b2b3b4b5b6b7")),
        (EncryptionMode.XSalsa20Poly1305Lite, Rtp, 12, 1,
            Hex.Bytes("80780001000003c000003039 373c50ba1774f0dedb75d5fd7d642512 36542b 00000001")),
    ];

    /// <summary>Vector C.</summary>
    public static readonly (EncryptionMode Mode, uint Counter, byte[] Wire)[] RtcpVectors =
    [
        (EncryptionMode.AeadAes256GcmRtpSize, 3,
            Hex.Bytes("81c9000700003039 bea625a6bb9b2a283048cd612c7ec8db4e556d34615d2a99 d0e1021da43ac65cf0e153f890b3504c 00000003")),
        (EncryptionMode.AeadXChaCha20Poly1305RtpSize, 3,
            Hex.Bytes("81c9000700003039 68c7c30dc01f384d22e1e791118556a99e2379d3a25a9102 50ae5359a4d65addc785f402652dae9c 00000003")),
    ];

    /// <summary>Section 5.3, captured from the real desktop client: it writes its counter in the other byte order.</summary>
    public static readonly byte[] CapturedKey =
    [
        68, 5, 223, 197, 216, 61, 134, 194, 49, 211, 49, 58, 89, 206, 244, 29, 107, 120, 6, 65, 172, 240, 7, 201, 175, 132, 29, 198, 22, 178, 120, 162,
    ];

    public static readonly byte[] CapturedRtcp = Hex.Bytes("""
        80c800060005ec18 8af5b6fb63a15a19f519ab9b502e933c6ae101ae685f5e7f42b4fab783bb0eeda73e70e994cbaea0fdb0652f91a52d69 5a000080
        """);

    public static readonly byte[] CapturedRtcpPlain =
        Hex.Bytes("80c800060005ec18 e957a59b69374bc60a5b61d000005b8e001e661b 81ca00020005ec1801000000");

    /// <summary>Section 2: SSRC 12345, seen at 203.0.113.7:50004.</summary>
    public static readonly byte[] DiscoveryRequest = [.. Hex.Bytes("00010046 00003039"), .. new byte[66]];

    public static readonly byte[] DiscoveryResponse =
        [.. Hex.Bytes("00020046 00003039 3230332e302e3131332e37"), .. new byte[53], .. Hex.Bytes("c354")];
}
