using System.Security.Cryptography;
using Org.BouncyCastle.Crypto;
using Org.BouncyCastle.Security;
using Org.BouncyCastle.Tls;
using Org.BouncyCastle.Tls.Crypto;
using Org.BouncyCastle.Tls.Crypto.Impl.BC;
using Voice.Protocol.Srtp;
using HashAlgorithm = Org.BouncyCastle.Tls.HashAlgorithm;
using X509Request = System.Security.Cryptography.X509Certificates.CertificateRequest;

namespace Voice.Client.WebRtc;

/// <summary>A self-signed P-256 certificate. Nobody knows us by it, so a process has one.</summary>
internal sealed class DtlsCertificate
{
    private static readonly Lazy<DtlsCertificate> OfProcess = new(() => new DtlsCertificate());

    private DtlsCertificate()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var now = DateTimeOffset.UtcNow;
        using var certificate = new X509Request("CN=voice", key, HashAlgorithmName.SHA256).CreateSelfSigned(now.AddDays(-1), now.AddYears(1));
        Certificate = certificate.RawData;
        PrivateKey = PrivateKeyFactory.CreateKey(key.ExportPkcs8PrivateKey());
        Fingerprint = SHA256.HashData(Certificate);
    }

    public static DtlsCertificate Shared => OfProcess.Value;

    /// <summary>X.509, DER.</summary>
    public byte[] Certificate { get; }

    public byte[] Fingerprint { get; }

    internal AsymmetricKeyParameter PrivateKey { get; }
}

/// <summary>The client's side of DTLS 1.2 with use_srtp (RFC 5764): the server's certificate is pinned to the signalled fingerprint. BouncyCastle blocks
/// and reads its own clock, so a handshake takes a thread; so many at a time, the others wait.</summary>
internal sealed class DtlsHandshake(DtlsCertificate own, byte[] serverFingerprint) : DefaultTlsClient(new BcTlsCrypto())
{
    private const int TimeoutMillis = 10_000;
    private static readonly SemaphoreSlim Threads = new(64);

    private static readonly int[] Profiles = [(int)SrtpProfile.AeadAes128Gcm, (int)SrtpProfile.AeadAes256Gcm, (int)SrtpProfile.Aes128CmHmacSha1_80];

    private SrtpProfile profile;
    private byte[]? material;

    /// <summary>Runs it; what it agreed on is for <see cref="SrtpKeyingMaterial"/>.</summary>
    /// <exception cref="VoiceClosedException">It failed.</exception>
    public static async Task<(SrtpProfile Profile, byte[] Material, DtlsTransport Transport)> RunAsync(
        DtlsInbox inbox, byte[] serverFingerprint, CancellationToken cancellation)
    {
        await Threads.WaitAsync(cancellation);
        try
        {
            var client = new DtlsHandshake(DtlsCertificate.Shared, serverFingerprint);
            await using var abort = cancellation.Register(inbox.Close);
            var transport = await Task.Factory.StartNew(
                () => new DtlsClientProtocol().Connect(client, inbox), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
            return (client.profile, client.material!, transport);
        }
        catch (IOException e)
        {
            cancellation.ThrowIfCancellationRequested();
            throw new VoiceClosedException(null, $"the DTLS handshake failed: {e.Message}", e);
        }
        finally
        {
            Threads.Release();
        }
    }

    public override int GetHandshakeTimeoutMillis() => TimeoutMillis;

    public override bool IgnoreCorruptDtlsRecords => true; // RFC 6347 section 4.1.2.7

    /// <summary>RFC 7627: without it the exported keys would not be bound to this handshake.</summary>
    public override bool RequiresExtendedMasterSecret() => true;

    public override IDictionary<int, byte[]> GetClientExtensions()
    {
        var extensions = TlsExtensionsUtilities.EnsureExtensionsInitialised(base.GetClientExtensions());
        TlsSrtpUtilities.AddUseSrtpExtension(extensions, new UseSrtpData(Profiles, []));
        return extensions;
    }

    public override void ProcessServerExtensions(IDictionary<int, byte[]> serverExtensions)
    {
        base.ProcessServerExtensions(serverExtensions);
        // RFC 5764 section 4.1.1: exactly one, of ours.
        if (TlsSrtpUtilities.GetUseSrtpExtension(serverExtensions) is not { ProtectionProfiles: [var chosen] } || !Profiles.Contains(chosen))
            throw new TlsFatalAlert(AlertDescription.illegal_parameter);
        profile = (SrtpProfile)chosen;
    }

    public override void NotifyHandshakeComplete()
    {
        base.NotifyHandshakeComplete();
        material = m_context.ExportKeyingMaterial(ExporterLabel.dtls_srtp, null, profile.KeyingMaterialLength);
    }

    public override TlsAuthentication GetAuthentication() => new Authentication(this);

    protected override ProtocolVersion[] GetSupportedVersions() => ProtocolVersion.DTLSv12.Only();

    private sealed class Authentication(DtlsHandshake handshake) : TlsAuthentication
    {
        public void NotifyServerCertificate(TlsServerCertificate serverCertificate)
        {
            // RFC 8122 section 6.2
            var certificate = serverCertificate.Certificate;
            if (certificate.IsEmpty
                || !CryptographicOperations.FixedTimeEquals(SHA256.HashData(certificate.GetCertificateAt(0).GetEncoded()), handshake.Expected))
                throw new TlsFatalAlert(AlertDescription.bad_certificate);
        }

        public TlsCredentials? GetClientCredentials(Org.BouncyCastle.Tls.CertificateRequest certificateRequest) => new BcDefaultTlsCredentialedSigner(
            new TlsCryptoParameters(handshake.m_context),
            (BcTlsCrypto)handshake.Crypto,
            handshake.Own.PrivateKey,
            new Certificate([handshake.Crypto.CreateCertificate(handshake.Own.Certificate)]),
            new SignatureAndHashAlgorithm(HashAlgorithm.sha256, SignatureAlgorithm.ecdsa));
    }

    private byte[] Expected => serverFingerprint;

    private DtlsCertificate Own => own;
}
