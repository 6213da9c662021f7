using System.Security.Cryptography;

namespace Voice.Protocol.Srtp;

/// <summary>Session keys from a master key and salt (RFC 3711 section 4.3) with a key derivation rate of 0.</summary>
internal static class KeyDerivation
{
    // RFC 3711 section 4.3.2
    public const byte RtpEncryption = 0, RtpAuthentication = 1, RtpSalt = 2;
    public const byte RtcpEncryption = 3, RtcpAuthentication = 4, RtcpSalt = 5;

    /// <param name="masterSalt">14 bytes, or the 12 of an AEAD profile, which count as if zeros followed (RFC 7714 section 11).</param>
    public static void Derive(ReadOnlySpan<byte> masterKey, ReadOnlySpan<byte> masterSalt, byte label, Span<byte> sessionKey)
    {
        // Section 4.3.3: the AES-CM keystream for IV = (label || r) XOR salt, two zero bytes appended for the counter. r is 0.
        Span<byte> counter = stackalloc byte[16];
        counter.Clear();
        masterSalt.CopyTo(counter);
        counter[7] ^= label;

        Span<byte> block = stackalloc byte[16];
        using var aes = Aes.Create();
        aes.SetKey(masterKey);
        for (byte i = 0; !sessionKey.IsEmpty; i++)
        {
            counter[15] = i;
            aes.EncryptEcb(counter, block, PaddingMode.None);
            var length = Math.Min(block.Length, sessionKey.Length);
            block[..length].CopyTo(sessionKey);
            sessionKey = sessionKey[length..];
        }
        CryptographicOperations.ZeroMemory(block);
    }
}
