using System.Net;
using Microsoft.Extensions.Logging;
using Voice.Protocol.Links;

namespace Voice.Signaling.VoiceServer;

/// <summary>The links to all gateways of the cluster.</summary>
internal sealed class NodeLinks
{
    /// <summary>Session changes kept while no gateway is there; older ones are forgotten first.</summary>
    private const int MaxKept = 4096;

    private readonly NodeLinkClient[] links;
    private readonly Queue<NodeMessage> kept = new();
    private readonly Lock gate = new();

    /// <param name="received">Gets each gateway's messages, with the number of its link.</param>
    public NodeLinks(DnsEndPoint[] gateways, NodeProfile node, Func<int, GatewayLinkMessage, ValueTask> received, ILogger log, TimeProvider time) =>
        links = [.. gateways.Select((gateway, i) => new NodeLinkClient(gateway, node, message => ReceivedAsync(i, message, received), log, time))];

    public Task RunAsync(CancellationToken cancel) => Task.WhenAll(links.Select(link => link.RunAsync(cancel)));

    /// <summary>To every gateway that is there: each judges the node for itself.</summary>
    public void Report(NodeReport report)
    {
        foreach (var link in links) link.TrySend(report);
    }

    /// <summary>To one gateway, that of the link if it is there. What a gateway must learn sometime is kept until one comes.</summary>
    public void Send(long preferred, NodeMessage message)
    {
        lock (gate)
        {
            if (TrySend(preferred, message) || message is not VoiceSessionChanged) return;
            kept.Enqueue(message);
            if (kept.Count > MaxKept) kept.Dequeue();
        }
    }

    private bool TrySend(long preferred, NodeMessage message) =>
        links[(int)preferred].TrySend(message) || links.Any(link => link.TrySend(message));

    private ValueTask ReceivedAsync(int link, GatewayLinkMessage? message, Func<int, GatewayLinkMessage, ValueTask> received)
    {
        if (message is not null) return received(link, message);
        lock (gate)
        {
            while (kept.TryPeek(out var first) && TrySend(link, first)) kept.Dequeue();
        }

        return default;
    }
}
