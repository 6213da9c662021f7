using System.Security.Cryptography;
using Org.BouncyCastle.Tls;
using Org.BouncyCastle.Tls.Crypto;
using HashAlgorithm = Org.BouncyCastle.Tls.HashAlgorithm;

namespace Voice.Protocol.Dtls;

/// <summary>The certificate an end presents and its key, on P-256. Any thread.</summary>
public sealed class DtlsCredentials : IDisposable
{
    private readonly ECDsa key = ECDsa.Create();

    /// <param name="certificate">X.509, DER.</param>
    /// <param name="privateKey">PKCS#8, DER.</param>
    /// <exception cref="InvalidDataException">Not such a key.</exception>
    public DtlsCredentials(byte[] certificate, ReadOnlySpan<byte> privateKey)
    {
        Certificate = certificate;
        Fingerprint = SHA256.HashData(certificate);
        try
        {
            key.ImportPkcs8PrivateKey(privateKey, out _);
        }
        catch (CryptographicException e)
        {
            key.Dispose();
            throw new InvalidDataException("the DTLS private key is not PKCS#8", e);
        }
    }

    /// <summary>X.509, DER.</summary>
    public byte[] Certificate { get; }

    /// <summary>SHA-256 of the certificate.</summary>
    public byte[] Fingerprint { get; }

    /// <inheritdoc cref="DtlsIdentity.Make"/>
    public static DtlsCredentials Make(DateTimeOffset now)
    {
        var identity = DtlsIdentity.Make(now);
        return new(identity.Certificate, identity.PrivateKey);
    }

    internal TlsSigner Signer => new P256Signer(key);

    /// <summary>What a handshake signs with: ECDSA over SHA-256.</summary>
    public TlsCredentialedSigner CreateSigner(TlsContext context) => new DefaultTlsCredentialedSigner(
        new TlsCryptoParameters(context),
        Signer,
        new Certificate([context.Crypto.CreateCertificate(Certificate)]),
        new SignatureAndHashAlgorithm(HashAlgorithm.sha256, SignatureAlgorithm.ecdsa));

    public void Dispose() => key.Dispose();

    private sealed class P256Signer(ECDsa key) : TlsSigner
    {
        public byte[] GenerateRawSignature(SignatureAndHashAlgorithm algorithm, byte[] hash)
        {
            lock (key) return key.SignHash(hash, DSASignatureFormat.Rfc3279DerSequence);
        }

        public TlsStreamSigner? GetStreamSigner(SignatureAndHashAlgorithm algorithm) => null; // the hash is signed
    }
}
