using System.Security.Cryptography;
using Voice.Protocol.Crypto;

namespace Voice.Protocol.DiscordUdp;

/// <summary>Encrypts and authenticates under one key. Not for concurrent use; allocates nothing.</summary>
internal abstract class UdpCipher : IDisposable
{
    public const int TagLength = 16;

    public abstract int NonceLength { get; }

    /// <param name="associated">Authenticated, where the cipher can.</param>
    /// <param name="text">Plaintext, encrypted in place.</param>
    public abstract void Seal(ReadOnlySpan<byte> nonce, ReadOnlySpan<byte> associated, Span<byte> text, Span<byte> tag);

    /// <param name="plaintext">As long as the ciphertext, and disjoint or the same memory; a secretbox's may overlap it in any
    /// way, for its tag is in front and what is opened in place moves.</param>
    /// <returns>False if the tag is not right; <paramref name="plaintext"/> then holds nothing of use.</returns>
    public abstract bool TryOpen(
        ReadOnlySpan<byte> nonce, ReadOnlySpan<byte> associated, ReadOnlySpan<byte> ciphertext, ReadOnlySpan<byte> tag, Span<byte> plaintext);

    /// <inheritdoc cref="AesGcmCipher.Preload"/>
    public virtual int Preload() => 0;

    public abstract void Dispose();
}

/// <summary>AES-256-GCM.</summary>
internal sealed class Aes256GcmCipher(ReadOnlySpan<byte> key) : UdpCipher
{
    private readonly AesGcmCipher gcm = AesGcmCipher.Create(key);

    public override int NonceLength => AesGcmCipher.NonceLength;

    public override void Seal(ReadOnlySpan<byte> nonce, ReadOnlySpan<byte> associated, Span<byte> text, Span<byte> tag) =>
        gcm.Seal(nonce, associated, text, text, tag);

    public override bool TryOpen(
        ReadOnlySpan<byte> nonce, ReadOnlySpan<byte> associated, ReadOnlySpan<byte> ciphertext, ReadOnlySpan<byte> tag, Span<byte> plaintext) =>
        gcm.TryOpen(nonce, associated, ciphertext, tag, plaintext);

    public override int Preload() => gcm.Preload();

    public override void Dispose() => gcm.Dispose();
}

/// <summary>XChaCha20-Poly1305 as an AEAD (draft-irtf-cfrg-xchacha), libsodium's.</summary>
internal sealed class XChaCha20Poly1305Cipher(ReadOnlySpan<byte> key) : UdpCipher
{
    private readonly byte[] key = key.ToArray();

    public override int NonceLength => 24;

    public override void Seal(ReadOnlySpan<byte> nonce, ReadOnlySpan<byte> associated, Span<byte> text, Span<byte> tag) =>
        Sodium.XChaCha20Poly1305Seal(text, tag, 0, text, (ulong)text.Length, associated, (ulong)associated.Length, 0, nonce, key);

    public override bool TryOpen(
        ReadOnlySpan<byte> nonce, ReadOnlySpan<byte> associated, ReadOnlySpan<byte> ciphertext, ReadOnlySpan<byte> tag, Span<byte> plaintext) =>
        Sodium.XChaCha20Poly1305Open(
            plaintext, 0, ciphertext, (ulong)ciphertext.Length, tag, associated, (ulong)associated.Length, nonce, key) == 0;

    public override void Dispose() => CryptographicOperations.ZeroMemory(key);
}

/// <summary>NaCl's secretbox, XSalsa20 and Poly1305, libsodium's. It has no associated data: the header is not authenticated.</summary>
internal sealed class SecretBoxCipher(ReadOnlySpan<byte> key) : UdpCipher
{
    private readonly byte[] key = key.ToArray();

    public override int NonceLength => 24;

    public override void Seal(ReadOnlySpan<byte> nonce, ReadOnlySpan<byte> associated, Span<byte> text, Span<byte> tag) =>
        Sodium.SecretBoxSeal(text, tag, text, (ulong)text.Length, nonce, key);

    public override bool TryOpen(
        ReadOnlySpan<byte> nonce, ReadOnlySpan<byte> associated, ReadOnlySpan<byte> ciphertext, ReadOnlySpan<byte> tag, Span<byte> plaintext) =>
        Sodium.SecretBoxOpen(plaintext, ciphertext, tag, (ulong)ciphertext.Length, nonce, key) == 0;

    public override void Dispose() => CryptographicOperations.ZeroMemory(key);
}
