using System.Buffers.Binary;
using System.Security.Cryptography;
using Voice.Protocol.Rtp;

namespace Voice.Protocol.Srtp;

/// <summary>SRTP and SRTCP of one direction under one master key (RFC 3711, RFC 7714). It knows keys and no streams: the
/// caller gives every index, and must never protect two packets with the same SSRC and index. Allocates nothing after
/// construction; one thread at a time.</summary>
/// <remarks>Source and destination may begin at the same byte (in place) and must not overlap otherwise.</remarks>
public sealed class SrtpContext : IDisposable
{
    /// <summary>Indexes are below this: 32 bits of rollover, 16 of sequence.</summary>
    public const ulong IndexLimit = 1UL << 48;

    /// <summary>SRTCP indexes are below this.</summary>
    public const uint RtcpIndexLimit = 1U << 31;

    private const int RtcpHeaderLength = 8;
    private const uint EncryptedFlag = 1U << 31;

    private readonly SrtpCipher rtp;
    private readonly SrtpCipher rtcp;
    private readonly int tagLength;

    /// <exception cref="ArgumentException">A key or salt of another length than the profile's.</exception>
    public SrtpContext(SrtpProfile profile, ReadOnlySpan<byte> masterKey, ReadOnlySpan<byte> masterSalt)
    {
        if (masterKey.Length != profile.KeyLength) throw new ArgumentException("Wrong length for the profile.", nameof(masterKey));
        if (masterSalt.Length != profile.SaltLength) throw new ArgumentException("Wrong length for the profile.", nameof(masterSalt));

        Profile = profile;
        tagLength = profile.TagLength;
        rtp = CreateCipher(profile, masterKey, masterSalt,
            KeyDerivation.RtpEncryption, KeyDerivation.RtpAuthentication, KeyDerivation.RtpSalt, isRtcp: false);
        rtcp = CreateCipher(profile, masterKey, masterSalt,
            KeyDerivation.RtcpEncryption, KeyDerivation.RtcpAuthentication, KeyDerivation.RtcpSalt, isRtcp: true);
    }

    /// <summary>From session keys, as the RFCs' packet vectors give them.</summary>
    internal SrtpContext(SrtpProfile profile, SrtpCipher rtp, SrtpCipher rtcp)
    {
        Profile = profile;
        tagLength = profile.TagLength;
        this.rtp = rtp;
        this.rtcp = rtcp;
    }

    public SrtpProfile Profile { get; }

    /// <summary>For an RTP packet soon.</summary>
    /// <inheritdoc cref="Crypto.AesGcmCipher.Preload"/>
    public int Preload() => rtp.Preload();

