using System.Collections.Concurrent;
using System.Security.Cryptography;
using Org.BouncyCastle.Security;
using Org.BouncyCastle.Tls;
using Org.BouncyCastle.Tls.Crypto;
using Org.BouncyCastle.Tls.Crypto.Impl.BC;
using Voice.Protocol.Srtp;
using HashAlgorithm = Org.BouncyCastle.Tls.HashAlgorithm;

namespace Voice.Tests.Fakes;

/// <summary>A self-signed P-256 certificate and its key, as both sides of a WebRTC handshake have one.</summary>
public sealed record TestCertificate(byte[] Certificate, byte[] PrivateKey)
{
    public byte[] Fingerprint => SHA256.HashData(Certificate);

    public static TestCertificate Create()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new System.Security.Cryptography.X509Certificates.CertificateRequest("CN=test", key, HashAlgorithmName.SHA256);
        using var certificate = request.CreateSelfSigned(DateTimeOffset.UnixEpoch, DateTimeOffset.UnixEpoch.AddYears(100));
        return new(certificate.RawData, key.ExportPkcs8PrivateKey());
    }
}

/// <summary>The browser's side of DTLS-SRTP. Blocks, like every BouncyCastle handshake: run it on a thread of its own.</summary>
public sealed class DtlsClient(TestCertificate identity, SrtpProfile[] profiles, Action<byte[]> send)
    : DefaultTlsClient(new BcTlsCrypto()), DatagramTransport
{
    private readonly BlockingCollection<byte[]> inbox = [];
    private readonly TestCertificate identity = identity;
    private DtlsTransport? open;

    /// <summary>SHA-256 of the certificate that the server showed.</summary>
    public byte[] ServerFingerprint { get; private set; } = [];

    public SrtpProfile Profile { get; private set; }

    /// <summary>Set when the handshake is complete.</summary>
    public byte[]? KeyingMaterial { get; private set; }

    /// <summary>The fatal alert that the server sent.</summary>
    public short? Alert { get; private set; }

    public void Deliver(byte[] datagram) => inbox.Add(datagram);

    /// <summary>Whether the handshake went well; null while it runs.</summary>
    public bool? Succeeded { get; private set; }

    /// <summary>Runs the handshake on a thread of its own; what came of it is told by <paramref name="post"/>.</summary>
    public void Start(Action<Action> post) => new Thread(() =>
    {
        var succeeded = Handshake();
        post(() => Succeeded = succeeded);
    })
    { IsBackground = true, Name = "DTLS client" }.Start();

    /// <summary>Sends close_notify.</summary>
    public void SayGoodbye() => open!.Close();

    public override void NotifyAlertReceived(short alertLevel, short alertDescription)
    {
        if (alertLevel == AlertLevel.fatal) Alert = alertDescription;
    }

    /// <summary>That it offers, best first; null: all that BouncyCastle has.</summary>
    public int[]? Groups { get; init; }

    protected override IList<int> GetSupportedGroups(IList<int> namedGroupRoles) => Groups ?? base.GetSupportedGroups(namedGroupRoles);

    public override IDictionary<int, byte[]> GetClientExtensions()
    {
        var extensions = TlsExtensionsUtilities.EnsureExtensionsInitialised(base.GetClientExtensions());
        if (profiles.Length == 0) return extensions;
        TlsSrtpUtilities.AddUseSrtpExtension(extensions, new UseSrtpData([.. profiles.Select(profile => (int)profile)], []));
        return extensions;
    }

    public override void ProcessServerExtensions(IDictionary<int, byte[]> serverExtensions)
    {
        base.ProcessServerExtensions(serverExtensions);
        Profile = (SrtpProfile)TlsSrtpUtilities.GetUseSrtpExtension(serverExtensions).ProtectionProfiles[0];
    }

    public override void NotifyHandshakeComplete() =>
        KeyingMaterial = m_context.ExportKeyingMaterial(ExporterLabel.dtls_srtp, null, Profile.KeyingMaterialLength);

    public override TlsAuthentication GetAuthentication() => new Authentication(this);

    protected override ProtocolVersion[] GetSupportedVersions() => ProtocolVersion.DTLSv12.Only();

    public int GetReceiveLimit() => 2048;

    public int GetSendLimit() => 1200;

    public int Receive(byte[] buf, int off, int len, int waitMillis) => Receive(buf.AsSpan(off, len), waitMillis);

    public int Receive(Span<byte> buffer, int waitMillis)
    {
        if (!inbox.TryTake(out var datagram, waitMillis == 0 ? Timeout.Infinite : waitMillis)) return -1;
        datagram.CopyTo(buffer);
        return datagram.Length;
    }

    public void Send(byte[] buf, int off, int len) => Send(buf.AsSpan(off, len));

    public void Send(ReadOnlySpan<byte> buffer) => send(buffer.ToArray());

    public void Close()
    {
    }

    private bool Handshake()
    {
        try
        {
            open = new DtlsClientProtocol().Connect(this, this);
            return true;
        }
        catch (IOException)
        {
            return false;
        }
    }

    private sealed class Authentication(DtlsClient client) : TlsAuthentication
    {
        public void NotifyServerCertificate(TlsServerCertificate serverCertificate) =>
            client.ServerFingerprint = SHA256.HashData(serverCertificate.Certificate.GetCertificateAt(0).GetEncoded());

        public TlsCredentials? GetClientCredentials(CertificateRequest certificateRequest) => new BcDefaultTlsCredentialedSigner(
            new TlsCryptoParameters(client.m_context),
            (BcTlsCrypto)client.Crypto,
            PrivateKeyFactory.CreateKey(client.identity.PrivateKey),
            new Certificate([client.Crypto.CreateCertificate(client.identity.Certificate)]),
            new SignatureAndHashAlgorithm(HashAlgorithm.sha256, SignatureAlgorithm.ecdsa));
    }

}
