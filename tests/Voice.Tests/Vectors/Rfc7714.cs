namespace Voice.Tests.Vectors;

/// <summary>RFC 7714 sections 16 and 17. Keys and salt are session keys: no derivation.</summary>
internal static class Rfc7714
{
    public static readonly byte[] Key128 = Hex.Bytes("000102030405060708090a0b0c0d0e0f");
    public static readonly byte[] Key256 = Hex.Bytes("000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f");
    public static readonly byte[] Salt = "Quid pro quo"u8.ToArray();

    public const ulong RtpIndex = 0xF17B;
    public static readonly byte[] Rtp = [.. Hex.Bytes("8040f17b 8041f8d3 5501a0b2"), .. "Gallia est omnis divisa in partes tres"u8];

    /// <summary>Section 16.1.1</summary>
    public static readonly byte[] Srtp128 = Hex.Bytes("""
        8040f17b 8041f8d3 5501a0b2 f24de3a3 fb34de6c acba861c 9d7e4bca be633bd5 0d294e6f 42a5f47a
        51c7d19b 36de3adf 8833899d 7f27beb1 6a9152cf 765ee439 0cce
        """);

    /// <summary>Section 16.2.1</summary>
    public static readonly byte[] Srtp256 = Hex.Bytes("""
        8040f17b 8041f8d3 5501a0b2 32b1de78 a822fe12 ef9f78fa 332e33aa b1801238 9a58e2f3 b50b2a02
        76ffae0f 1ba63799 b87b7aa3 db36dfff d6b0f9bb 7878d7a7 6c13
        """);

    /// <summary>Section 17's packet, as its subsections encrypt it.</summary>
    public const uint RtcpIndex = 0x5D4;
    public static readonly byte[] Rtcp = Hex.Bytes("""
        81c8000d 4d617273 4e545031 4e545032 52545020 0000042a 0000e930 4c756e61
        deadbeef deadbeef deadbeef deadbeef deadbeef
        """);

    /// <summary>Section 17.1</summary>
    public static readonly byte[] Srtcp128 = Hex.Bytes("""
        81c8000d 4d617273 63e94885 dcdab67c a727d766 2f6b7e99 7ff5c0f7 6c06f32d c676a5f1 730d6fda
        4ce09b46 86303ded 0bb9275b c84aa458 96cf4d2f c5abf872 45d9eade 800005d4
        """);

    /// <summary>Section 17.2</summary>
    public static readonly byte[] Srtcp256 = Hex.Bytes("""
        81c8000d 4d617273 d50ae4d1 f5ce5d30 4ba297e4 7d470c28 2c3ece5d bffe0a50 a2eaa5c1 110555be
        8415f658 c61de047 6f1b6fad 1d1eb30c 4446839f 57ff6f6c b26ac3be 800005d4
        """);

    /// <summary>Section 17.3: authentic, but not encrypted.</summary>
    public static readonly byte[] Srtcp128TagOnly = Hex.Bytes("""
        81c8000d 4d617273 4e545031 4e545032 52545020 0000042a 0000e930 4c756e61
        deadbeef deadbeef deadbeef deadbeef deadbeef
        841dd968 3dd78ec9 2ae58790 125f62b3 000005d4
        """);
}
