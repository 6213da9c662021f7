using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using Voice.Protocol.Crypto;

namespace Voice.Protocol.Srtp;

/// <summary>AES in counter mode, authenticated by a truncated HMAC-SHA1 (RFC 3711 sections 4.1.1 and 4.2).</summary>
internal sealed class AesCmHmacSha1 : SrtpCipher
{
    /// <summary>What is authenticated is gathered up to this length: a call of the platform's costs more than the copy.</summary>
    private const int GatherLength = 1536;

    private readonly AesCounterMode aes;
    private readonly IncrementalHash hmac;
    private readonly ulong saltHead;
    private readonly ulong saltTail;

    public AesCmHmacSha1(ReadOnlySpan<byte> key, ReadOnlySpan<byte> authenticationKey, ReadOnlySpan<byte> salt)
    {
        aes = AesCounterMode.Create(key);
        hmac = IncrementalHash.CreateHMAC(HashAlgorithmName.SHA1, authenticationKey);
        saltHead = BinaryPrimitives.ReadUInt64BigEndian(salt);
        saltTail = BinaryPrimitives.ReadUInt64BigEndian(salt[^8..]) << 16; // 14 bytes, and two zeros
    }

    public override void Seal(
        uint ssrc, ulong index, ReadOnlySpan<byte> header, uint word, ReadOnlySpan<byte> plaintext, Span<byte> ciphertext, Span<byte> tag)
    {
        Crypt(ssrc, index, plaintext, ciphertext);
        Authenticate(header, ciphertext, word, tag);
    }

    public override bool TryOpen(
        uint ssrc, ulong index, ReadOnlySpan<byte> header, uint word, ReadOnlySpan<byte> ciphertext, ReadOnlySpan<byte> tag, Span<byte> plaintext)
    {
        Span<byte> expected = stackalloc byte[SHA1.HashSizeInBytes];
        expected = expected[..tag.Length];
        Authenticate(header, ciphertext, word, expected);
        if (!CryptographicOperations.FixedTimeEquals(expected, tag)) return false;

        Crypt(ssrc, index, ciphertext, plaintext);
        return true;
    }

    public override void Dispose()
    {
        aes.Dispose();
        hmac.Dispose();
    }

    [SkipLocalsInit]
    private void Authenticate(ReadOnlySpan<byte> header, ReadOnlySpan<byte> ciphertext, uint word, Span<byte> tag)
    {
        Span<byte> gathered = stackalloc byte[GatherLength];
        Span<byte> hash = stackalloc byte[SHA1.HashSizeInBytes];
        if (header.Length + ciphertext.Length + 4 > GatherLength)
        {
            hmac.AppendData(header);
            hmac.AppendData(ciphertext);
            header = ciphertext = [];
        }
        header.CopyTo(gathered);
        ciphertext.CopyTo(gathered[header.Length..]);
        var length = header.Length + ciphertext.Length;
        BinaryPrimitives.WriteUInt32BigEndian(gathered[length..], word);
        hmac.AppendData(gathered[..(length + 4)]);
        hmac.GetHashAndReset(hash);
        hash[..tag.Length].CopyTo(tag);
    }

    // Section 4.1.1: IV = salt * 2^16 XOR SSRC * 2^64 XOR index * 2^16; the last two bytes count blocks.
    private void Crypt(uint ssrc, ulong index, ReadOnlySpan<byte> source, Span<byte> destination) =>
        aes.Crypt(saltHead ^ ssrc, saltTail ^ index << 16, source, destination);
}
