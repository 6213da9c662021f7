using System.Security.Cryptography;
using Org.BouncyCastle.Tls;
using Voice.Protocol.Dtls;
using Voice.Protocol.Srtp;
using HashAlgorithm = Org.BouncyCastle.Tls.HashAlgorithm;

namespace Voice.Media.Dtls;

/// <summary>Our choices in a handshake (RFC 5764, RFC 8827 section 6.5): DTLS 1.2, ECDHE with our P-256 certificate, SRTP
/// negotiated, the client's certificate asked for and pinned to the signalled fingerprint before the handshake can end.</summary>
internal sealed class SrtpTlsServer(DtlsCredentials identity, DtlsPeer peer) : DefaultTlsServer(new PlatformTlsCrypto())
{
    private const int HandshakeTimeoutMillis = 20_000;

    private ushort profile;
    private bool pinned;

    /// <summary>Set when the handshake is complete.</summary>
    public DtlsKeys? Keys { get; private set; }

    public bool FingerprintRefused { get; private set; }

    /// <summary>What opens the client's records once the handshake is complete.</summary>
    public GcmRecordCipher Opener => ((PlatformTlsCrypto)Crypto).Opener!;

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

    /// <summary>Of the keys that browsers make (W3C WebRTC section 4.9.1). For each hash that is named here all messages are hashed once more.</summary>
    public override CertificateRequest GetCertificateRequest() => new(
        [ClientCertificateType.ecdsa_sign, ClientCertificateType.rsa_sign],
        [new(HashAlgorithm.sha256, SignatureAlgorithm.ecdsa), new(HashAlgorithm.sha256, SignatureAlgorithm.rsa)],
        null);

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

    protected override ProtocolVersion[] GetSupportedVersions() => ProtocolVersion.DTLSv12.Only();

    /// <summary>The first is every WebRTC client's (RFC 8827 section 6.5).</summary>
    protected override int[] GetSupportedCipherSuites() => TlsUtilities.GetSupportedCipherSuites(
        Crypto, [CipherSuite.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, CipherSuite.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384]);

    protected override TlsCredentialedSigner GetECDsaSignerCredentials() => identity.CreateSigner(m_context);

    /// <summary>Curve25519 if the client has it, as browsers have: it is the fastest here.</summary>
    protected override int SelectECDH(int minimumCurveBits) =>
        m_context.SecurityParameters.ClientSupportedGroups?.Contains(NamedGroup.x25519) == true
            ? NamedGroup.x25519
            : base.SelectECDH(minimumCurveBits);
}
