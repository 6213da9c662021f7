using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Voice.Protocol.Dtls;

/// <summary>The certificate that an end shows in DTLS, and its key. The other end knows it by its fingerprint only, so it is made anew at each start
/// and kept in memory.</summary>
/// <param name="Certificate">X.509, DER.</param>
/// <param name="PrivateKey">PKCS#8, DER.</param>
/// <param name="Fingerprint">SHA-256 of the certificate.</param>
public sealed record DtlsIdentity(byte[] Certificate, byte[] PrivateKey, byte[] Fingerprint)
{
    /// <summary>Self-signed, with a key of its own on P-256, for a year.</summary>
    public static DtlsIdentity Make(DateTimeOffset now)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        // RFC 8827 section 6.5 asks for certificates that do not identify anybody.
        var request = new CertificateRequest("CN=voice", key, HashAlgorithmName.SHA256);
        using var certificate = request.CreateSelfSigned(now.AddDays(-1), now.AddDays(365));
        return new(certificate.RawData, key.ExportPkcs8PrivateKey(), SHA256.HashData(certificate.RawData));
    }
}