    /// <summary>Writes header and protected payload.</summary>
    /// <param name="header">A whole RTP header: 12 bytes, CSRCs, extension. Its sequence is the index's lower half.</param>
    /// <param name="index">Below <see cref="IndexLimit"/>: rollover counter and sequence.</param>
    /// <param name="destination">At least header, payload and the profile's <c>TagLength</c>.</param>
    /// <returns>Bytes written.</returns>
    public int Protect(ReadOnlySpan<byte> header, ReadOnlySpan<byte> payload, ulong index, Span<byte> destination)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(index, IndexLimit);
        var length = header.Length + payload.Length + tagLength;
        destination = destination[..length];
        header.CopyTo(destination);
        rtp.Seal(ReadSsrc(header), index, destination[..header.Length], (uint)(index >> 16),
            payload, destination.Slice(header.Length, payload.Length), destination[^tagLength..]);
        return length;
    }

    /// <inheritdoc cref="Protect(ReadOnlySpan{byte}, ReadOnlySpan{byte}, ulong, Span{byte})"/>
    public int Protect(ReadOnlySpan<byte> packet, int headerLength, ulong index, Span<byte> destination) =>
        Protect(packet[..headerLength], packet[headerLength..], index, destination);

    /// <summary>Checks and decrypts an RTP packet whose index the caller has guessed. Checks no replay: see <see cref="SrtpReceiver"/>.</summary>
    /// <param name="headerLength">As parsed from the packet, see <see cref="RtpPacket.HeaderLength"/>.</param>
    /// <param name="plain">Gets the plain packet, header included; at least the packet's length less the tag. Undefined on refusal.</param>
    /// <returns>False if the packet is too short or not authentic.</returns>
    public bool TryUnprotect(ReadOnlySpan<byte> packet, int headerLength, ulong index, Span<byte> plain, out int length)
    {
        length = packet.Length - tagLength;
        if (length < headerLength || headerLength < RtpHeader.FixedLength || index >= IndexLimit)
        {
            length = 0;
            return false;
        }

        var header = packet[..headerLength];
        if (!rtp.TryOpen(ReadSsrc(header), index, header, (uint)(index >> 16),
            packet[headerLength..length], packet[length..], plain[headerLength..length]))
        {
            length = 0;
            return false;
        }
        header.CopyTo(plain);
        return true;
    }

    /// <summary>Writes a protected compound RTCP packet (RFC 3711 section 3.4, RFC 7714 section 9).</summary>
    /// <param name="compound">At least 8 bytes: the first header and its sender's SSRC.</param>
    /// <param name="index">Below <see cref="RtcpIndexLimit"/>; never the same twice for one sender.</param>
    /// <param name="destination">At least the compound and the profile's <c>RtcpOverhead</c>.</param>
    /// <returns>Bytes written.</returns>
    public int ProtectRtcp(ReadOnlySpan<byte> compound, uint index, Span<byte> destination)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(index, RtcpIndexLimit);
        ArgumentOutOfRangeException.ThrowIfLessThan(compound.Length, RtcpHeaderLength, nameof(compound));
        var length = compound.Length + tagLength + 4;
        destination = destination[..length];
        var ssrc = ReadRtcpSender(compound);
        compound[..RtcpHeaderLength].CopyTo(destination);

        var word = EncryptedFlag | index;
        var (tag, trailer) = RtcpTrailer(compound.Length);
        BinaryPrimitives.WriteUInt32BigEndian(destination[trailer..], word);
        rtcp.Seal(ssrc, index, destination[..RtcpHeaderLength], word,
            compound[RtcpHeaderLength..], destination[RtcpHeaderLength..compound.Length], destination.Slice(tag, tagLength));
        return length;
    }

    /// <summary>Checks and decrypts an RTCP packet. Checks no replay: see <see cref="SrtpReceiver"/>.</summary>
    /// <param name="plain">Gets the plain compound packet. Undefined on refusal.</param>
    /// <returns>False if the packet is too short, not encrypted or not authentic.</returns>
    public bool TryUnprotectRtcp(ReadOnlySpan<byte> packet, Span<byte> plain, out int length)
    {
        length = 0;
        if (!TryReadRtcpIndex(packet, out var ssrc, out var index)) return false;

        var plainLength = packet.Length - tagLength - 4;
        var tag = RtcpTrailer(plainLength).Tag;
        var header = packet[..RtcpHeaderLength];
        if (!rtcp.TryOpen(ssrc, index, header, EncryptedFlag | index,
            packet[RtcpHeaderLength..plainLength], packet.Slice(tag, tagLength), plain[RtcpHeaderLength..plainLength])) return false;

        header.CopyTo(plain);
        length = plainLength;
        return true;
    }

    /// <summary>What a protected RTCP packet says, unauthenticated, of its sender and index.</summary>
    /// <returns>False if the packet is too short or has the E flag unset: RFC 5764 has no way to agree on clear RTCP.</returns>
    internal bool TryReadRtcpIndex(ReadOnlySpan<byte> packet, out uint ssrc, out uint index)
    {
        (ssrc, index) = (0, 0);
        var plainLength = packet.Length - tagLength - 4;
        if (plainLength < RtcpHeaderLength || packet[0] >> 6 != 2) return false;

        ssrc = ReadRtcpSender(packet);
        var word = BinaryPrimitives.ReadUInt32BigEndian(packet[RtcpTrailer(plainLength).Word..]);
        index = word & ~EncryptedFlag;
        return (word & EncryptedFlag) != 0;
    }

    public void Dispose()
    {
        rtp.Dispose();
        rtcp.Dispose();
    }

    // The tag ends an HMAC packet (RFC 3711 section 3.4); of an AEAD packet it belongs to the ciphertext (RFC 7714 section 9.2).
    private (int Tag, int Word) RtcpTrailer(int plainLength) =>
        Profile.IsAead ? (plainLength, plainLength + tagLength) : (plainLength + 4, plainLength);

    private static uint ReadSsrc(ReadOnlySpan<byte> header) => BinaryPrimitives.ReadUInt32BigEndian(header[8..]);

    private static uint ReadRtcpSender(ReadOnlySpan<byte> packet) => BinaryPrimitives.ReadUInt32BigEndian(packet[4..]);

    private static SrtpCipher CreateCipher(
        SrtpProfile profile, ReadOnlySpan<byte> masterKey, ReadOnlySpan<byte> masterSalt,
        byte encryptionLabel, byte authenticationLabel, byte saltLabel, bool isRtcp)
    {
        Span<byte> key = stackalloc byte[profile.KeyLength];
        Span<byte> authenticationKey = stackalloc byte[SHA1.HashSizeInBytes];
        Span<byte> salt = stackalloc byte[profile.SaltLength];
        KeyDerivation.Derive(masterKey, masterSalt, encryptionLabel, key);
        KeyDerivation.Derive(masterKey, masterSalt, authenticationLabel, authenticationKey);
        KeyDerivation.Derive(masterKey, masterSalt, saltLabel, salt);

        SrtpCipher cipher = profile.IsAead ? new AeadAesGcm(key, salt, associateWord: isRtcp) : new AesCmHmacSha1(key, authenticationKey, salt);
        CryptographicOperations.ZeroMemory(key);
        CryptographicOperations.ZeroMemory(authenticationKey);
        return cipher;
    }
}
