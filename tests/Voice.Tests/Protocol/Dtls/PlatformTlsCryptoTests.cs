using System.Security.Cryptography;
using Org.BouncyCastle.Tls;
using Org.BouncyCastle.Tls.Crypto;
using Org.BouncyCastle.Tls.Crypto.Impl.BC;
using Voice.Protocol.Dtls;
using Voice.Tests.Vectors;
using Xunit;
using HashAlgorithm = Org.BouncyCastle.Tls.HashAlgorithm;
using X509Request = System.Security.Cryptography.X509Certificates.CertificateRequest;

namespace Voice.Tests.Protocol.Dtls;

public class PlatformTlsCryptoTests
{
    private readonly PlatformTlsCrypto crypto = new();

    [Theory]
    [InlineData(NamedGroup.x25519)]
    [InlineData(NamedGroup.secp256r1)]
    public void Agrees_with_BouncyCastle(int group)
    {
        for (var i = 0; i < 20; i++)
        {
            var (ours, theirs) = (Agreement(crypto, group), Agreement(new BcTlsCrypto(), group));
            var (ourValue, theirValue) = (ours.GenerateEphemeral(), theirs.GenerateEphemeral());
            ours.ReceivePeerValue(theirValue);
            theirs.ReceivePeerValue(ourValue);

            Assert.Equal(theirs.CalculateSecret().Extract(), ours.CalculateSecret().Extract());
        }
    }

    /// <summary>RFC 7748 section 6.1: what comes of these is known to everybody.</summary>
    [Theory]
    [InlineData("0000000000000000000000000000000000000000000000000000000000000000")]
    [InlineData("0100000000000000000000000000000000000000000000000000000000000000")]
    [InlineData("e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800")]
    [InlineData("ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f")]
    public void A_point_of_small_order_is_refused(string value) => AssertRefused(NamedGroup.x25519, Hex.Bytes(value));

    [Theory]
    [InlineData(0)]
    [InlineData(31)]
    [InlineData(33)]
    public void A_value_of_another_length_is_refused(int length) => AssertRefused(NamedGroup.x25519, new byte[length]);

    [Fact]
    public void A_point_that_is_not_on_the_curve_is_refused()
    {
        var point = Agreement(crypto, NamedGroup.secp256r1).GenerateEphemeral();
        point[^1] ^= 1;
        AssertRefused(NamedGroup.secp256r1, point);
    }

    [Fact]
    public void Infinity_is_refused() => AssertRefused(NamedGroup.secp256r1, [0]);

    [Fact]
    public void What_credentials_sign_their_certificate_verifies()
    {
        using var credentials = DtlsCredentials.Make(DateTimeOffset.UnixEpoch);
        var (hash, algorithm) = (RandomNumberGenerator.GetBytes(32), new SignatureAndHashAlgorithm(HashAlgorithm.sha256, SignatureAlgorithm.ecdsa));
        var signature = credentials.Signer.GenerateRawSignature(algorithm, hash);

        foreach (var crypto in (BcTlsCrypto[])[this.crypto, new()]) // the second is the oracle
        {
            var verifier = crypto.CreateCertificate(credentials.Certificate).CreateVerifier(SignatureAlgorithm.ecdsa);
            Assert.True(verifier.VerifyRawSignature(new(algorithm, signature), hash));
            Assert.False(verifier.VerifyRawSignature(new(algorithm, signature), RandomNumberGenerator.GetBytes(32)));
            Assert.False(verifier.VerifyRawSignature(new(algorithm, [.. signature[..^1], (byte)(signature[^1] ^ 1)]), hash));
        }
        var ours = this.crypto.CreateCertificate(credentials.Certificate).CreateVerifier(SignatureAlgorithm.ecdsa);
        Assert.False(ours.VerifyRawSignature(new(algorithm, [1, 2, 3]), hash));
        Assert.False(ours.VerifyRawSignature(new(algorithm, []), hash));
    }

    [Fact]
    public void A_certificate_on_another_curve_is_verified_too()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP384);
        var certificate = new X509Request("CN=test", key, HashAlgorithmName.SHA256).CreateSelfSigned(DateTimeOffset.UnixEpoch, DateTimeOffset.MaxValue);
        var hash = RandomNumberGenerator.GetBytes(32);
        var signature = key.SignHash(hash, DSASignatureFormat.Rfc3279DerSequence);

        var verifier = crypto.CreateCertificate(certificate.RawData).CreateVerifier(SignatureAlgorithm.ecdsa);

        Assert.True(verifier.VerifyRawSignature(new(new(HashAlgorithm.sha256, SignatureAlgorithm.ecdsa), signature), hash));
    }

    [Fact]
    public void A_certificate_whose_key_is_no_point_is_refused()
    {
        using var credentials = DtlsCredentials.Make(DateTimeOffset.UnixEpoch);
        var certificate = (BcTlsCertificate)crypto.CreateCertificate(credentials.Certificate);
        var point = certificate.SubjectPublicKeyInfo.PublicKey.GetBytes();
        var encoding = (byte[])credentials.Certificate.Clone();
        encoding[encoding.AsSpan().IndexOf(point) + point.Length - 1] ^= 1;

        var verifier = crypto.CreateCertificate(encoding).CreateVerifier(SignatureAlgorithm.ecdsa);

        var alert = Assert.Throws<TlsFatalAlert>(
            () => verifier.VerifyRawSignature(new(new(HashAlgorithm.sha256, SignatureAlgorithm.ecdsa), new byte[70]), new byte[32]));
        Assert.Equal(AlertDescription.bad_certificate, alert.AlertDescription);
    }

    [Fact]
    public void A_key_that_is_none_is_refused() => Assert.Throws<InvalidDataException>(() => new DtlsCredentials([], [1, 2, 3]));

    private static TlsAgreement Agreement(TlsCrypto crypto, int group) => crypto.CreateECDomain(new TlsECConfig(group)).CreateECDH();

    private void AssertRefused(int group, byte[] peerValue)
    {
        var agreement = Agreement(crypto, group);
        agreement.GenerateEphemeral();
        var alert = Assert.Throws<TlsFatalAlert>(() =>
        {
            agreement.ReceivePeerValue(peerValue);
            agreement.CalculateSecret();
        });
        Assert.Equal(AlertDescription.illegal_parameter, alert.AlertDescription);
    }
}
