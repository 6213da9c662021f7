namespace Voice.Protocol.Srtp;

/// <summary>SRTP protection profiles, with their numbers in the use_srtp extension (RFC 5764 section 4.1.2, RFC 7714 section 14.2).</summary>
public enum SrtpProfile : ushort
{
    None = 0,
#pragma warning disable CA1707 // As the RFC names it: the number is the tag's length in bits.
    Aes128CmHmacSha1_80 = 0x0001,
#pragma warning restore CA1707
    AeadAes128Gcm = 0x0007,
    AeadAes256Gcm = 0x0008,
}

/// <summary>Lengths, in bytes, that a profile fixes. Members throw <see cref="ArgumentOutOfRangeException"/> for a profile we do not have.</summary>
public static class SrtpProfiles
{
    /// <summary>The longest <c>TagLength</c> of all profiles.</summary>
    public const int MaxTagLength = 16;

    /// <summary>The longest <c>RtcpOverhead</c> of all profiles.</summary>
    public const int MaxRtcpOverhead = MaxTagLength + 4;

    extension(SrtpProfile profile)
    {
        public bool IsSupported => profile is SrtpProfile.Aes128CmHmacSha1_80 or SrtpProfile.AeadAes128Gcm or SrtpProfile.AeadAes256Gcm;

        public bool IsAead => profile is SrtpProfile.AeadAes128Gcm or SrtpProfile.AeadAes256Gcm;

        public int KeyLength => profile switch
        {
            SrtpProfile.Aes128CmHmacSha1_80 or SrtpProfile.AeadAes128Gcm => 16,
            SrtpProfile.AeadAes256Gcm => 32,
            _ => throw Unsupported(profile),
        };

        public int SaltLength => profile switch
        {
            SrtpProfile.Aes128CmHmacSha1_80 => 14,
            SrtpProfile.AeadAes128Gcm or SrtpProfile.AeadAes256Gcm => 12,
            _ => throw Unsupported(profile),
        };

        /// <summary>What protection adds to an RTP packet.</summary>
        public int TagLength => profile switch
        {
            SrtpProfile.Aes128CmHmacSha1_80 => 10,
            SrtpProfile.AeadAes128Gcm or SrtpProfile.AeadAes256Gcm => 16,
            _ => throw Unsupported(profile),
        };

        /// <summary>What protection adds to an RTCP packet: the tag and the word with the index.</summary>
        public int RtcpOverhead => profile.TagLength + 4;

        /// <summary>What to ask of the DTLS exporter: both keys and both salts (RFC 5764 section 4.2).</summary>
        public int KeyingMaterialLength => 2 * (profile.KeyLength + profile.SaltLength);
    }

    private static ArgumentOutOfRangeException Unsupported(SrtpProfile profile) => new(nameof(profile), profile, "Not an SRTP profile we have.");
}
