namespace Voice.Protocol.Crypto;

/// <summary>AES-GCM with 96-bit nonces and 128-bit tags (NIST SP 800-38D) under one key. Calls may not run at the same time.
/// Nothing allocates, nothing throws for what a stranger sent, and no branch or address depends on key or text. But where the processor
/// has no AES instructions it is the platform's, which is as good as its library, and costs an exception for every forged packet.</summary>
/// <remarks>Plaintext and ciphertext are equally long, and either the same memory or disjoint.</remarks>
public abstract class AesGcmCipher : IDisposable
{
    public const int NonceLength = 12;
    public const int TagLength = 16;

    /// <summary>The fastest that this processor has.</summary>
    /// <param name="key">16 or 32 bytes.</param>
    /// <exception cref="ArgumentException">A key of another length.</exception>
    public static AesGcmCipher Create(ReadOnlySpan<byte> key)
    {
        if (key.Length is not (16 or 32)) throw new ArgumentException("16 or 32 bytes.", nameof(key));
        if (X86AesUnit.IsSupported) return new VectorAesGcm<X86AesUnit>(key);
        return ArmAesUnit.IsSupported ? new VectorAesGcm<ArmAesUnit>(key) : new PlatformAesGcm(key);
    }

    /// <param name="nonce">12 bytes; never twice under one key.</param>
    /// <param name="tag">Gets 16 bytes.</param>
    public abstract void Seal(
        ReadOnlySpan<byte> nonce, ReadOnlySpan<byte> associated, ReadOnlySpan<byte> plaintext, Span<byte> ciphertext, Span<byte> tag);

    /// <returns>False if the tag is not right; <paramref name="plaintext"/> then holds nothing of use.</returns>
    public abstract bool TryOpen(
        ReadOnlySpan<byte> nonce, ReadOnlySpan<byte> associated, ReadOnlySpan<byte> ciphertext, ReadOnlySpan<byte> tag, Span<byte> plaintext);

    /// <summary>Reads what using the key will read, so that it is in the processor's cache by then. Callers that are about to use many keys wait
    /// for the memory once, not once for each.</summary>
    /// <returns>Nothing of use; add it up somewhere, or the reading is optimised away.</returns>
    public virtual int Preload() => 0;

    /// <summary>Forgets the key.</summary>
    public abstract void Dispose();
}
