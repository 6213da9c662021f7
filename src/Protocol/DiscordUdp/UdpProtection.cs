using System.Buffers.Binary;
using System.Security.Cryptography;
using Voice.Protocol.Rtp;

namespace Voice.Protocol.DiscordUdp;

/// <summary>Which end of a media path uses a key.</summary>
public enum UdpEnd
{
    Client = 0,
    Server,
}

/// <summary>Encrypts and decrypts what goes both ways under one client's key (udp-media.md section 5). It gives every packet that it
/// protects, RTP and RTCP alike, a nonce of its own; it remembers nothing of packets that it unprotects: replay is the
/// caller's to refuse. Allocates nothing after construction; one thread at a time.</summary>
/// <remarks>Not every mode authenticates the header (<see cref="EncryptionModes"/>). Of RTCP there is none in the mode of that very name: its
/// nonce is the RTP header, and a report's would come again.</remarks>
public sealed class UdpProtection : IDisposable
{
    /// <summary>The most that protection adds to a packet, in any mode.</summary>
    public const int MaxOverhead = 40;

    /// <summary>Packets that one end can send under a key: then the session needs another.</summary>
    public const uint CounterLimit = 1U << 30;

    private const int RtcpHeaderLength = 8;
    private const int MaxNonceLength = 24;
    private const int CounterLength = 4;

    private readonly UdpCipher cipher;
    private readonly UdpEnd end;
    private readonly byte[] nonceTail;
    private readonly bool tagFirst;
    private readonly int suffixLength;
    private uint sent;

    /// <exception cref="ArgumentException">A key of another length than <see cref="EncryptionModes.KeyLength"/>.</exception>
    /// <exception cref="PlatformNotSupportedException">The mode is not supported here.</exception>
    public UdpProtection(EncryptionMode mode, ReadOnlySpan<byte> key, UdpEnd end)
    {
        if (key.Length != EncryptionModes.KeyLength) throw new ArgumentException("A key has 32 bytes.", nameof(key));
        if (!mode.IsSupported) throw new PlatformNotSupportedException($"{mode}: libsodium is not there");
        Mode = mode;
        this.end = end;
        (cipher, tagFirst, suffixLength) = mode switch
        {
            EncryptionMode.AeadAes256GcmRtpSize => ((UdpCipher)new Aes256GcmCipher(key), false, CounterLength),
            EncryptionMode.AeadXChaCha20Poly1305RtpSize => (new XChaCha20Poly1305Cipher(key), false, CounterLength),
            EncryptionMode.XSalsa20Poly1305Lite => (new SecretBoxCipher(key), true, CounterLength),
            EncryptionMode.XSalsa20Poly1305Suffix => (new SecretBoxCipher(key), true, MaxNonceLength),
            EncryptionMode.XSalsa20Poly1305 => (new SecretBoxCipher(key), true, 0),
            _ => throw new ArgumentOutOfRangeException(nameof(mode), mode, "Not a mode."),
        };
        // The suffix mode's nonce is all on the wire and ours to choose: a counter in front keeps it from coming again.
        nonceTail = mode == EncryptionMode.XSalsa20Poly1305Suffix
            ? RandomNumberGenerator.GetBytes(MaxNonceLength - CounterLength)
            : new byte[MaxNonceLength - CounterLength];
    }

    public EncryptionMode Mode { get; }

    /// <summary>What protection adds to a packet.</summary>
    public int Overhead => UdpCipher.TagLength + suffixLength;

    /// <summary>Packets protected so far. Set past what was sent by whoever goes on with a key that an earlier process used.</summary>
    /// <exception cref="ArgumentOutOfRangeException">Set to less than it was: a nonce would come again.</exception>
    public uint Sent
    {
        get => sent;
        set
        {
            ArgumentOutOfRangeException.ThrowIfLessThan(value, sent);
            sent = value;
        }
    }

    /// <summary>Nothing more can be protected.</summary>
    public bool IsExhausted => sent >= CounterLimit;

    /// <summary>Writes an RTP packet: header, protected payload, and what the receiver needs of the nonce.</summary>
    /// <param name="header">A whole RTP header: 12 bytes, CSRCs, extension.</param>
    /// <param name="destination">At least header, payload and <see cref="Overhead"/>; apart from both.</param>
    /// <param name="length">Bytes written.</param>
    /// <returns>False when the key is exhausted.</returns>
    public bool TryProtect(ReadOnlySpan<byte> header, ReadOnlySpan<byte> payload, Span<byte> destination, out int length) =>
        TrySeal(header, payload, ClearLength(header), destination, out length);

    /// <summary>Writes a compound RTCP packet (udp-media.md section 5.3).</summary>
    /// <param name="compound">At least 8 bytes: the first header and its sender's SSRC.</param>
    /// <returns>False when the key is exhausted, and in a mode without RTCP.</returns>
    /// <inheritdoc cref="TryProtect"/>
    public bool TryProtectRtcp(ReadOnlySpan<byte> compound, Span<byte> destination, out int length)
    {
        length = 0;
        return Mode != EncryptionMode.XSalsa20Poly1305
            && TrySeal(compound[..RtcpHeaderLength], compound[RtcpHeaderLength..], RtcpHeaderLength, destination, out length);
    }

