using Org.BouncyCastle.Crypto;
using Org.BouncyCastle.Security;

namespace Voice.Media.Dtls;

/// <summary>The certificate we present and its key: P-256, as signalling made them.</summary>
public sealed class DtlsIdentity
{
    /// <param name="certificate">X.509, DER.</param>
    /// <param name="privateKey">PKCS#8, DER.</param>
    /// <exception cref="InvalidDataException">Not such a key.</exception>
    public DtlsIdentity(byte[] certificate, byte[] privateKey)
    {
        Certificate = certificate;
        try
        {
            PrivateKey = PrivateKeyFactory.CreateKey(privateKey);
        }
        catch (Exception e) when (e is IOException or ArgumentException or SecurityUtilityException)
        {
            throw new InvalidDataException("the DTLS private key is not PKCS#8", e);
        }
    }

    public byte[] Certificate { get; }

    internal AsymmetricKeyParameter PrivateKey { get; }
}
