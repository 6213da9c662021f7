namespace Voice.Protocol.Srtp;

/// <summary>Encrypts and authenticates, with the session keys of one direction of RTP or of RTCP. Not for concurrent use.</summary>
/// <remarks>Nothing allocates. Plaintext and ciphertext are equally long, and either the same memory or disjoint.</remarks>
internal abstract class SrtpCipher : IDisposable
{
    /// <param name="index">48 bits: rollover and sequence; or the SRTCP index.</param>
    /// <param name="header">Sent in clear, authenticated.</param>
    /// <param name="word">Authenticated too: RTP's rollover counter, RTCP's E flag and index.</param>
    public abstract void Seal(
        uint ssrc, ulong index, ReadOnlySpan<byte> header, uint word, ReadOnlySpan<byte> plaintext, Span<byte> ciphertext, Span<byte> tag);

    /// <returns>False if the tag is not right; <paramref name="plaintext"/> then holds nothing of use.</returns>
    public abstract bool TryOpen(
        uint ssrc, ulong index, ReadOnlySpan<byte> header, uint word, ReadOnlySpan<byte> ciphertext, ReadOnlySpan<byte> tag, Span<byte> plaintext);

    /// <inheritdoc cref="Crypto.AesGcmCipher.Preload"/>
    public virtual int Preload() => 0;

    public abstract void Dispose();
}
