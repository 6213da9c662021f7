using System.Runtime.InteropServices;

namespace Voice.Protocol.DiscordUdp;

/// <summary>The functions of libsodium that the platform has no counterpart of. They work in place, and allocate nothing.</summary>
internal static partial class Sodium
{
    private const string Library = "libsodium";

    /// <summary>False where the library is not found: then its modes are not offered.</summary>
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
