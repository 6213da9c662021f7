using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Voice.Protocol.Links;
using Voice.Signaling;
using Voice.Signaling.Hosting;

namespace Voice.Tests.Signaling.VoiceServer;

/// <summary>The gateway's end of one node link, over real TLS, as far as a node can tell.</summary>
internal sealed class FakeGateway(string dataDirectory, byte[] secret) : IAsyncDisposable
{
    private readonly X509Certificate2 certificate = ServerCertificates.OpenOrCreate(dataDirectory, "fake-gateway", ["127.0.0.1"], DateTimeOffset.UtcNow)[0];
    private readonly TcpListener listener = Listen();
    private readonly Stack<IAsyncDisposable> open = new();
    private LinkConnection<GatewayLinkMessage, NodeMessage>? link;
    private IAsyncEnumerator<NodeMessage>? messages;

    public string Address => listener.LocalEndpoint.ToString()!;

    /// <summary>Takes the next node that dials, through both proofs.</summary>
    public async Task<NodeHello> AcceptAsync(CancellationToken cancel)
    {
        var tls = new SslStream(new NetworkStream(await listener.AcceptSocketAsync(cancel), ownsSocket: true));
        open.Push(tls);
        await tls.AuthenticateAsServerAsync(new SslServerAuthenticationOptions { ServerCertificate = certificate }, cancel);
        link = new(new StreamPipe(tls), 1 << 20);
        messages = link.ReceiveAsync(cancel).GetAsyncEnumerator(cancel);

        var hello = await Next<NodeHello>();
        var (nonce, hash) = (LinkProof.NewNonce(), SHA256.HashData(certificate.RawData));
        await link.SendAsync(new GatewayChallenge(nonce, LinkProof.OfGateway(secret, hello.Nonce, nonce, hash)), cancel);
        var proof = await Next<NodeProof>();
        if (!LinkProof.Matches(LinkProof.OfNode(secret, hello.Nonce, nonce, hash), proof.Proof)) throw new InvalidDataException("bad proof");
        await link.SendAsync(new GatewayProof("fake"), cancel);
        return hello;
    }

    public ValueTask SendAsync(GatewayLinkMessage message) => link!.SendAsync(message);

    /// <summary>The next message of that type for which <paramref name="wanted"/> holds; others are passed over.</summary>
    public async Task<T> Next<T>(Predicate<T>? wanted = null)
        where T : NodeMessage
    {
        while (await messages!.MoveNextAsync())
        {
            if (messages.Current is T found && wanted?.Invoke(found) != false) return found;
        }

        throw new EndOfStreamException("the node closed the link");
    }

    public async Task HangUpAsync() => await open.Pop().DisposeAsync();

    public async ValueTask DisposeAsync()
    {
        foreach (var stream in open) await stream.DisposeAsync();
        listener.Dispose();
        link?.Dispose();
        certificate.Dispose();
    }

    private static TcpListener Listen()
    {
        var made = new TcpListener(IPAddress.Loopback, 0);
        made.Start();
        return made;
    }
}
