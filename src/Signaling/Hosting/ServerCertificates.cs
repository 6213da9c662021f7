using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Voice.Signaling.Hosting;

/// <summary>The certificate a process serves with: the operator's own, or one signed by a private CA that is made on first
/// start. The CA lives in the data folder as ca.pem (give it to clients that must trust us) and ca.key; gateway and node
/// on one machine share it.</summary>
public static class ServerCertificates
{
    private static readonly TimeSpan CaLifetime = TimeSpan.FromDays(3650);

    // Browsers refuse leaves of more than 398 days.
    private static readonly TimeSpan LeafLifetime = TimeSpan.FromDays(397);
    private static readonly TimeSpan RenewBefore = TimeSpan.FromDays(30);

    /// <summary>The operator's PEM certificate and key, with the chain's other certificates if the file has them.</summary>
    /// <exception cref="StartupException">A file is missing, unreadable, or the two do not belong together.</exception>
    public static X509Certificate2 Load(string certificateFile, string? keyFile)
    {
        try
        {
            using var pem = X509Certificate2.CreateFromPemFile(certificateFile, keyFile);
            return Usable(pem);
        }
        catch (Exception e) when (e is IOException or CryptographicException or UnauthorizedAccessException)
        {
            throw new StartupException(
                $"the certificate {certificateFile} with key {keyFile ?? "in the same file"} cannot be used ({e.Message}): pass matching PEM files", e);
        }
    }

    /// <summary>A leaf for these names, from <paramref name="dataDirectory"/> or made now. It is remade when a name is
    /// missing, when it nears its end, or when the CA changed.</summary>
    /// <param name="file">Base name of the leaf's files, such as "gateway".</param>
    /// <param name="names">DNS names and IP addresses that clients will use.</param>
    /// <exception cref="StartupException">A key in the folder is bad, or the folder is not writable.</exception>
    public static X509Certificate2 OpenOrCreate(string dataDirectory, string file, IReadOnlyList<string> names, DateTimeOffset now)
    {
        try
        {
            Directory.CreateDirectory(dataDirectory);
            using var ca = OpenOrCreateCa(dataDirectory, now);
            var (certificateFile, keyFile) = (Path.Combine(dataDirectory, file + ".pem"), Path.Combine(dataDirectory, file + ".key"));
            if (File.Exists(certificateFile) && File.Exists(keyFile))
            {
                using var kept = X509Certificate2.CreateFromPemFile(certificateFile, keyFile);
                if (kept.NotAfter - now > RenewBefore && kept.Issuer == ca.Subject && names.All(n => kept.MatchesHostname(n))) return Usable(kept);
            }

            using var made = Sign(ca, names, now);
            SecretFile.Write(keyFile, made.GetECDsaPrivateKey()!.ExportPkcs8PrivateKeyPem());
            File.WriteAllText(certificateFile, made.ExportCertificatePem() + "\n" + ca.ExportCertificatePem() + "\n");
            return Usable(made);
        }
        catch (Exception e) when (e is CryptographicException or ArgumentException)
        {
            throw new StartupException($"a certificate or key in {dataDirectory} is damaged ({e.Message}): restore it, or remove ca.* and {file}.* to have new ones made", e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new StartupException($"the data folder {dataDirectory} cannot be used ({e.Message}): make it writable or pass --data", e);
        }
    }

    private static X509Certificate2 OpenOrCreateCa(string dataDirectory, DateTimeOffset now)
    {
        var (certificateFile, keyFile) = (Path.Combine(dataDirectory, "ca.pem"), Path.Combine(dataDirectory, "ca.key"));
        if (File.Exists(certificateFile) && File.Exists(keyFile)) return X509Certificate2.CreateFromPemFile(certificateFile, keyFile);

        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var serial = Convert.ToHexString(RandomNumberGenerator.GetBytes(4));
        var request = new CertificateRequest($"CN=Voice private CA {serial}", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, true, 0, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign | X509KeyUsageFlags.CrlSign, true));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, false));
        var ca = request.CreateSelfSigned(now.AddDays(-1), now + CaLifetime);
        SecretFile.Write(keyFile, key.ExportPkcs8PrivateKeyPem());
        File.WriteAllText(certificateFile, ca.ExportCertificatePem() + "\n");
        return ca;
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
