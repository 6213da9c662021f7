using System.Diagnostics.Metrics;
using System.Text.RegularExpressions;
using Microsoft.Extensions.Logging;
using Voice.Protocol.Links;
using Voice.VoiceAllocator;

namespace Voice.Signaling.Gateway.Allocation;

/// <summary>Why a link did not come up, or ended. Counted under these names.</summary>
public enum LinkRefusal
{
    /// <summary>Too many links are in their handshake.</summary>
    Busy,
    Timeout,

    /// <summary>It hung up during the handshake.</summary>
    Closed,

    /// <summary>A frame too large, not parsable, or not what the handshake has next.</summary>
    BadMessage,

    /// <summary>A version or a name in the hello that is not one of ours.</summary>
    BadHello,

    /// <summary>It does not know the cluster secret, or somebody stands in the middle.</summary>
    BadProof,

    /// <summary>Another node of the same name is linked.</summary>
    Duplicate,

    /// <summary>It was in, and fell silent.</summary>
    Silent,

    /// <summary>It was in, and did not read what it was sent, or sent more than could be passed on.</summary>
    Stuck,
}

/// <summary>The gateway's side of the link's handshake, and the count of those it turned away. Thread safe.</summary>
public sealed partial class LinkAdmission(byte[] clusterSecret, string gatewayId, IMeterFactory meters, TimeProvider time, ILogger<LinkAdmission> log)
{
    public static readonly TimeSpan Timeout = TimeSpan.FromSeconds(5);

    private const int MaxStrangers = 1024;
    private static readonly TimeSpan LogEvery = TimeSpan.FromMinutes(1);

    private readonly Counter<long> refusals = meters.Create("Voice.Gateway").CreateCounter<long>("voice.link.refusals");
    private readonly long[] counts = new long[Enum.GetValues<LinkRefusal>().Length];
    private readonly long[] loggedAt = new long[Enum.GetValues<LinkRefusal>().Length];
    private int strangers;

    public long Count(LinkRefusal refusal) => Interlocked.Read(ref counts[(int)refusal]);

    /// <summary>Counts, and logs each reason once a minute at most.</summary>
    public void Refuse(LinkRefusal refusal, string remote)
    {
        refusals.Add(1, new KeyValuePair<string, object?>("reason", refusal.ToString()));
        var count = Interlocked.Increment(ref counts[(int)refusal]);
        var (last, now) = (Interlocked.Read(ref loggedAt[(int)refusal]), time.GetTimestamp());
        if (count > 1 && time.GetElapsedTime(last, now) < LogEvery) return;
        if (Interlocked.CompareExchange(ref loggedAt[(int)refusal], now, last) == last) LogRefused(remote, refusal, count);
    }

    /// <summary>Proves both sides. Null: refused and counted.</summary>
    /// <param name="certificateHash">SHA-256 of our certificate on this connection.</param>
    public async Task<NodeIdentity?> Admit(
        LinkConnection<GatewayLinkMessage, NodeMessage> link,
        IAsyncEnumerator<NodeMessage> messages,
        byte[] certificateHash,
        string remote,
        CancellationToken cancel)
    {
        LinkRefusal refusal;
        try
        {
            var busy = Interlocked.Increment(ref strangers) > MaxStrangers;
            var (identity, reason) = busy ? (null, LinkRefusal.Busy) : await Prove(link, messages, certificateHash, cancel);
            if (identity is not null) return identity;
            refusal = reason;
        }
        catch (InvalidDataException)
        {
            refusal = LinkRefusal.BadMessage;
        }
        catch (OperationCanceledException)
        {
            refusal = LinkRefusal.Timeout;
        }
        catch (IOException)
        {
            refusal = LinkRefusal.Closed;
        }
        finally
        {
            Interlocked.Decrement(ref strangers);
        }

        Refuse(refusal, remote);
        return null;
    }

    private async Task<(NodeIdentity? Identity, LinkRefusal Reason)> Prove(
        LinkConnection<GatewayLinkMessage, NodeMessage> link,
        IAsyncEnumerator<NodeMessage> messages,
        byte[] certificateHash,
        CancellationToken cancel)
    {
        if (!await messages.MoveNextAsync()) return (null, LinkRefusal.Closed);
        if (messages.Current is not NodeHello hello) return (null, LinkRefusal.BadMessage);
        if (!IsGood(hello)) return (null, LinkRefusal.BadHello);

        var nonce = LinkProof.NewNonce();
        var ours = LinkProof.OfGateway(clusterSecret, hello.Nonce, nonce, certificateHash);
        await link.SendAsync(new GatewayChallenge(nonce, ours), cancel);

        if (!await messages.MoveNextAsync()) return (null, LinkRefusal.Closed);
        if (messages.Current is not NodeProof proof) return (null, LinkRefusal.BadMessage);
        if (!LinkProof.Matches(LinkProof.OfNode(clusterSecret, hello.Nonce, nonce, certificateHash), proof.Proof)) return (null, LinkRefusal.BadProof);
        await link.SendAsync(new GatewayProof(gatewayId), cancel);
        return (new NodeIdentity(hello.NodeId, hello.Incarnation, hello.Region, hello.Endpoint, hello.Echo), default);
    }

    private static bool IsGood(NodeHello hello) =>
        hello is { Version: NodeLinkHandshake.Version, Nonce.Length: LinkProof.NonceSize, NodeId: not null, Incarnation: not null, Region: not null, Endpoint: not null, Echo: not null }
        && Name().IsMatch(hello.NodeId)
        && Name().IsMatch(hello.Region)
        && Incarnation().IsMatch(hello.Incarnation)
        && Endpoint().IsMatch(hello.Endpoint)
        && (hello.Echo is "" || Endpoint().IsMatch(hello.Echo));

    [GeneratedRegex(@"\A[a-z0-9-]{1,64}\z")]
    private static partial Regex Name();

    [GeneratedRegex(@"\A[!-~]{1,64}\z")]
    private static partial Regex Incarnation();

    // host:port, the host a name, an IPv4 address or an IPv6 address in brackets (gateway.md section 7).
    [GeneratedRegex(@"\A([A-Za-z0-9.-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\]):[0-9]{1,5}\z")]
    private static partial Regex Endpoint();

    [LoggerMessage(Level = LogLevel.Warning, Message = "node link from {Remote} refused: {Reason} ({Count} so far)")]
    private partial void LogRefused(string remote, LinkRefusal reason, long count);
}
