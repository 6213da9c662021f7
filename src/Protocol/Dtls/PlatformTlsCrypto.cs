using System.Security.Cryptography;
using Org.BouncyCastle.Crypto.Prng;
using Org.BouncyCastle.Security;
using Org.BouncyCastle.Tls;
using Org.BouncyCastle.Tls.Crypto;
using Org.BouncyCastle.Tls.Crypto.Impl;
using Org.BouncyCastle.Tls.Crypto.Impl.BC;
using Voice.Protocol.Crypto;

namespace Voice.Protocol.Dtls;

/// <summary>BouncyCastle's cryptography, with faster code where a handshake spends its time: signatures on P-256 and random numbers are
/// the platform's, Curve25519 is libsodium's, AES-GCM is ours. (The platform's Diffie-Hellman on P-256 is slower than BouncyCastle's: it checks
/// each key by one more multiplication, twice.) One for a handshake.</summary>
public sealed class PlatformTlsCrypto() : BcTlsCrypto(PlatformRandom)
{
    private static readonly SecureRandom PlatformRandom = new(new CryptoApiRandomGenerator(RandomNumberGenerator.Create()));

    /// <summary>What opens the peer's records; null before there are keys.</summary>
    public GcmRecordCipher? Opener { get; private set; }

    public override TlsECDomain CreateECDomain(TlsECConfig ecConfig) =>
        ecConfig.NamedGroup == NamedGroup.x25519 && Sodium.IsAvailable ? new X25519Domain(this) : base.CreateECDomain(ecConfig);

    public override TlsCertificate CreateCertificate(short type, byte[] encoding) =>
        type == CertificateType.X509 ? new P256Certificate(this, encoding) : base.CreateCertificate(type, encoding);

    /// <param name="secret">Belongs to what is returned, which wipes it when it is destroyed.</param>
    internal TlsSecret Adopt(byte[] secret) => new BcTlsSecret(this, secret);

    protected override TlsAeadCipher CreateCipher_Aes_Gcm(TlsCryptoParameters cryptoParams, int cipherKeySize, int macSize)
    {
        Opener = new GcmRecordCipher(seals: false);
        return new TlsAeadCipher(cryptoParams, new GcmRecordCipher(seals: true), Opener, cipherKeySize, macSize, TlsAeadCipher.AEAD_GCM);
    }
}
