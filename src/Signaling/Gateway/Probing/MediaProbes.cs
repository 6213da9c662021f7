using System.Buffers.Binary;
using System.Net;
using System.Security.Cryptography;
using Voice.Protocol.Links;
using Voice.Protocol.Rtp;
using Voice.VoiceAllocator;

namespace Voice.Signaling.Gateway.Probing;

/// <summary>What the probes are asked and told by whoever judges the nodes.</summary>
/// <param name="Opened">From now on media is sent through the node's workers, of which there are so many.</param>
/// <param name="Heard">It came back through a worker.</param>
/// <param name="Closed">It is not sent any more.</param>
/// <param name="Period">Between two packets through each of the node's workers, as long as nothing changes.</param>
internal sealed record ProbeJudge(Action<string, int> Opened, Action<string, int> Heard, Action<string> Closed, Func<string, TimeSpan> Period);

/// <summary>The media paths to all nodes that are linked here. Opens a hidden channel on each, keeps it open, tells whose packet came back.
/// Told the time, handed the bytes; one thread.</summary>
/// <param name="canReach">Whether packets can be sent to such an address from here.</param>
internal sealed class MediaProbes(ProbeJudge judge, Func<IPEndPoint, bool> canReach, ProbeMetrics metrics, Random random) : IDisposable
{
    /// <summary>A channel that never led to an answer is closed then: a firewall is not knocked at for ever.</summary>
    public static readonly TimeSpan GiveUpAfter = TimeSpan.FromSeconds(30);

    public static readonly TimeSpan TryAgainAfter = TimeSpan.FromMinutes(5);

    /// <summary>Silence in which more packets than usual tell anything: who is silent for longer is probed as a node that is well, or a region
    /// that is gone would be sent more than all others together.</summary>
    public static readonly TimeSpan EagerFor = TimeSpan.FromSeconds(3);

    /// <summary>Often enough that one request may be lost with its link.</summary>
    public static readonly TimeSpan RenewEvery = ProbeOpen.Lease / 3;

    private readonly Dictionary<string, ProbedNode> nodes = [];

    /// <summary>By the SSRC that answers come under; nodes choose them without knowing of each other.</summary>
    private readonly Dictionary<uint, List<(ProbedNode Node, WorkerProbe Worker)>> bySsrc = [];

    /// <summary>Nodes that have a channel.</summary>
    public IEnumerable<(string Node, MediaProbe Probe)> Open =>
        nodes.Values.Where(node => node.Probe is not null).Select(node => (node.Identity.Id, node.Probe!));

    /// <summary>A link of the node came up. Its channel may still be there, if an earlier link had one.</summary>
    /// <param name="link">Names the link.</param>
    /// <param name="send">Sends over it; does nothing when it is broken.</param>
    public void Linked(NodeIdentity identity, string link, Action<GatewayLinkMessage> send, TimeSpan now)
    {
        if (!nodes.TryGetValue(identity.Id, out var node) || node.Identity != identity)
        {
            if (node is not null) Close(node);
            nodes[identity.Id] = node = new ProbedNode(identity);
        }

        (node.Link, node.Send, node.RenewAt) = (link, send, now);
    }

    /// <summary>The link ended. The channel is kept for as long as the node keeps it: the link may be what is broken.</summary>
    public void Unlinked(NodeIdentity identity, string link, TimeSpan now)
    {
        if (nodes.TryGetValue(identity.Id, out var node) && node.Link == link) (node.Link, node.Send, node.RenewAt) = (null, null, now + ProbeOpen.Lease);
    }

