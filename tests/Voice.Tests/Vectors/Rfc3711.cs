namespace Voice.Tests.Vectors;

/// <summary>RFC 3711 appendix B, and packets that other implementations made with its master key.</summary>
internal static class Rfc3711
{
    /// <summary>Appendix B.2</summary>
    public static readonly byte[] KeystreamKey = Hex.Bytes("2B7E151628AED2A6ABF7158809CF4F3C");
    public static readonly byte[] KeystreamSalt = Hex.Bytes("F0F1F2F3F4F5F6F7F8F9FAFBFCFD");
    public const int KeystreamLength = 1_044_512;

    /// <summary>Block number and block.</summary>
    public static readonly (int Block, string Keystream)[] Keystream =
    [
        (0x0000, "e03ead0935c95e80e166b16dd92b4eb4"),
        (0x0001, "d23513162b02d0f72a43a2fe4a5f97ab"),
        (0x0002, "41e95b3bb0a2e8dd477901e4fca894c0"),
        (0xFEFF, "ec8cdf7398607cb0f2d21675ea9ea1e4"),
        (0xFF00, "362b7c3c6773516318a077d7fc5073ae"),
        (0xFF01, "6a2cc3787889374fbeb4c81b17ba6c44"),
    ];

    /// <summary>Appendix B.3</summary>
    public static readonly byte[] MasterKey = Hex.Bytes("E1F97A0D3E018BE0D64FA32C06DE4139");
    public static readonly byte[] MasterSalt = Hex.Bytes("0EC675AD498AFEEBB6960B3AABE6");
    public const string CipherKey = "c61e7a93744f39ee10734afe3ff7a087";
    public const string CipherSalt = "30cbbc08863d8c85d49db34a9ae1";
    public static readonly byte[] AuthenticationKey = Hex.Bytes("""
        CEBE321F6FF7716B6FD4AB49AF256A15 6D38BAA48F0A0ACF3C34E2359E6CDBCE
        E049646C43D9327AD175578EF7227098 6371C10C9A369AC2F94A8C5FBCDDDC25
        6D6E919A48B610EF17C2041E47403576 6B68642C59BBFC2F34DB60DBDFB2
        """);

    /// <summary>The same, labels 3 to 5.</summary>
    public const string RtcpCipherKey = "4c1aa45a81f73d61c800bbb00fbb1eaa";
    public const string RtcpAuthenticationKey = "8d54534feb49ae8e7993a6bd0b844fc323a93dfd";
    public const string RtcpCipherSalt = "9581c7ad87b3e530bf3e4454a8b3";

    /// <summary>AES_CM_128_HMAC_SHA1_80 under the master key; rollover 0.</summary>
    public static readonly byte[] Rtp = Hex.Bytes("800f1234 decafbad cafebabe abababab abababab abababab abababab");
    public static readonly byte[] Srtp = Hex.Bytes("""
        800f1234 decafbad cafebabe 4e55dc4c e79978d8 8ca4d215 949d2402 b78d6acc 99ea179b 8dbb
        """);

    /// <summary>The same, SRTCP index 1.</summary>
    public static readonly byte[] Rtcp = Hex.Bytes("81c8000b cafebabe abababab abababab abababab abababab");
    public static readonly byte[] Srtcp = Hex.Bytes("""
        81c8000b cafebabe 7128035b e487b9bd bef89041 f977a5a8 80000001 993e08cd 54d6c123 0798
        """);
}
