using Voice.VoiceAllocator;
using static Voice.Tests.VoiceAllocator.Nodes;

namespace Voice.Tests.VoiceAllocator;

/// <summary>Nodes, the gateways that observe them and a fleet, on virtual time, over a network that loses packets. What is lost on the media path is
/// gone; on the control path TCP sends it again after 200 ms, 400 ms, and so on, and everything behind it waits. That is worse than real TCP, which does not
/// always wait for its timer.</summary>
internal sealed class HealthWorld
{
    private static readonly TimeSpan Rto = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan Delay = TimeSpan.FromMilliseconds(1);

    /// <summary>As the gateway's and the node's ends of the link have it.</summary>
    private static readonly TimeSpan GiveUpAfter = TimeSpan.FromSeconds(3);

    /// <summary>TCP, TLS and the proofs go to and fro so often.</summary>
    private const int HandshakeFlights = 8;

    private readonly PriorityQueue<Action, (TimeSpan, long)> queue = new();
    private readonly Random random;
    private readonly List<Gateway> gateways = [];
    private readonly List<Node> nodes = [];
    private long events;

    public HealthWorld(int seed, int nodes = 5, int gateways = 1, bool probesMedia = true)
    {
        random = new Random(seed);
        Fleet = new Fleet(new Neighbours(), new Random(seed), TimeSpan.Zero);
        ProbesMedia = probesMedia;
        for (var i = 0; i < gateways; i++) this.gateways.Add(new Gateway(this, $"gateway-{i}"));
        for (var i = 0; i < nodes; i++) this.nodes.Add(new Node(this, $"node-{i}"));
        Every(() => TimeSpan.FromSeconds(1), () => Fleet.Tick(Now));
    }

    public Fleet Fleet { get; }

    public bool ProbesMedia { get; }

    public TimeSpan Now { get; private set; }

    /// <summary>Share of the packets that are lost.</summary>
    public double Loss { get; set; }

    public IReadOnlyList<Node> AllNodes => nodes;

    public IReadOnlyList<Gateway> Gateways => gateways;

    /// <summary>When each node was evicted.</summary>
    public List<(TimeSpan At, string Node, string Reason)> Evicted { get; } = [];

    public void Run(TimeSpan duration)
    {
        var end = Now + duration;
        while (queue.TryPeek(out var next, out var due) && due.Item1 <= end)
        {
            queue.Dequeue();
            Now = due.Item1;
            next();
            foreach (var eviction in Fleet.TakeEvicted()) Evicted.Add((Now, eviction.NodeId, eviction.Reason));
        }

        Now = end;
    }

    private void After(TimeSpan delay, Action what) => queue.Enqueue(what, (Now + delay, events++));

    private void Every(Func<TimeSpan> period, Action what, double phase = 0) => After(period() * phase, () =>
    {
        what();
        Every(period, what, 1);
    });

    private bool IsLost() => random.NextDouble() < Loss;

    /// <summary>What TCP adds to a segment's way.</summary>
    private TimeSpan Stall()
    {
        var stall = TimeSpan.Zero;
        for (var rto = Rto; IsLost(); rto *= 2) stall += rto;
        return stall;
    }

    public sealed class Gateway
    {
        private readonly HealthWorld world;
        private TimeSpan frozenUntil;

        public Gateway(HealthWorld world, string id)
        {
            (this.world, Id) = (world, id);
            Observer = new Observer(id, TimeSpan.Zero);
            world.Every(() => Observer.Period, Tick, world.random.NextDouble());
        }

        public string Id { get; }

        public Observer Observer { get; }

        public void Freeze(TimeSpan duration) => frozenUntil = world.Now + duration;

        /// <summary>Does it now, or as soon as the process runs again: what waited comes in any order.</summary>
        public void Do(Action what)
        {
            if (world.Now >= frozenUntil) what();
            else world.After(frozenUntil - world.Now + (TimeSpan.FromMilliseconds(5) * world.random.NextDouble()), what);
        }

        private void Tick() => Do(() =>
        {
            if (Observer.Tick(world.Now) is { } sheet) world.After(Delay, () => world.Fleet.Vote(sheet, world.Now));
        });
    }

    public sealed class Node
    {
        private readonly HealthWorld world;

        public Node(HealthWorld world, string id)
        {
            (this.world, Identity) = (world, Identity(id));
            foreach (var gateway in world.gateways) Dial(gateway);
        }

        public NodeIdentity Identity { get; }

        /// <summary>Its packets, and those to it, vanish.</summary>
        public bool IsCutOff { get; set; }

        /// <summary>Its processes stand still, or are gone without a word.</summary>
        public bool IsFrozen { get; set; }

        /// <summary>Its media process answers, and forwards nothing.</summary>
        public bool IsGrey { get; set; }

        private bool IsSilent => IsCutOff || IsFrozen;