    /// <summary>The node's answer, over whatever link.</summary>
    public void Opened(NodeIdentity identity, ProbeOpened opened, TimeSpan now)
    {
        if (!nodes.TryGetValue(identity.Id, out var node) || node.Identity != identity || node.ChannelId is null || node.ChannelId != opened.Id) return;
        if (node.Probe?.IsOf(opened) == true)
        {
            judge.Opened(node.Identity.Id, node.Probe.Count); // whoever judges may have forgotten the node meanwhile
            return;
        }

        var begun = now - HealthProbe.ProbePeriod * random.NextDouble();
        if (MediaProbe.Open(opened, begun, canReach) is not { } probe) return;
        CloseProbe(node);
        (node.Probe, node.OpenedAt) = (probe, now);
        judge.Opened(node.Identity.Id, probe.Count);
        foreach (var worker in probe.Workers)
        {
            if (!bySsrc.TryGetValue(worker.Ssrc, out var known)) bySsrc.Add(worker.Ssrc, known = []);
            known.Add((node, worker));
        }
    }

    /// <summary>Sends what is due. Call it more often than any node's period is, so that not all answers come at once.</summary>
    public void Tick(TimeSpan now, ProbeSend send)
    {
        foreach (var node in nodes.Values)
        {
            if (now >= node.RenewAt) Renew(node, now);
            if (node.Probe is not { } probe) continue;
            var period = probe.SilentFor(now) < EagerFor ? judge.Period(node.Identity.Id) : HealthProbe.ProbePeriod;
            var (sent, lost) = probe.Tick(now, period, send);
            if (sent > 0) metrics.Sent(node.Identity.Id, sent, lost);
        }
    }

    /// <param name="datagram">That came to the listener's socket.</param>
    public void Take(ReadOnlySpan<byte> datagram, TimeSpan now)
    {
        if (Demux.Classify(datagram) == PacketKind.Rtcp) return; // the worker's reports on what it sends
        if (datagram.Length >= RtpHeader.FixedLength && bySsrc.TryGetValue(BinaryPrimitives.ReadUInt32BigEndian(datagram[8..]), out var candidates))
        {
            foreach (var (node, worker) in candidates)
            {
                if (!worker.TryTake(datagram, now, out var roundTrip)) continue;
                node.WasHeard = true;
                judge.Heard(node.Identity.Id, worker.Index);
                metrics.Heard(node.Identity.Id, roundTrip);
                return;
            }
        }

        metrics.Refused();
    }

    public void Dispose()
    {
        foreach (var node in nodes.Values) CloseProbe(node);
    }

    private void Renew(ProbedNode node, TimeSpan now)
    {
        if (node.Send is null)
        {
            nodes.Remove(node.Identity.Id);
            Close(node);
        }
        else if (node is { Probe: not null, WasHeard: false, ChannelId: { } unheard } && now - node.OpenedAt >= GiveUpAfter)
        {
            node.Send(new ProbeClose(unheard));
            Close(node);
            (node.ChannelId, node.RenewAt) = (null, now + TryAgainAfter);
        }
        else
        {
            node.ChannelId ??= RandomNumberGenerator.GetHexString(32, lowercase: true);
            node.Send(new ProbeOpen(node.ChannelId));
            node.RenewAt = now + RenewEvery;
        }
    }

    private void Close(ProbedNode node)
    {
        CloseProbe(node);
        judge.Closed(node.Identity.Id);
    }

    private void CloseProbe(ProbedNode node)
    {
        if (node.Probe is not { } probe) return;
        node.Probe = null;
        foreach (var worker in probe.Workers)
        {
            var known = bySsrc[worker.Ssrc];
            known.Remove((node, worker));
            if (known.Count == 0) bySsrc.Remove(worker.Ssrc);
        }

        probe.Dispose();
    }

    private sealed class ProbedNode(NodeIdentity identity)
    {
        public NodeIdentity Identity => identity;

        /// <summary>Null while there is none.</summary>
        public string? Link { get; set; }

        public Action<GatewayLinkMessage>? Send { get; set; }

        /// <summary>Null while no channel is asked for.</summary>
        public string? ChannelId { get; set; }

        public MediaProbe? Probe { get; set; }

        public TimeSpan OpenedAt { get; set; }

        /// <summary>One of its workers answered sometime: UDP from here reaches it.</summary>
        public bool WasHeard { get; set; }

        /// <summary>With a link: when the node is asked again for the channel. Without: when it is given up.</summary>
        public TimeSpan RenewAt { get; set; }
    }
}
