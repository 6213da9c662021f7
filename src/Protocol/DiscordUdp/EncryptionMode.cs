using Voice.Protocol.Crypto;

namespace Voice.Protocol.DiscordUdp;

/// <summary>How the packets of a UDP client are encrypted (protocol/udp-media.md section 5.1). The values stand on the media link.</summary>
public enum EncryptionMode : byte
{
    AeadAes256GcmRtpSize = 0,
    AeadXChaCha20Poly1305RtpSize = 1,

    /// <summary>From here on: of the oldest libraries, and only served where an option says so.</summary>
    XSalsa20Poly1305Lite = 2,
    XSalsa20Poly1305Suffix = 3,
    XSalsa20Poly1305 = 4,
}

/// <summary>The modes' names on the voice WebSocket.</summary>
public static class EncryptionModes
{
    /// <summary>Bytes of a client's key, in every mode.</summary>
    public const int KeyLength = 32;

    private static readonly string[] Names =
    [
        "aead_aes256_gcm_rtpsize",
        "aead_xchacha20_poly1305_rtpsize",
        "xsalsa20_poly1305_lite",
        "xsalsa20_poly1305_suffix",
        "xsalsa20_poly1305",
    ];

    /// <summary>Best first: libraries take the first of the list that they know. What this machine cannot do is left out.</summary>
    public static IReadOnlyList<string> Current { get; } = Supported(2);

    /// <summary><see cref="Current"/>, and then those of the oldest libraries.</summary>
    public static IReadOnlyList<string> WithLegacy { get; } = Supported(Names.Length);

    extension(EncryptionMode mode)
    {
        /// <summary>All modes are where libsodium is found; else only AES-GCM.</summary>
        public bool IsSupported => mode == EncryptionMode.AeadAes256GcmRtpSize || (Enum.IsDefined(mode) && Sodium.IsAvailable);

        /// <summary>False where sequence and timestamp can be changed on the way. The oldest mode's header is its nonce.</summary>
        public bool AuthenticatesHeader => mode is not (EncryptionMode.XSalsa20Poly1305Lite or EncryptionMode.XSalsa20Poly1305Suffix);
    }

    public static string Name(this EncryptionMode mode) => Names[(int)mode];

    /// <summary>Null for a name that is not in <paramref name="offered"/>.</summary>
    public static EncryptionMode? Find(string name, IReadOnlyList<string> offered) =>
        offered.Contains(name) ? (EncryptionMode)Array.IndexOf(Names, name) : null;

    private static string[] Supported(int count) =>
        [.. Enum.GetValues<EncryptionMode>().Take(count).Where(mode => mode.IsSupported).Select(Name)];
}
