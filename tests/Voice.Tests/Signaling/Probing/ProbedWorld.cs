using System.Diagnostics.Metrics;
using System.Net;
using Voice.Media.Net;
using Voice.Protocol.Links;
using Voice.Signaling.Gateway.Probing;
using Voice.Tests.Fakes;
using Voice.Tests.Signaling.VoiceServer;
using Voice.VoiceAllocator;

namespace Voice.Tests.Signaling.Probing;

/// <summary>A gateway's probes, a node's core and the SFU that it tells what to do, in virtual time and without a kernel. Links and packets
/// arrive at once, but where a test says otherwise.</summary>
internal sealed class ProbedWorld : IDisposable
{
    public static readonly TimeSpan Step = TimeSpan.FromMilliseconds(10);

    private readonly Meter meter = new("test");
    private readonly int workers;
    private int told;
    private int answered;
    private int happened;

    public ProbedWorld(int workers = 1, int seed = 1)
    {
        this.workers = workers;
        Node = new TestNode(workers) { MediaAnswers = false };
        Sfu = NewSfu();
        var judge = new ProbeJudge(
            (node, workers) => Tell($"{node} opened {workers}"), (_, worker) => Heard.Add((worker, Now)), node => Tell($"{node} closed"), _ => Period);
        Probes = new MediaProbes(judge, _ => true, new ProbeMetrics(meter), new Random(seed));
        Up = (side, datagram, worker) => Deliver(side, datagram, worker);
        Down = datagram => Probes.Take(datagram, Now);
    }

    public static NodeIdentity Identity { get; } = new(TestNode.NodeId, "1", "local", "node.example:1");

    public TestNode Node { get; }

    public VirtualSfu Sfu { get; private set; }

    public MediaProbes Probes { get; }

    public TimeSpan Now { get; private set; }

    /// <summary>A packet from the gateway to a worker.</summary>
    public Action<ProbeSide, byte[], int> Up { get; set; }

    /// <summary>A packet to the gateway's listener.</summary>
    public Action<byte[]> Down { get; set; }

    /// <summary>Everything that went over the node link to the node.</summary>
    public List<GatewayLinkMessage> Asked { get; } = [];

    /// <summary>Whether the node link passes anything.</summary>
    public bool Linked { get; private set; }

    /// <summary>As whoever judges the node is told.</summary>
    public List<(int Worker, TimeSpan At)> Heard { get; } = [];

    /// <summary>What else it is told.</summary>
    public List<string> Told { get; } = [];

    /// <summary>In which it wants the node to be probed.</summary>
    public TimeSpan Period { get; set; } = HealthProbe.ProbePeriod;

    public MediaProbe Probe => Probes.Open.Single().Probe;

    public WorkerProbe Worker => Probe.Workers.First();

    /// <summary>Addresses of the gateway's two sockets.</summary>
    public static RemoteEndPoint AddressOf(ProbeSide side) => RemoteEndPoint.From(new IPEndPoint(IPAddress.Parse("203.0.113.1"), 1000 + (int)side));

    public void Link(string name = "link", NodeIdentity? identity = null)
    {
        Linked = true;
        Probes.Linked(identity ?? Identity, name, ToNode, Now);
    }

    public void Unlink(string name = "link")
    {
        Linked = false;
        Probes.Unlinked(Identity, name, Now);
    }

    /// <summary>Another media process, that knows what the node tells it.</summary>
    /// <param name="resumes">And what the one before has left.</param>
    public void ReplaceMedia(bool resumes)
    {
        if (resumes)
        {
            Sfu.Restart();
        }
        else
        {
            Sfu.Dispose();
            Sfu = NewSfu();
            happened = 0;
        }

        Node.MediaLost();
        Node.Media(new MediaReady(2, workers));
        Tell();
    }

    public void Deliver(ProbeSide side, byte[] datagram, int worker) => Sfu.Deliver(datagram, AddressOf(side), worker);

    public void Pass(TimeSpan time)
    {
        for (var end = Now + time; Now < end;) Turn();
    }

    public void Turn()
    {
        Now += Step;
        Node.Pass(Step);
        Sfu.Advance(Step);
        Probes.Tick(Now, (side, to, datagram) => Up(side, datagram.ToArray(), to.Port - 50_000));
        Tell();
    }

    public void Dispose()
    {
        Probes.Dispose();
        Sfu.Dispose();
        meter.Dispose();
    }

    private void ToNode(GatewayLinkMessage message)
    {
        if (!Linked) return;
        Asked.Add(message);
        switch (message)
        {
            case ProbeOpen open: Node.OpenProbe(open.Id); break;
            case ProbeClose close: Node.CloseProbe(close.Id); break;
        }

        Tell();
    }

    /// <summary>What it was told last, it may be told again.</summary>
    private void Tell(string news)
    {
        if (Told.LastOrDefault() != news) Told.Add(news);
    }

    private VirtualSfu NewSfu()
    {
        var sfu = new VirtualSfu(workers: workers);
        sfu.Port.Attach(AddressOf(ProbeSide.Listener), datagram => Down(datagram));
        return sfu;
    }

    /// <summary>Passes on what the node has said: to its media process, and over the link.</summary>
    private void Tell()
    {
        foreach (var command in Node.MediaCommands.Skip(told).ToArray())
        {
            told++;
            if (command is MediaSnapshot snapshot) Sfu.Replace(snapshot.Changes);
            else Sfu.Apply(MediaFold.ChangesOf(command));
        }

        while (happened < Sfu.Events.Count)
        {
            Node.Media(Sfu.Events[happened++]);
            Tell();
        }

        foreach (var opened in Node.ToGateways.OfType<ProbeOpened>().Skip(answered).ToArray())
        {
            answered++;
            if (Linked) Probes.Opened(Identity, opened, Now);
        }
    }
}