        /// <summary>The process is killed: its connections are reset.</summary>
        public void Kill()
        {
            IsFrozen = true;
            foreach (var link in Links.ToArray()) link.Break();
        }

        public List<Link> Links { get; } = [];

        /// <summary>Each of its links breaks, and it dials again.</summary>
        public void Flap()
        {
            foreach (var link in Links.ToArray()) link.Break();
        }

        public void Dial(Gateway gateway, int attempt = 0)
        {
            if (IsFrozen) return;
            var backoff = TimeSpan.FromMilliseconds(200) * Math.Pow(2, Math.Min(attempt, 4)) * (0.5 + world.random.NextDouble());
            if (backoff > TimeSpan.FromSeconds(5)) backoff = TimeSpan.FromSeconds(5);
            var handshake = TimeSpan.FromMilliseconds(20);
            for (var flight = 0; flight < HandshakeFlights; flight++) handshake += Delay + world.Stall();
            var tooLong = handshake > TimeSpan.FromSeconds(5);
            world.After(backoff + (tooLong ? TimeSpan.FromSeconds(5) : handshake), () =>
            {
                if (tooLong || IsSilent) Dial(gateway, attempt + 1);
                else Links.Add(new Link(world, this, gateway));
            });
        }

        public sealed class Link
        {
            private readonly HealthWorld world;
            private readonly Node node;
            private readonly Gateway gateway;
            private readonly string name;
            private TimeSpan up;
            private TimeSpan down;
            private TimeSpan heard;
            private bool isBroken;

            public Link(HealthWorld world, Node node, Gateway gateway)
            {
                (this.world, this.node, this.gateway, name, heard) = (world, node, gateway, $"{world.events}", world.Now);
                world.Fleet.Register(node.Identity, name, gateway.Id, world.Now);
                gateway.Do(() => gateway.Observer.LinkUp(Id, node.Identity.Incarnation, name, world.Now));
                if (world.ProbesMedia) gateway.Do(() => gateway.Observer.MediaOpened(Id, 1, world.Now));
                Repeat(() => HealthProbe.ProbePeriod, () => gateway.Do(Ping));
                Repeat(() => TimeSpan.FromSeconds(1), () => Up(Report), 0);
                if (world.ProbesMedia && !node.Links.Any(link => link.gateway == gateway)) ProbeMedia();
            }

            private string Id => node.Identity.Id;

            public void Break()
            {
                if (isBroken) return;
                isBroken = true;
                node.Links.Remove(this);
                world.Fleet.LinkLost(Id, node.Identity.Incarnation, name, world.Now);
                gateway.Do(() => gateway.Observer.LinkLost(Id, name, world.Now));
                node.Dial(gateway);
            }

            private void Repeat(Func<TimeSpan> period, Action what, double phase = 1) => world.After(period() * phase, () =>
            {
                if (isBroken) return;
                what();
                Repeat(period, what);
            });

            /// <summary>As the gateway does it: who is not known registers again.</summary>
            private void Report()
            {
                if (world.Fleet.Report(Id, node.Identity.Incarnation, name, Nodes.Report(), world.Now) is not null) return;
                world.Fleet.Register(node.Identity, name, gateway.Id, world.Now);
                world.Fleet.Report(Id, node.Identity.Incarnation, name, Nodes.Report(), world.Now);
            }

            private void Ping()
            {
                if (world.Now - heard >= GiveUpAfter)
                {
                    Break();
                    return;
                }

                // In order: a segment waits for those before it.
                down = Max(down, world.Now + Delay + world.Stall());
                world.After(down - world.Now, () =>
                {
                    if (!node.IsSilent && !isBroken) Up(() => { });
                });
            }

            private void Up(Action what)
            {
                if (node.IsSilent) return;
                up = Max(up, world.Now + Delay + world.Stall());
                world.After(up - world.Now, () => gateway.Do(() =>
                {
                    if (isBroken || node.IsCutOff) return;
                    heard = world.Now;
                    gateway.Observer.Heard(Id, world.Now);
                    what();
                }));
            }

            /// <summary>Goes on when the link breaks.</summary>
            private void ProbeMedia()
            {
                var doubted = gateway.Observer.HealthOf(Id) is not (NodeHealth.Healthy or NodeHealth.Probation);
                world.After(doubted ? HealthProbe.DoubtedPeriod : HealthProbe.ProbePeriod, () => gateway.Do(() =>
                {
                    var lost = world.IsLost() || world.IsLost() || node.IsSilent || node.IsGrey;
                    if (!lost) world.After(2 * Delay, () => gateway.Do(() => gateway.Observer.MediaHeard(Id, 0, world.Now)));
                    ProbeMedia();
                }));
            }

            private static TimeSpan Max(TimeSpan a, TimeSpan b) => a > b ? a : b;
        }
    }
}
