using System.Security.Cryptography;
using Org.BouncyCastle.Tls;
using Voice.Protocol.Dtls;
using Voice.Protocol.Srtp;

namespace Voice.Client.WebRtc;

/// <summary>The client's side of DTLS 1.2 with use_srtp (RFC 5764): the server's certificate is pinned to the signalled fingerprint. BouncyCastle blocks
/// and reads its own clock, so a handshake takes a thread; so many at a time, the others wait.</summary>
/// <param name="offered">SRTP profiles, best first; null: all that we have.</param>
internal sealed class DtlsHandshake(byte[] serverFingerprint, SrtpProfile[]? offered = null) : DefaultTlsClient(new PlatformTlsCrypto())
{
    private const int TimeoutMillis = 10_000;

    /// <summary>Nobody knows us by our certificate, so a process has one.</summary>
    private static readonly Lazy<DtlsCredentials> OwnCredentials = new(() => DtlsCredentials.Make(DateTimeOffset.UtcNow));

    private static readonly SemaphoreSlim Threads = new(64);

    private static readonly int[] AllProfiles = [(int)SrtpProfile.AeadAes128Gcm, (int)SrtpProfile.AeadAes256Gcm, (int)SrtpProfile.Aes128CmHmacSha1_80];

    private readonly int[] profiles = offered is null ? AllProfiles : [.. offered.Select(profile => (int)profile)];
    private SrtpProfile profile;
    private byte[]? material;

    public static byte[] OwnFingerprint => OwnCredentials.Value.Fingerprint;

    /// <summary>Runs it; what it agreed on is for <see cref="SrtpKeyingMaterial"/>.</summary>
    /// <exception cref="VoiceClosedException">It failed.</exception>
    public static async Task<(SrtpProfile Profile, byte[] Material, DtlsTransport Transport)> RunAsync(
        DtlsInbox inbox, byte[] serverFingerprint, CancellationToken cancellation, SrtpProfile[]? offered = null)
    {
        await Threads.WaitAsync(cancellation);
        try
        {
            await using var abort = cancellation.Register(inbox.Close);
            return await Task.Factory.StartNew(
                () => Run(inbox, serverFingerprint, offered), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
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

    /// <summary>Blocks until it is done.</summary>
    /// <exception cref="IOException">It failed.</exception>
    internal static (SrtpProfile Profile, byte[] Material, DtlsTransport Transport) Run(DtlsInbox inbox, byte[] serverFingerprint, SrtpProfile[]? offered = null)
    {
        var client = new DtlsHandshake(serverFingerprint, offered);
        var transport = new DtlsClientProtocol().Connect(client, inbox);
        return (client.profile, client.material!, transport);
    }

    public override int GetHandshakeTimeoutMillis() => TimeoutMillis;

    public override bool IgnoreCorruptDtlsRecords => true; // RFC 6347 section 4.1.2.7

    /// <summary>RFC 7627: without it the exported keys would not be bound to this handshake.</summary>
    public override bool RequiresExtendedMasterSecret() => true;

    public override IDictionary<int, byte[]> GetClientExtensions()
    {
        var extensions = TlsExtensionsUtilities.EnsureExtensionsInitialised(base.GetClientExtensions());
        TlsSrtpUtilities.AddUseSrtpExtension(extensions, new UseSrtpData(profiles, []));
        return extensions;
    }

    public override void ProcessServerExtensions(IDictionary<int, byte[]> serverExtensions)
    {
        base.ProcessServerExtensions(serverExtensions);
        // RFC 5764 section 4.1.1: exactly one, of ours.
        if (TlsSrtpUtilities.GetUseSrtpExtension(serverExtensions) is not { ProtectionProfiles: [var chosen] } || !profiles.Contains(chosen))
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

        public TlsCredentials? GetClientCredentials(Org.BouncyCastle.Tls.CertificateRequest certificateRequest) =>
            OwnCredentials.Value.CreateSigner(handshake.m_context);
    }

    private byte[] Expected => serverFingerprint;
}
