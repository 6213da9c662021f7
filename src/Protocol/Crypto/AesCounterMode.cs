namespace Voice.Protocol.Crypto;

/// <summary>AES in counter mode with a 16-bit counter (RFC 3711 section 4.1.1) under one key. Nothing allocates; calls may not run at the
/// same time.</summary>
internal abstract class AesCounterMode : IDisposable
{
    /// <summary>The fastest that this processor has.</summary>
    public static AesCounterMode Create(ReadOnlySpan<byte> key)
    {
        if (X86AesUnit.IsSupported) return new VectorAesCounterMode<X86AesUnit>(key);
        return ArmAesUnit.IsSupported ? new VectorAesCounterMode<ArmAesUnit>(key) : new PlatformAesCounterMode(key);
    }

    /// <param name="head">The first eight bytes of every counter block, big endian.</param>
    /// <param name="tail">The last eight of the first one; of these, the lower 16 bits are 0.</param>
    /// <param name="source">At most 2^16 blocks.</param>
    /// <param name="destination">As long: the same memory or disjoint.</param>
    public abstract void Crypt(ulong head, ulong tail, ReadOnlySpan<byte> source, Span<byte> destination);

    /// <summary>Forgets the key.</summary>
    public abstract void Dispose();
}
