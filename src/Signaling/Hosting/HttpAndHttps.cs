using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace Voice.Signaling.Hosting;

/// <summary>One TCP port for http, https, ws and wss: the first byte of a connection tells whether it is TLS.</summary>
public static class HttpAndHttps
{
    /// <summary>How long a connection may say nothing before it is closed.</summary>
    public static readonly TimeSpan FirstByteTimeout = TimeSpan.FromSeconds(2);

    /// <summary>RFC 8446 section 5.1: content type 22, handshake, opens every TLS connection; no HTTP method begins with it.</summary>
    private const byte TlsHandshake = 22;

    /// <summary>TLS with the leaf, its first certificate; the others are shown to clients with it.</summary>
    public static ListenOptions UseHttps(this ListenOptions listen, X509Certificate2Collection chain) =>
        listen.UseHttps(https => (https.ServerCertificate, https.ServerCertificateChain) = (chain[0], [.. chain.Skip(1)]));

    /// <summary>Serves both on this endpoint. HTTP/1.1 only, since WebSockets are what it is for.</summary>
    /// <param name="chain">As <see cref="ServerCertificates"/> gives it.</param>
    public static ListenOptions UseHttpAndHttps(this ListenOptions listen, X509Certificate2Collection chain)
    {
        listen.Protocols = HttpProtocols.Http1;

        // Kestrel builds its pipeline from the inside out: HTTP first, noted as `plain`, then TLS around it, then the choice.
        ConnectionDelegate? plain = null;
        listen.Use(tls => async connection =>
        {
            switch (await FirstByte(connection))
            {
                case null: break;
                case TlsHandshake: await tls(connection); break;
                default: await plain!(connection); break;
            }
        });
        listen.UseHttps(chain);
        listen.Use(http => plain = http);
        return listen;
    }

    /// <summary>Looks without consuming; null when the peer said nothing in time or left.</summary>
    private static async ValueTask<byte?> FirstByte(ConnectionContext connection)
    {
        using var timeout = CancellationTokenSource.CreateLinkedTokenSource(connection.ConnectionClosed);
        timeout.CancelAfter(FirstByteTimeout);
        try
        {
            var read = await connection.Transport.Input.ReadAsync(timeout.Token);
            byte? first = read.Buffer.IsEmpty ? null : read.Buffer.FirstSpan[0];
            connection.Transport.Input.AdvanceTo(read.Buffer.Start);
            return first;
        }
        catch (Exception e) when (e is OperationCanceledException or IOException or ConnectionResetException)
        {
            return null;
        }
    }
}
