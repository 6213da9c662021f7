using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Voice.Signaling.Hosting;

/// <summary>The certificate a process serves with: the operator's own, or one signed by a private CA that is made on first
/// start. Each key is kept in one file together with its certificate (ca.key, gateway.key, node.key), so that a kill cannot leave
/// a pair that does not match; ca.pem is the CA's certificate for clients that must trust us. Gateway and node on one
/// machine share the CA. Results hold the leaf with its key first, then what leads to its root.</summary>
public static class ServerCertificates
{
    private static readonly TimeSpan CaLifetime = TimeSpan.FromDays(3650);

    // Browsers refuse leaves of more than 398 days.
    private static readonly TimeSpan LeafLifetime = TimeSpan.FromDays(397);
    private static readonly TimeSpan RenewBefore = TimeSpan.FromDays(30);

    /// <summary>The operator's PEM certificate and key, with the intermediates that the file has.</summary>
    /// <exception cref="StartupException">A file is missing, unreadable, or the two do not belong together.</exception>
    public static X509Certificate2Collection Load(string certificateFile, string? keyFile)
    {
        try
        {
            using var leaf = X509Certificate2.CreateFromPemFile(certificateFile, keyFile);
            var all = new X509Certificate2Collection();
            all.ImportFromPemFile(certificateFile);
            return [Usable(leaf), .. all.Skip(1)];
        }
        catch (Exception e) when (e is IOException or CryptographicException or UnauthorizedAccessException or ArgumentException)
        {
            throw new StartupException(
                $"the certificate {certificateFile} with key {keyFile ?? "in the same file"} cannot be used ({e.Message}): pass matching PEM files", e);
        }
    }

    /// <summary>A leaf for these names, from <paramref name="dataDirectory"/> or made now. It is remade when a name is
    /// missing, when it nears its end, or when the CA changed.</summary>
    /// <param name="file">Base name of the leaf's file, such as "gateway".</param>
    /// <param name="names">DNS names and IP addresses that clients will use.</param>
    /// <exception cref="StartupException">A key in the folder is bad, or the folder is not writable.</exception>
    public static X509Certificate2Collection OpenOrCreate(string dataDirectory, string file, IReadOnlyList<string> names, DateTimeOffset now)
    {
        try
        {
            Directory.CreateDirectory(dataDirectory);
            using var alone = SecretFile.Lock(Path.Combine(dataDirectory, "certificates.lock"));
            var ca = OpenOrCreateCa(dataDirectory, now);
            var path = Path.Combine(dataDirectory, file + ".key");
            if (File.Exists(path))
            {
                using var kept = X509Certificate2.CreateFromPemFile(path);
                if (kept.NotAfter - now > RenewBefore && kept.Issuer == ca.Subject && names.All(n => kept.MatchesHostname(n))) return [Usable(kept), ca];
            }

            using var made = Sign(ca, names, now);
            Keep(path, made);
            return [Usable(made), ca];
        }
        catch (Exception e) when (e is CryptographicException or ArgumentException)
        {
            throw new StartupException($"a certificate or key in {dataDirectory} is damaged ({e.Message}): restore it, or remove ca.* and {file}.key to have new ones made", e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new StartupException($"the data folder {dataDirectory} cannot be used ({e.Message}): make it writable or pass --data", e);
        }
    }

    private static X509Certificate2 OpenOrCreateCa(string dataDirectory, DateTimeOffset now)
    {
        var path = Path.Combine(dataDirectory, "ca.key");
        if (!File.Exists(path))
        {
            using var made = MakeCa(now);
            Keep(path, made);
        }

        var ca = X509Certificate2.CreateFromPemFile(path);
        var shown = Path.Combine(dataDirectory, "ca.pem");
        var pem = ca.ExportCertificatePem() + "\n";
        if (!File.Exists(shown) || File.ReadAllText(shown) != pem) File.WriteAllText(shown, pem);
        return ca;
    }

    private static void Keep(string path, X509Certificate2 certificate) => SecretFile.Write(
        path, certificate.GetECDsaPrivateKey()!.ExportPkcs8PrivateKeyPem() + "\n" + certificate.ExportCertificatePem() + "\n");

    private static X509Certificate2 MakeCa(DateTimeOffset now)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var serial = Convert.ToHexString(RandomNumberGenerator.GetBytes(4));
        var request = new CertificateRequest($"CN=Voice private CA {serial}", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, true, 0, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign | X509KeyUsageFlags.CrlSign, true));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, false));
        return request.CreateSelfSigned(now.AddDays(-1), now + CaLifetime);
    }

    private static X509Certificate2 Sign(X509Certificate2 ca, IReadOnlyList<string> names, DateTimeOffset now)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={names[0]}", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(false, false, 0, false));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.DigitalSignature, true));
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid("1.3.6.1.5.5.7.3.1")], false)); // serverAuth
        request.CertificateExtensions.Add(X509AuthorityKeyIdentifierExtension.CreateFromCertificate(ca, true, false));
        var alternatives = new SubjectAlternativeNameBuilder();
        foreach (var name in names)
        {
            if (IPAddress.TryParse(name, out var address)) alternatives.AddIpAddress(address);
            else alternatives.AddDnsName(name);
        }

        request.CertificateExtensions.Add(alternatives.Build());
        using var leaf = request.Create(ca, now.AddDays(-1), now + LeafLifetime, RandomNumberGenerator.GetBytes(16));
        return leaf.CopyWithPrivateKey(key);
    }

    /// <summary>SslStream wants a key that is not ephemeral on some platforms: a PKCS#12 round trip gives one.</summary>
    private static X509Certificate2 Usable(X509Certificate2 pem) => X509CertificateLoader.LoadPkcs12(pem.Export(X509ContentType.Pkcs12), null);
}
