using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Threading.Channels;
using Microsoft.Extensions.Logging;
using Voice.Protocol.Links;

namespace Voice.Signaling.VoiceServer;

/// <summary>What a node says about itself on every link.</summary>
/// <param name="Incarnation">Differs at each start of the node.</param>
/// <param name="Endpoint">host:port of the voice WebSocket, as clients are told.</param>
/// <param name="Echo">address:port of a media socket.</param>
internal sealed record NodeProfile(string NodeId, string Incarnation, string Region, string Endpoint, byte[] ClusterSecret, string Echo = "");

/// <summary>The link to one gateway: dials, proves, passes messages, and dials again when it breaks. Calls go on without it.</summary>
/// <param name="received">Gets every message after the handshake; null: the link came up.</param>
internal sealed class NodeLinkClient(
    DnsEndPoint gateway, NodeProfile node, Func<GatewayLinkMessage?, ValueTask> received, ILogger log, TimeProvider time)
{
    private const int MaxFrame = 16 * 1024 * 1024;
    private const int MaxWaiting = 8192;

    private static readonly TimeSpan HandshakeTimeout = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan FirstDelay = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan LongestDelay = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan SteadyAfter = TimeSpan.FromSeconds(10);

    /// <summary>Gateways ping four times a second; a link this silent is dead, and a new one may not be.</summary>
    private static readonly TimeSpan SilenceTimeout = TimeSpan.FromSeconds(3);

    private Channel<NodeMessage>? outgoing;

    /// <summary>Any thread. False while the link is down or stuck.</summary>
    public bool TrySend(NodeMessage message) => Volatile.Read(ref outgoing)?.Writer.TryWrite(message) ?? false;

    public async Task RunAsync(CancellationToken cancel)
    {
        var delay = FirstDelay;
        while (!cancel.IsCancellationRequested)
        {
            var dialled = time.GetTimestamp();
            try
            {
                await RunOnceAsync(cancel);
            }
            catch (Exception e) when (IsLoss(e))
            {
                if (!cancel.IsCancellationRequested) log.LogWarning("no link to gateway {Host}:{Port}: {Reason}", gateway.Host, gateway.Port, e.Message);
            }

            // Not as soon as it is up: a gateway that lets a node in only to turn it away is not dialled ever faster.
            if (time.GetElapsedTime(dialled) > SteadyAfter) delay = FirstDelay;

            // Half to one and a half times: nodes that lost one gateway together do not come back together.
            var jittered = delay * (0.5 + Random.Shared.NextDouble());
            await Task.Delay(jittered, time, cancel).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            delay = TimeSpan.FromTicks(Math.Min(delay.Ticks * 2, LongestDelay.Ticks));
        }
    }

    private async Task RunOnceAsync(CancellationToken cancel)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        stop.CancelAfter(HandshakeTimeout);
        using var tcp = new TcpClient { NoDelay = true };
        await tcp.ConnectAsync(gateway.Host, gateway.Port, stop.Token);

        // Any certificate: both proofs cover the one that was shown, so a stranger's ends the link below (LinkProof).
        await using var tls = new SslStream(tcp.GetStream(), leaveInnerStreamOpen: true, (_, certificate, _, _) => certificate is not null);
        await tls.AuthenticateAsClientAsync(new SslClientAuthenticationOptions { TargetHost = "gateway", EnabledSslProtocols = SslProtocols.Tls13 | SslProtocols.Tls12 }, stop.Token);
        using var link = new LinkConnection<NodeMessage, GatewayLinkMessage>(new StreamPipe(tls), NodeLinkHandshake.MaxFrame);
        await using var messages = link.ReceiveAsync(stop.Token).GetAsyncEnumerator(stop.Token);
        await ProveAsync(link, messages, SHA256.HashData(tls.RemoteCertificate!.GetRawCertData()), stop.Token);

        link.MaxFrame = MaxFrame;
        log.LogInformation("linked to gateway {Host}:{Port}", gateway.Host, gateway.Port);
        var queue = Channel.CreateBounded<NodeMessage>(MaxWaiting);
        Volatile.Write(ref outgoing, queue);
        var sending = SendAllAsync(link, queue, stop);
        try
        {
            await received(null);
            stop.CancelAfter(SilenceTimeout);
            while (await messages.MoveNextAsync())
            {
                stop.CancelAfter(SilenceTimeout);
                if (messages.Current is NodePing ping) TrySend(new NodePong(ping.Number));
                else await received(messages.Current);
            }
        }
        finally
        {
            Volatile.Write(ref outgoing, null);
            await stop.CancelAsync();
            await sending;
        }

        throw new IOException("it closed the link");
    }

    private async Task ProveAsync(
        LinkConnection<NodeMessage, GatewayLinkMessage> link, IAsyncEnumerator<GatewayLinkMessage> messages, byte[] certificate, CancellationToken cancel)
    {
        var nonce = LinkProof.NewNonce();
        await link.SendAsync(new NodeHello(NodeLinkHandshake.Version, node.NodeId, node.Incarnation, node.Region, node.Endpoint, nonce, node.Echo), cancel);
        if (!await messages.MoveNextAsync() || messages.Current is not GatewayChallenge { Nonce.Length: LinkProof.NonceSize } challenge)
            throw new IOException("it refused this node's hello");
        if (!LinkProof.Matches(LinkProof.OfGateway(node.ClusterSecret, nonce, challenge.Nonce, certificate), challenge.Proof))
            throw new IOException("it does not know the cluster secret");
        await link.SendAsync(new NodeProof(LinkProof.OfNode(node.ClusterSecret, nonce, challenge.Nonce, certificate)), cancel);
        if (!await messages.MoveNextAsync() || messages.Current is not GatewayProof) throw new IOException("it refused this node's proof");
    }

    private static async Task SendAllAsync(
        LinkConnection<NodeMessage, GatewayLinkMessage> link, Channel<NodeMessage> queue, CancellationTokenSource stop)
    {
        try
        {
            await foreach (var message in queue.Reader.ReadAllAsync(stop.Token)) await link.SendAsync(message, stop.Token);
        }
        catch (Exception e) when (IsLoss(e))
        {
            await stop.CancelAsync();
        }
    }

    private static bool IsLoss(Exception e) =>
        e is OperationCanceledException or IOException or SocketException or InvalidDataException or AuthenticationException;
}
