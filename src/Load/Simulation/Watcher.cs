using Voice.VoiceAllocator;

namespace Voice.Load.Simulation;

/// <summary>What a gateway says to the allocator.</summary>
/// <param name="Sheet">Null: it lost its link to the node.</param>
internal sealed record Said(int At, int Observer, VoteSheet? Sheet, int LostNode = -1);

/// <summary>One gateway: the real <see cref="Observer"/>, the pings and media probes that it lives on, and the paths that they take. In milliseconds.</summary>
internal sealed class Watcher
{
    private const int Bucket = 5;
    private const int Buckets = 4096;
    private const int MostJitter = 3;

    private readonly int number;
    private readonly World world;
    private readonly HealthWindow window;
    private readonly Pace pace;
    private readonly Outage[] outages;
    private readonly Random random;
    private readonly Observer observer;
    private readonly List<(int At, int Node, Event What)>[] calendar = [.. Enumerable.Range(0, Buckets).Select(_ => new List<(int, int, Event)>())];
    private readonly List<(int Node, Event What)> held = [];
    private readonly int[] oneWay;
    private readonly TcpFlow[] there;
    private readonly TcpFlow[] back;
    private readonly int[] mediaDue;
    private readonly List<Said> said = [];
    private int now;
    private int tickDue;
    private bool isCutOff;

    public Watcher(int number, World world, HealthWindow window, Pace pace, int seed, HealthTimes? times = null)
    {
        (this.number, this.world, this.window, this.pace) = (number, world, window, pace);
        random = new Random(seed);
        outages = [.. window.Outages.Where(outage => outage.Observer == number)];
        observer = new Observer(Name(number), TimeSpan.Zero, times);
        (oneWay, there, back, mediaDue) = (new int[world.Nodes], new TcpFlow[world.Nodes], new TcpFlow[world.Nodes], new int[world.Nodes]);
        var home = world.Regions[number % world.Regions.Count];
        for (var node = 0; node < world.Nodes; node++)
        {
            oneWay[node] = Math.Max(1, (int)(Geography.RoundTrip(home, world.Regions[world.RegionOf(node)]) / 2));
            var identity = world.Identity(node, 1);
            observer.LinkUp(identity.Id, identity.Incarnation, LinkOf(node, number), TimeSpan.Zero);
            observer.MediaOpened(identity.Id, 1, TimeSpan.Zero);
            Note(random.Next(pace.Ping), node, Event.Ping);
            Note(mediaDue[node] = random.Next(pace.Media), node, Event.Media);
        }

        // The kernel of a node whose process dies closes its connections.
        foreach (var trouble in window.Troubles.Where(trouble => trouble.Condition == Condition.Killed))
            Note(trouble.From + oneWay[trouble.Node] + (random.NextDouble() < window.Loss ? 200 : 0), trouble.Node, Event.LinkLost);
    }

    private enum Event : byte
    {
        Ping,
        Pong,
        Media,
        MediaBack,
        LinkLost,
    }

    public static string Name(int observer) => $"gateway-{observer}";

    public static string LinkOf(int node, int observer) => $"{node}@{observer}";

    /// <summary>Lives until then, and tells what it said meanwhile.</summary>
    public List<Said> Run(int until)
    {
        said.Clear();
        for (; now < until; now += Bucket)
        {
            var due = calendar[now / Bucket % Buckets];
            var isFrozen = outages.Any(outage => !outage.IsCutOff && outage.From <= now && now < outage.Until);
            isCutOff = outages.Any(outage => outage.IsCutOff && outage.From <= now && now < outage.Until);
            if (!isFrozen)
            {
                // Who stood still looks at the time first, and then at what came meanwhile: the worse order of the two.
                if (now >= tickDue) Tick();
                foreach (var (node, what) in held) Happen(node, what);
                held.Clear();
            }

            for (var i = 0; i < due.Count; i++)
            {
                if (IsLater(due[i])) continue;
                if (isFrozen) held.Add((due[i].Node, due[i].What));
                else Happen(due[i].Node, due[i].What);
            }

            due.RemoveAll(one => !IsLater(one));
        }

        return said;
    }

    /// <summary>It is of a later round of the calendar.</summary>
    private bool IsLater((int At, int Node, Event What) one) => one.At >= now + Bucket;

    private TimeSpan Time => TimeSpan.FromMilliseconds(now);

    private void Tick()
    {
        tickDue = now + (int)Observer.Period.TotalMilliseconds + random.Next(MostJitter);
        if (observer.Tick(Time) is not { } sheet) return;
        said.Add(new(now, number, sheet));
        foreach (var vote in sheet.Votes)
        {
            if (!IsDoubted(vote.Health)) continue;
            var node = world.Numbers[vote.NodeId];
            if (mediaDue[node] > now + pace.DoubtedMedia) Note(mediaDue[node] = now + pace.DoubtedMedia, node, Event.Media);
        }
    }

    private void Happen(int node, Event what)
    {
        var name = world.Names[node];
        switch (what)
        {
            case Event.Ping:
                Note(now + pace.Ping, node, Event.Ping);
                if (!isCutOff) Ping(node);
                break;
            case Event.Pong:
                if (!isCutOff) observer.Heard(name, Time);
                break;
            case Event.Media when mediaDue[node] <= now + Bucket:
                Note(mediaDue[node] = now + (IsDoubted(observer.HealthOf(name)) ? pace.DoubtedMedia : pace.Media), node, Event.Media);
                if (!isCutOff) SendMedia(node);
                break;
            case Event.MediaBack:
                if (!isCutOff) observer.MediaHeard(name, 0, Time);
                break;
            case Event.LinkLost:
                observer.LinkLost(name, LinkOf(node, number), Time);
                said.Add(new(now, number, null, node));
                break;
        }
    }

    private void Ping(int node)
    {
        var at = there[node].Arrive(now, oneWay[node], window.Loss, Answers, random);
        if (at == TcpFlow.Never) return;
        at = back[node].Arrive(at, oneWay[node], window.Loss, _ => true, random);
        if (at != TcpFlow.Never) Note(at + random.Next(MostJitter), node, Event.Pong);

        bool Answers(int time) => window.ConditionOf(node, time) is Condition.Works or Condition.Grey;
    }

    private void SendMedia(int node)
    {
        var at = now + oneWay[node];
        if (random.NextDouble() < window.Loss || random.NextDouble() < window.Loss || window.ConditionOf(node, at) != Condition.Works) return;
        Note(at + oneWay[node] + random.Next(MostJitter), node, Event.MediaBack);
    }

    private void Note(int at, int node, Event what) => calendar[at / Bucket % Buckets].Add((at, node, what));

    private static bool IsDoubted(NodeHealth? health) => health is not (NodeHealth.Healthy or NodeHealth.Probation);
}
