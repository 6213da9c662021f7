using System.Security.Cryptography;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Server.Kestrel.Core.Features;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Voice.Signaling.Gateway.Probing;

namespace Voice.Signaling.Gateway.Allocation;

/// <summary>The link port: lets voice nodes in that know the cluster secret. The host puts TLS under it (UseHttps).</summary>
public sealed class NodeLinkHandler(
    LinkAdmission admission, NodeProber prober, MediaProber media, IGrainFactory grains, IHostApplicationLifetime lifetime, TimeProvider time, ILogger<NodeLink> log) : ConnectionHandler
{
    public override async Task OnConnectedAsync(ConnectionContext connection)
    {
        var certificate = connection.Features.Get<ISslStreamFeature>()?.SslStream.LocalCertificate
            ?? throw new InvalidOperationException("the link port needs UseHttps below it");
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(connection.ConnectionClosed, lifetime.ApplicationStopping);
        var remote = connection.RemoteEndPoint?.ToString() ?? "nowhere";
        using var link = new NodeLink(connection.Transport, SHA256.HashData(certificate.GetRawCertData()), remote, admission, prober, media, grains, time, log);
        await link.Run(ended.Token);
        connection.Abort();
    }
}
