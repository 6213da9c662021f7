using System.IO.Pipelines;
using System.Threading.Channels;
using Microsoft.Extensions.Logging;
using Voice.Protocol.Links;
using Voice.Signaling.Gateway.Guilds;
using Voice.Signaling.Gateway.Probing;
using Voice.VoiceAllocator;

namespace Voice.Signaling.Gateway.Allocation;

/// <summary>One voice node's link at this gateway, from handshake to end. Passes messages between the node and the grains,
/// and decides nothing but when the link is dead.</summary>
/// <param name="certificateHash">SHA-256 of our certificate on this connection.</param>
public sealed partial class NodeLink(
    IDuplexPipe pipe, byte[] certificateHash, string remote, LinkAdmission admission, NodeProber prober, MediaProber media, IGrainFactory grains, TimeProvider time, ILogger log)
    : INodeLink, IDisposable
{
    private const int MaxFrame = 4 * 1024 * 1024;
    private const int MaxWaiting = 16384;

    /// <summary>Silence after which the connection is given up, so that the node dials a new one. What the silence says of the node is not judged here.</summary>
    private static readonly TimeSpan GiveUpAfter = TimeSpan.FromSeconds(3);

    private readonly string name = Guid.NewGuid().ToString("N");
    private readonly LinkConnection<GatewayLinkMessage, NodeMessage> link = new(pipe, NodeLinkHandshake.MaxFrame);
    private readonly Channel<GatewayLinkMessage> outgoing = Channel.CreateBounded<GatewayLinkMessage>(MaxWaiting);
    private readonly Channel<NodeMessage> incoming = Channel.CreateBounded<NodeMessage>(MaxWaiting);
    private readonly CancellationTokenSource stuck = new();

    /// <summary>Ends when the link does, for whatever reason.</summary>
    public async Task Run(CancellationToken cancel)
    {
        using var silence = new CancellationTokenSource(LinkAdmission.Timeout, time);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancel, silence.Token, stuck.Token);
        await using var messages = link.ReceiveAsync(stop.Token).GetAsyncEnumerator(stop.Token);
        if (await admission.Admit(link, messages, certificateHash, remote, stop.Token) is not { } node) return;

        link.MaxFrame = MaxFrame;
        var reference = grains.CreateObjectReference<INodeLink>(this);
        var sending = SendAll(stop);
        var pinging = PingAll(stop);
        var passing = PassAll(node, reference, stop);
        try
        {
            silence.CancelAfter(GiveUpAfter);
            while (await messages.MoveNextAsync())
            {
                silence.CancelAfter(GiveUpAfter);
                prober.Heard(node.Id);
                if (messages.Current is ProbeOpened opened) media.Opened(node, opened);
                else if (messages.Current is not NodePong && !incoming.Writer.TryWrite(messages.Current)) await Stick();
            }
        }
        catch (Exception e) when (e is OperationCanceledException or InvalidDataException or IOException)
        {
            if (e is InvalidDataException) admission.Refuse(LinkRefusal.BadMessage, remote);
            else if (silence.IsCancellationRequested && !cancel.IsCancellationRequested) admission.Refuse(LinkRefusal.Silent, remote);
        }
        finally
        {
            prober.LinkLost(node.Id, name);
            outgoing.Writer.TryComplete();
            incoming.Writer.TryComplete();
            await stop.CancelAsync();
            await Task.WhenAll(sending, pinging, passing);
            prober.LinkLost(node.Id, name); // once more: it may have been registered only now
            media.Unlinked(node, name);
            await Leave(node);
            grains.DeleteObjectReference<INodeLink>(reference);
        }
    }

    public Task Push(GuildUpdate update) => Enqueue(update);

    public Task Drop(GuildDrop drop) => Enqueue(drop);

    public Task Ping() => Enqueue(new NodePing(0));

    public void Dispose()
    {
        link.Dispose();
        stuck.Dispose();
    }

    private IAllocatorGrain Allocator => grains.GetGrain<IAllocatorGrain>(0);

    /// <summary>Grains may take their time, as the allocator does while it moves to another gateway; the node is heard all the while.</summary>
    private async Task PassAll(NodeIdentity node, INodeLink reference, CancellationTokenSource stop)
    {
        try
        {
            var isKnown = await Register(node, reference);
            while (isKnown && await incoming.Reader.WaitToReadAsync(stop.Token))
            {
                while (isKnown && incoming.Reader.TryRead(out var message)) isKnown = await Pass(node, reference, message);
            }

            if (!isKnown) admission.Refuse(LinkRefusal.Duplicate, remote);
        }
        catch (OperationCanceledException)
        {
            // The link ended.
        }
        catch (InvalidDataException)
        {
            admission.Refuse(LinkRefusal.BadMessage, remote);
        }

        await stop.CancelAsync();
    }

    /// <summary>False: another node of the same name has come.</summary>
    private async Task<bool> Pass(NodeIdentity node, INodeLink reference, NodeMessage message)
    {
        try
        {
            switch (message)
            {
                case NodeReport report:
                    // Not known: the allocator was started anew.
                    return await Allocator.Report(node.Id, node.Incarnation, name, report)
                        || (await Register(node, reference) && await Allocator.Report(node.Id, node.Incarnation, name, report));
                case GuildAck ack:
                    await Guild(ack.Guild).Acknowledged(ack);
                    return true;
                case VoiceSessionChanged change:
                    await Guild(change.Guild).ConnectionChanged(change);
                    return true;
                default:
                    throw new InvalidDataException($"{message.GetType().Name} after the handshake");
            }
        }
        catch (Exception e) when (e is OrleansException or TimeoutException)
        {
            LogNotPassed(e, message.GetType().Name, node.Id);
            return true;
        }
    }

    private async Task<bool> Register(NodeIdentity node, INodeLink reference)
    {
        try
        {
            if (!await Allocator.Register(node, name, prober.Id, reference)) return false;
            prober.LinkUp(node, name);
            media.Linked(node, name, message => Enqueue(message));
        }
        catch (Exception e) when (e is OrleansException or TimeoutException)
        {
            LogNotPassed(e, nameof(Register), node.Id);
        }

        return true;
    }

    private IHostedGuild Guild(ulong id) => grains.GetGrain<IHostedGuild>(unchecked((long)id));

    private Task Enqueue(GatewayLinkMessage message)
    {
        // A node that does not read must not fill our memory, nor miss a message and stay linked.
        return outgoing.Writer.TryWrite(message) || !outgoing.Writer.TryComplete() ? Task.CompletedTask : Stick();
    }

    private Task Stick()
    {
        admission.Refuse(LinkRefusal.Stuck, remote);
        return stuck.CancelAsync();
    }

    private async Task SendAll(CancellationTokenSource stop)
    {
        try
        {
            await foreach (var message in outgoing.Reader.ReadAllAsync(stop.Token)) await link.SendAsync(message, stop.Token);
        }
        catch (Exception e) when (e is OperationCanceledException or IOException or InvalidOperationException or InvalidDataException)
        {
            if (e is InvalidDataException) LogTooLarge(e, remote);
        }

        await stop.CancelAsync();
    }

    private async Task PingAll(CancellationTokenSource stop)
    {
        using var timer = new PeriodicTimer(HealthProbe.ProbePeriod, time);
        try
        {
            for (var number = 1L; await timer.WaitForNextTickAsync(stop.Token); number++) await Enqueue(new NodePing(number));
        }
        catch (OperationCanceledException)
        {
            // The link ended.
        }
    }

    private async Task Leave(NodeIdentity node)
    {
        try
        {
            await Allocator.LinkLost(node.Id, node.Incarnation, name);
        }
        catch (Exception e) when (e is OrleansException or OperationCanceledException or TimeoutException)
        {
            // The silo is stopping, and the allocator with it.
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Message} of voice node {Node} was not passed on")]
    private partial void LogNotPassed(Exception e, string message, string node);

    [LoggerMessage(Level = LogLevel.Error, Message = "voice states for node link {Remote} could not be sent")]
    private partial void LogTooLarge(Exception e, string remote);
}
