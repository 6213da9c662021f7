using System.Net.Security;
using System.Security.Cryptography.X509Certificates;

namespace Voice.Client;

/// <summary>Trust in certificates of a private authority, such as the one that a voice server makes for itself (ca.pem in its data folder).</summary>
public static class PrivateCa
{
    /// <summary>For <see cref="VoiceClientOptions.CheckCertificate"/> and <see cref="GatewayClientOptions.CheckCertificate"/>: takes what the system trusts, and
    /// what one of these authorities has signed for the name that was asked for.</summary>
    public static RemoteCertificateValidationCallback Trust(X509Certificate2Collection authorities) => (_, certificate, chain, errors) =>
    {
        if (errors == SslPolicyErrors.None) return true;
        if (errors != SslPolicyErrors.RemoteCertificateChainErrors || certificate is null) return false; // another's name, or none

        using var own = new X509Chain();
        own.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        own.ChainPolicy.CustomTrustStore.AddRange(authorities);
        own.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck; // a private authority publishes no list
        own.ChainPolicy.ApplicationPolicy.Add(new("1.3.6.1.5.5.7.3.1")); // serverAuth
        if (chain is not null) own.ChainPolicy.ExtraStore.AddRange(chain.ChainElements.Select(element => element.Certificate).ToArray());
        return own.Build(certificate as X509Certificate2 ?? X509CertificateLoader.LoadCertificate(certificate.GetRawCertData()));
    };
}
