using System.Security.Cryptography;
using Org.BouncyCastle.Tls;
using Org.BouncyCastle.Tls.Crypto;
using Org.BouncyCastle.Tls.Crypto.Impl.BC;
using Voice.Protocol.Srtp;
using HashAlgorithm = Org.BouncyCastle.Tls.HashAlgorithm;

namespace Voice.Media.Dtls;

/// <summary>Our choices in a handshake (RFC 5764, RFC 8827 section 6.5): DTLS 1.2, ECDHE with our P-256 certificate, SRTP
/// negotiated, the client's certificate asked for and pinned to the signalled fingerprint before the handshake can end.</summary>
internal sealed class SrtpTlsServer(DtlsIdentity identity, DtlsPeer peer) : DefaultTlsServer(new BcTlsCrypto())
{
    private const int HandshakeTimeoutMillis = 20_000;

    private ushort profile;
    private bool pinned;

    /// <summary>Set when the handshake is complete.</summary>
    public DtlsKeys? Keys { get; private set; }

    public bool FingerprintRefused { get; private set; }

    public bool PeerEnded { get; private set; }

    /// <summary>RFC 6347 section 4.1.2.7: a record that does not authenticate is ignored, not fatal.</summary>
    public override bool IgnoreCorruptDtlsRecords => true;

    public override int GetHandshakeTimeoutMillis() => HandshakeTimeoutMillis;

    /// <summary>RFC 7627: without it the exported keys would not be bound to this handshake.</summary>
    public override bool RequiresExtendedMasterSecret() => true;

    public override void ProcessClientExtensions(IDictionary<int, byte[]>? clientExtensions)
    {
        base.ProcessClientExtensions(clientExtensions);
        var offered = clientExtensions is null ? null : TlsSrtpUtilities.GetUseSrtpExtension(clientExtensions);
        foreach (var candidate in peer.Profiles)
        {
            if (offered is null || !offered.ProtectionProfiles.Contains(candidate)) continue;
            profile = candidate;
            return;
        }
        throw new TlsFatalAlert(AlertDescription.handshake_failure);
    }

    public override IDictionary<int, byte[]> GetServerExtensions()
    {
        var extensions = TlsExtensionsUtilities.EnsureExtensionsInitialised(base.GetServerExtensions());
        TlsSrtpUtilities.AddUseSrtpExtension(extensions, new UseSrtpData([profile], []));
        return extensions;
    }

    public override CertificateRequest GetCertificateRequest() =>
        new([ClientCertificateType.ecdsa_sign, ClientCertificateType.rsa_sign],
            TlsUtilities.GetDefaultSupportedSignatureAlgorithms(m_context), null);

    public override void NotifyClientCertificate(Certificate clientCertificate)
    {
        if (!clientCertificate.IsEmpty)
        {
            var fingerprint = SHA256.HashData(clientCertificate.GetCertificateAt(0).GetEncoded());
            pinned = CryptographicOperations.FixedTimeEquals(fingerprint, peer.Fingerprint);
        }
        FingerprintRefused = !pinned;
        // RFC 8122 section 6.2: an endpoint must not go on with a certificate that was not signalled.
        if (!pinned) throw new TlsFatalAlert(AlertDescription.bad_certificate);
    }

    public override void NotifyHandshakeComplete()
    {
        base.NotifyHandshakeComplete();
        if (!pinned) throw new TlsFatalAlert(AlertDescription.bad_certificate);
        var length = ((SrtpProfile)profile).KeyingMaterialLength;
        Keys = new(profile, m_context.ExportKeyingMaterial(ExporterLabel.dtls_srtp, null, length));
    }

    public override void NotifyAlertReceived(short alertLevel, short alertDescription) =>
        PeerEnded |= alertLevel == AlertLevel.fatal || alertDescription == AlertDescription.close_notify;

    protected override ProtocolVersion[] GetSupportedVersions() => ProtocolVersion.DTLSv12.Only();

    protected override int[] GetSupportedCipherSuites() => TlsUtilities.GetSupportedCipherSuites(Crypto,
    [
        CipherSuite.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
        CipherSuite.TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
        CipherSuite.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
    ]);

    protected override TlsCredentialedSigner GetECDsaSignerCredentials() => new BcDefaultTlsCredentialedSigner(
        new TlsCryptoParameters(m_context),
        (BcTlsCrypto)Crypto,
        identity.PrivateKey,
        new Certificate([Crypto.CreateCertificate(identity.Certificate)]),
        new SignatureAndHashAlgorithm(HashAlgorithm.sha256, SignatureAlgorithm.ecdsa));
}
