using System.Security.Cryptography;
using BenchmarkDotNet.Attributes;
using Org.BouncyCastle.Tls;
using Org.BouncyCastle.Tls.Crypto;
using Org.BouncyCastle.Tls.Crypto.Impl.BC;
using Voice.Protocol.Dtls;
using HashAlgorithm = Org.BouncyCastle.Tls.HashAlgorithm;

namespace Voice.Bench;

/// <summary>The public-key operations of one end's handshake: ours beside BouncyCastle's own.</summary>
[MemoryDiagnoser]
public class HandshakeCryptography
{
    private readonly SignatureAndHashAlgorithm algorithm = new(HashAlgorithm.sha256, SignatureAlgorithm.ecdsa);
    private readonly DtlsCredentials credentials = DtlsCredentials.Make(DateTimeOffset.UtcNow);
    private readonly byte[] hash = RandomNumberGenerator.GetBytes(32);
    private BcTlsCrypto crypto = null!;
    private DigitallySigned signed = null!;
    private byte[] peerValue = [];

    [Params(false, true)]
    public bool Ours { get; set; }

    [Params(NamedGroup.x25519, NamedGroup.secp256r1)]
    public int Group { get; set; }

    [GlobalSetup]
    public void Setup()
    {
        crypto = Ours ? new PlatformTlsCrypto() : new BcTlsCrypto();
        signed = new(algorithm, credentials.Signer.GenerateRawSignature(algorithm, hash));
        peerValue = Agreement().GenerateEphemeral();
    }

    [GlobalCleanup]
    public void Cleanup() => credentials.Dispose();

    [Benchmark]
    public TlsSecret Agree()
    {
        var agreement = Agreement();
        agreement.GenerateEphemeral();
        agreement.ReceivePeerValue(peerValue);
        return agreement.CalculateSecret();
    }

    [Benchmark]
    public bool Verify() =>
        crypto.CreateCertificate(credentials.Certificate).CreateVerifier(SignatureAlgorithm.ecdsa).VerifyRawSignature(signed, hash);

    private TlsAgreement Agreement() => crypto.CreateECDomain(new TlsECConfig(Group)).CreateECDH();
}
