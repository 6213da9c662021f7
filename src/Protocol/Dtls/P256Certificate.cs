using System.Security.Cryptography;
using Org.BouncyCastle.Asn1.Sec;
using Org.BouncyCastle.Asn1.X509;
using Org.BouncyCastle.Asn1.X9;
using Org.BouncyCastle.Tls;
using Org.BouncyCastle.Tls.Crypto;
using Org.BouncyCastle.Tls.Crypto.Impl.BC;

namespace Voice.Protocol.Dtls;

/// <summary>A certificate whose ECDSA signatures the platform verifies if its key is on P-256.</summary>
internal sealed class P256Certificate(BcTlsCrypto crypto, byte[] encoding) : BcTlsCertificate(crypto, encoding)
{
    public override TlsVerifier CreateVerifier(short signatureAlgorithm)
    {
        if (signatureAlgorithm != SignatureAlgorithm.ecdsa || !IsP256(m_keyInfo.Algorithm)) return base.CreateVerifier(signatureAlgorithm);
        ValidateKeyUsage(KeyUsage.DigitalSignature);
        return new Verifier(P256.Decode(m_keyInfo.PublicKey.GetBytes()));
    }

    private static bool IsP256(AlgorithmIdentifier algorithm) =>
        algorithm.Algorithm.Equals(X9ObjectIdentifiers.IdECPublicKey) && SecObjectIdentifiers.SecP256r1.Equals(algorithm.Parameters);

    private sealed class Verifier(ECParameters key) : TlsVerifier
    {
        public TlsStreamVerifier? GetStreamVerifier(DigitallySigned digitallySigned) => null; // the hash is signed

        public bool VerifyRawSignature(DigitallySigned digitallySigned, byte[] hash)
        {
            if (digitallySigned.Algorithm is not { Signature: SignatureAlgorithm.ecdsa }) throw new TlsFatalAlert(AlertDescription.internal_error);
            try
            {
                using var ecdsa = ECDsa.Create(key);
                return ecdsa.VerifyHash(hash, digitallySigned.Signature, DSASignatureFormat.Rfc3279DerSequence);
            }
            catch (CryptographicException e)
            {
                throw new TlsFatalAlert(AlertDescription.bad_certificate, e); // its key is no point of the curve
            }
        }
    }
}