    /// <summary>Checks and decrypts an RTP packet.</summary>
    /// <param name="plain">Gets the plain packet, header included; at least as long as the datagram. May be the datagram itself.
    /// Undefined on refusal.</param>
    /// <returns>False if the packet is too short or not authentic.</returns>
    public bool TryUnprotect(ReadOnlySpan<byte> datagram, Span<byte> plain, out int length)
    {
        length = 0;
        return datagram.Length >= RtpHeader.FixedLength && TryOpen(datagram, ClearLength(datagram), plain, out length);
    }

    /// <summary>Checks and decrypts a compound RTCP packet.</summary>
    /// <inheritdoc cref="TryUnprotect"/>
    public bool TryUnprotectRtcp(ReadOnlySpan<byte> datagram, Span<byte> plain, out int length)
    {
        length = 0;
        return Mode != EncryptionMode.XSalsa20Poly1305 && TryOpen(datagram, RtcpHeaderLength, plain, out length);
    }

    /// <summary>Without an extension, and yet with the first bytes of one: by chance the ciphertext begins with them. @discordjs/voice goes by
    /// these bytes instead of the X bit, and hands on an empty frame. Never so in a mode whose packet would be the same again.</summary>
    public bool LooksExtended(ReadOnlySpan<byte> datagram) =>
        !tagFirst && (datagram[0] & 0x10) == 0 && datagram.Length >= RtpHeader.FixedLength + 2
        && BinaryPrimitives.ReadUInt16BigEndian(datagram[RtpHeader.FixedLength..]) == RtpExtensions.OneByteProfile;

    /// <summary>The nonce that the packet carries; empty in the mode whose nonce is the header.</summary>
    public ReadOnlySpan<byte> NonceOf(ReadOnlySpan<byte> datagram) => datagram[^Math.Min(suffixLength, datagram.Length)..];

    /// <inheritdoc cref="Crypto.AesGcmCipher.Preload"/>
    public int Preload() => cipher.Preload();

    public void Dispose() => cipher.Dispose();

    /// <summary>udp-media.md section 5.1: in the rtpsize modes an extension's four bytes of profile and length are clear, and its body
    /// is not; in the older ones all after 12 bytes is encrypted.</summary>
    private int ClearLength(ReadOnlySpan<byte> header) => tagFirst
        ? RtpHeader.FixedLength
        : RtpHeader.FixedLength + (header[0] & 0x0F) * 4 + ((header[0] & 0x10) != 0 ? 4 : 0);

    private bool TrySeal(ReadOnlySpan<byte> header, ReadOnlySpan<byte> payload, int clear, Span<byte> destination, out int length)
    {
        length = 0;
        if (IsExhausted) return false;
        var textLength = header.Length - clear + payload.Length;
        length = clear + textLength + Overhead;
        destination = destination[..length];

        var (text, tag) = Places(clear, textLength);
        header[..clear].CopyTo(destination);
        header[clear..].CopyTo(destination[text..]);
        payload.CopyTo(destination[(text + header.Length - clear)..]);

        Span<byte> nonce = stackalloc byte[MaxNonceLength];
        if (suffixLength == 0) FillNonce(nonce, destination[..RtpHeader.FixedLength]);
        else
        {
            // udp-media.md section 5.2: the counter comes first in the nonce, whatever the byte order; bots write it big endian.
            BinaryPrimitives.WriteUInt32BigEndian(nonce, Suffix(sent));
            nonceTail.CopyTo(nonce[CounterLength..]);
            nonce[..suffixLength].CopyTo(destination[^suffixLength..]);
        }
        sent++;
        cipher.Seal(
            nonce[..cipher.NonceLength], destination[..clear], destination.Slice(text, textLength), destination.Slice(tag, UdpCipher.TagLength));
        return true;
    }

    private bool TryOpen(ReadOnlySpan<byte> datagram, int clear, Span<byte> plain, out int length)
    {
        length = 0;
        var plainLength = datagram.Length - Overhead;
        if (plainLength < clear || datagram[0] >> 6 != 2) return false;

        var (text, tag) = Places(clear, plainLength - clear);
        Span<byte> nonce = stackalloc byte[MaxNonceLength];
        FillNonce(nonce, suffixLength == 0 ? datagram[..RtpHeader.FixedLength] : datagram[^suffixLength..]);
        if (!cipher.TryOpen(
            nonce[..cipher.NonceLength], datagram[..clear], datagram.Slice(text, plainLength - clear), datagram.Slice(tag, UdpCipher.TagLength),
            plain[clear..plainLength])) return false;

        datagram[..clear].CopyTo(plain);
        length = plainLength;
        return true;
    }

    /// <summary>docs/decisions/0005: both ends use one key. A client counts from 0; a server's numbers have a bit set in the first
    /// byte and one in the last, which a count from 0 does not reach soon in either byte order.</summary>
    private uint Suffix(uint count) => end == UdpEnd.Client ? count : 0x8000_0040 | (count & ~0x3Fu) << 1 | count & 0x3F;

    /// <summary>Where ciphertext and tag begin: a secretbox has its tag in front.</summary>
    private (int Text, int Tag) Places(int clear, int textLength) =>
        tagFirst ? (clear + UdpCipher.TagLength, clear) : (clear, clear + textLength);

    private static void FillNonce(Span<byte> nonce, ReadOnlySpan<byte> front)
    {
        nonce.Clear();
        front.CopyTo(nonce);
    }
}
