using System.Security.Cryptography;

namespace Voice.Protocol.Crypto;

/// <summary>The platform's, for processors without AES instructions; the tests hold it against ours.</summary>
internal sealed class PlatformAesGcm(ReadOnlySpan<byte> key) : AesGcmCipher
{
    private readonly AesGcm gcm = new(key, TagLength);

    public override void Seal(
        ReadOnlySpan<byte> nonce, ReadOnlySpan<byte> associated, ReadOnlySpan<byte> plaintext, Span<byte> ciphertext, Span<byte> tag) =>
        gcm.Encrypt(nonce, plaintext, ciphertext, tag, associated);

    public override bool TryOpen(
        ReadOnlySpan<byte> nonce, ReadOnlySpan<byte> associated, ReadOnlySpan<byte> ciphertext, ReadOnlySpan<byte> tag, Span<byte> plaintext)
    {
        try
        {
            gcm.Decrypt(nonce, ciphertext, tag, plaintext, associated);
            return true;
        }
        catch (AuthenticationTagMismatchException)
        {
            return false; // there is no TryDecrypt: a forged packet costs an exception
        }
    }

    public override void Dispose() => gcm.Dispose();
}
