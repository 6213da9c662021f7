using System.Buffers.Binary;
using System.Numerics;
using System.Security.Cryptography;

namespace Voice.Protocol.Srtp;

/// <summary>AES in counter mode, authenticated by a truncated HMAC-SHA1 (RFC 3711 sections 4.1.1 and 4.2).</summary>
internal sealed class AesCmHmacSha1 : SrtpCipher
{
    private const int BlockLength = 16;

    // One call of the platform's cipher costs more than the blocks in it: 16 cover an Opus packet and its like in one.
    private const int BatchLength = 16 * BlockLength;

    private readonly Aes aes;
    private readonly ICryptoTransform encryptor;
    private readonly IncrementalHash hmac;
    private readonly byte[] salt;
    private readonly byte[] counters = new byte[BatchLength];
    private readonly byte[] keystream = new byte[BatchLength];

    public AesCmHmacSha1(ReadOnlySpan<byte> key, ReadOnlySpan<byte> authenticationKey, ReadOnlySpan<byte> salt)
    {
        aes = Aes.Create();
        aes.SetKey(key);
        aes.Mode = CipherMode.ECB;
        aes.Padding = PaddingMode.None;
        encryptor = aes.CreateEncryptor();
        hmac = IncrementalHash.CreateHMAC(HashAlgorithmName.SHA1, authenticationKey);
        this.salt = salt.ToArray();
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
        encryptor.Dispose();
        aes.Dispose();
        hmac.Dispose();
        CryptographicOperations.ZeroMemory(salt);
        CryptographicOperations.ZeroMemory(keystream);
    }

    private void Authenticate(ReadOnlySpan<byte> header, ReadOnlySpan<byte> ciphertext, uint word, Span<byte> tag)
    {
        Span<byte> trailer = stackalloc byte[4];
        BinaryPrimitives.WriteUInt32BigEndian(trailer, word);
        Span<byte> hash = stackalloc byte[SHA1.HashSizeInBytes];
        hmac.AppendData(header);
        hmac.AppendData(ciphertext);
        hmac.AppendData(trailer);
        hmac.GetHashAndReset(hash);
        hash[..tag.Length].CopyTo(tag);
    }

    private void Crypt(uint ssrc, ulong index, ReadOnlySpan<byte> source, Span<byte> destination)
    {
        // Section 4.1.1: IV = salt * 2^16 XOR SSRC * 2^64 XOR index * 2^16; the last two bytes count blocks.
        Span<byte> iv = stackalloc byte[BlockLength];
        iv.Clear();
        salt.CopyTo(iv);
        var head = BinaryPrimitives.ReadUInt64BigEndian(iv) ^ ssrc;
        var tail = BinaryPrimitives.ReadUInt64BigEndian(iv[8..]) ^ index << 16;

        for (ushort block = 0; !source.IsEmpty;)
        {
            var length = Math.Min(source.Length, BatchLength);
            var rounded = (length + BlockLength - 1) / BlockLength * BlockLength;
            for (var offset = 0; offset < rounded; offset += BlockLength)
            {
                BinaryPrimitives.WriteUInt64BigEndian(counters.AsSpan(offset), head);
                BinaryPrimitives.WriteUInt64BigEndian(counters.AsSpan(offset + 8), tail | block++);
            }
            encryptor.TransformBlock(counters, 0, rounded, keystream, 0);
            Xor(source[..length], keystream, destination);
            source = source[length..];
            destination = destination[length..];
        }
    }

    private static void Xor(ReadOnlySpan<byte> source, ReadOnlySpan<byte> key, Span<byte> destination)
    {
        var i = 0;
        for (; i <= source.Length - Vector<byte>.Count; i += Vector<byte>.Count)
        {
            (new Vector<byte>(source[i..]) ^ new Vector<byte>(key[i..])).CopyTo(destination[i..]);
        }
        for (; i < source.Length; i++) destination[i] = (byte)(source[i] ^ key[i]);
    }
}
