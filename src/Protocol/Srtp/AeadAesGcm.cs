using System.Buffers.Binary;
using Voice.Protocol.Crypto;

namespace Voice.Protocol.Srtp;

/// <summary>AES-GCM with a 16-byte tag (RFC 7714).</summary>
internal sealed class AeadAesGcm : SrtpCipher
{
    private const int MaxHeaderLength = 8;

    private readonly AesGcmCipher gcm;
    private uint saltHead;
    private ulong saltTail;
    private readonly bool associateWord;

    /// <param name="associateWord">RTCP: the word is associated data, section 9.3. RTP's is in the nonce already, section 8.1.</param>
    public AeadAesGcm(ReadOnlySpan<byte> key, ReadOnlySpan<byte> salt, bool associateWord)
    {
        gcm = AesGcmCipher.Create(key);
        saltHead = BinaryPrimitives.ReadUInt32BigEndian(salt);
        saltTail = BinaryPrimitives.ReadUInt64BigEndian(salt[4..]);
        this.associateWord = associateWord;
    }

    public override void Seal(
        uint ssrc, ulong index, ReadOnlySpan<byte> header, uint word, ReadOnlySpan<byte> plaintext, Span<byte> ciphertext, Span<byte> tag)
    {
        Span<byte> nonce = stackalloc byte[12];
        WriteNonce(nonce, ssrc, index);
        Span<byte> buffer = stackalloc byte[MaxHeaderLength + 4];
        gcm.Seal(nonce, associateWord ? Join(header, word, buffer) : header, plaintext, ciphertext, tag);
    }

    public override bool TryOpen(
        uint ssrc, ulong index, ReadOnlySpan<byte> header, uint word, ReadOnlySpan<byte> ciphertext, ReadOnlySpan<byte> tag, Span<byte> plaintext)
    {
        Span<byte> nonce = stackalloc byte[12];
        WriteNonce(nonce, ssrc, index);
        Span<byte> buffer = stackalloc byte[MaxHeaderLength + 4];
        return gcm.TryOpen(nonce, associateWord ? Join(header, word, buffer) : header, ciphertext, tag, plaintext);
    }

    public override int Preload() => gcm.Preload();

    public override void Dispose()
    {
        gcm.Dispose();
        (saltHead, saltTail) = (0, 0);
    }

    // Sections 8.1 and 9.1: two zero bytes, SSRC, 48-bit index, XOR salt.
    private void WriteNonce(Span<byte> nonce, uint ssrc, ulong index)
    {
        BinaryPrimitives.WriteUInt32BigEndian(nonce, saltHead ^ ssrc >> 16);
        BinaryPrimitives.WriteUInt64BigEndian(nonce[4..], saltTail ^ ((ulong)ssrc << 48 | index));
    }

    private static ReadOnlySpan<byte> Join(ReadOnlySpan<byte> header, uint word, Span<byte> buffer)
    {
        header.CopyTo(buffer);
        BinaryPrimitives.WriteUInt32BigEndian(buffer[header.Length..], word);
        return buffer[..(header.Length + 4)];
    }
}
