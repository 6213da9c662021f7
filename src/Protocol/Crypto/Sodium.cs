using System.Runtime.InteropServices;

namespace Voice.Protocol.Crypto;

/// <summary>The functions of libsodium that the platform has no counterpart of. Ciphers work in place; nothing allocates.</summary>
internal static partial class Sodium
{
    private const string Library = "libsodium";

    /// <summary>False where the library is not found: then its modes are not offered, and BouncyCastle does its curve.</summary>
    public static bool IsAvailable { get; } = Initialise();

    [LibraryImport(Library, EntryPoint = "crypto_aead_xchacha20poly1305_ietf_encrypt_detached")]
    public static partial int XChaCha20Poly1305Seal(
        Span<byte> ciphertext, Span<byte> tag, nint unusedTagLength, ReadOnlySpan<byte> plaintext, ulong length,
        ReadOnlySpan<byte> associated, ulong associatedLength, nint unusedSecretNonce, ReadOnlySpan<byte> nonce, ReadOnlySpan<byte> key);

    [LibraryImport(Library, EntryPoint = "crypto_aead_xchacha20poly1305_ietf_decrypt_detached")]
    public static partial int XChaCha20Poly1305Open(
        Span<byte> plaintext, nint unusedSecretNonce, ReadOnlySpan<byte> ciphertext, ulong length, ReadOnlySpan<byte> tag,
        ReadOnlySpan<byte> associated, ulong associatedLength, ReadOnlySpan<byte> nonce, ReadOnlySpan<byte> key);

    [LibraryImport(Library, EntryPoint = "crypto_secretbox_detached")]
    public static partial int SecretBoxSeal(
        Span<byte> ciphertext, Span<byte> tag, ReadOnlySpan<byte> plaintext, ulong length, ReadOnlySpan<byte> nonce, ReadOnlySpan<byte> key);

    /// <summary>Plaintext and ciphertext may overlap in any way.</summary>
    [LibraryImport(Library, EntryPoint = "crypto_secretbox_open_detached")]
    public static partial int SecretBoxOpen(
        Span<byte> plaintext, ReadOnlySpan<byte> ciphertext, ReadOnlySpan<byte> tag, ulong length, ReadOnlySpan<byte> nonce, ReadOnlySpan<byte> key);

    /// <summary>The public value of a secret (RFC 7748 section 6.1); constant time. All have 32 bytes.</summary>
    /// <returns>0.</returns>
    [LibraryImport(Library, EntryPoint = "crypto_scalarmult_curve25519_base")]
    public static partial int X25519(Span<byte> value, ReadOnlySpan<byte> secret);

    /// <summary>What both ends agree on; constant time.</summary>
    /// <returns>Not 0 if it is zero, as it is with a value of small order.</returns>
    [LibraryImport(Library, EntryPoint = "crypto_scalarmult_curve25519")]
    public static partial int X25519(Span<byte> shared, ReadOnlySpan<byte> secret, ReadOnlySpan<byte> peerValue);

    /// <summary>Chooses the fastest code for this processor; negative if it cannot. May be called again, on any thread.</summary>
    [LibraryImport(Library, EntryPoint = "sodium_init")]
    private static partial int Init();

    private static bool Initialise()
    {
        try
        {
            return Init() >= 0;
        }
        catch (Exception e) when (e is DllNotFoundException or EntryPointNotFoundException or BadImageFormatException)
        {
            return false;
        }
    }
}
