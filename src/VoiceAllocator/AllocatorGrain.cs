using System.Diagnostics.Metrics;
using Microsoft.Extensions.Logging;
using Orleans.Concurrency;
using Orleans.Utilities;
using Voice.Protocol.Links;

namespace Voice.VoiceAllocator;

/// <summary>A shell around <see cref="Fleet"/>: reads the clock, calls guilds and links, changes nothing itself. Reentrant: every change of the fleet
/// is made in one go, and storage that is slow must not keep it from seeing who dies.</summary>
[KeepAlive]
[Reentrant]
public sealed partial class AllocatorGrain : Grain, IAllocatorGrain
{
    /// <summary>Name of the grain storage that keeps what operators said of nodes.</summary>
    public const string Storage = "guilds";

    private static readonly TimeSpan TickPeriod = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan LookPeriod = TimeSpan.FromSeconds(1);

    private readonly TimeProvider time;
    private readonly ILogger<AllocatorGrain> log;
    private readonly IPersistentState<DrainRecord> drains;
    private readonly ObserverClock clock;
    private readonly Fleet fleet;
    private readonly Dictionary<string, List<(string Name, INodeLink Link)>> links = [];
    private readonly ObserverManager<IAssignmentObserver> observers;
    private readonly Counter<long> evictions;
    private readonly Counter<long> evictionsIgnored;
    private Task stored = Task.CompletedTask;
    private TimeSpan lookedAt;
    private long ignored;

    public AllocatorGrain(
        [PersistentState("drains", Storage)] IPersistentState<DrainRecord> drains,
        Neighbours neighbours,
        IMeterFactory meters,
        TimeProvider time,
        ILogger<AllocatorGrain> log)
    {
        (this.drains, this.time, this.log) = (drains, time, log);
        var start = time.GetElapsedTime(0);
        clock = new ObserverClock(TickPeriod, start);
        fleet = new Fleet(neighbours, new Random(), start);
        observers = new ObserverManager<IAssignmentObserver>(TimeSpan.FromSeconds(60), log);
        var meter = meters.Create("Voice.Allocator");
        evictions = meter.CreateCounter<long>("voice.allocator.evictions");
        evictionsIgnored = meter.CreateCounter<long>("voice.allocator.evictions.ignored");
    }

    /// <summary>As the allocator lived it: a silo that stood still must not think that everybody else did.</summary>
    private TimeSpan Now => clock.At(time.GetElapsedTime(0));

    public override Task OnActivateAsync(CancellationToken cancellationToken)
    {
        foreach (var node in drains.State.Drained) fleet.Drain(node, true, Now);
        this.RegisterGrainTimer(Tick, new GrainTimerCreationOptions(TickPeriod, TickPeriod));
        return base.OnActivateAsync(cancellationToken);
    }

    public async Task<bool> Register(NodeIdentity node, string link, string observer, INodeLink reference)
    {
        var isNew = fleet.Find(node.Id)?.Identity != node;
        if (!fleet.Register(node, link, observer, Now)) return false;
        if (isNew) links.Remove(node.Id);
        if (!links.TryGetValue(node.Id, out var known)) links[node.Id] = known = [];
        known.RemoveAll(one => one.Name == link);
        known.Add((link, reference));
        LogArrived(node.Id, node.Region, node.Endpoint);
        await Relink(node.Id);
        await Publish();
        return true;
    }

    public async Task<bool> Report(string nodeId, string incarnation, string link, NodeReport report)
    {
        if (fleet.Report(nodeId, incarnation, link, report, Now) is not { } unknown) return false;
        if (LinkOf(nodeId, link) is { } reference)
        {
            foreach (var hosted in unknown) await Guild(hosted.Guild).Hosted(hosted, nodeId, reference);
        }

        await Publish();
        return true;
    }

    public Task Vote(VoteSheet sheet)
    {
        fleet.Vote(sheet, Now);
        return Publish();
    }

    public Task LinkLost(string nodeId, string incarnation, string link)
    {
        if (fleet.Find(nodeId)?.Identity.Incarnation == incarnation && links.TryGetValue(nodeId, out var known))
            known.RemoveAll(one => one.Name == link);
        fleet.LinkLost(nodeId, incarnation, link, Now);
        return Publish();
    }

    public async Task<Placed?> Assign(AssignmentRequest request)
    {
        var assignment = fleet.Assign(request.Guild, request.Slot, request.Region, request.Epoch, request.Avoid, Now, request.Move);
        await Publish();
        return Place(assignment);
    }

    public async Task<Placed?> Claim(Assignment assignment)
    {
        var held = fleet.Claim(assignment, Now);
        await Publish();
        return held ? Place(assignment) : null;
    }

    public Task<bool> HasMoved(Assignment assignment) => Task.FromResult(fleet.HasMoved(assignment));

    public Task Release(ulong guild, string slot, long epoch)
    {
        fleet.Release(guild, slot, epoch);
        return Publish();
    }

    public async Task<bool> Probe(string nodeId)
    {
        if (fleet.Find(nodeId) is not { } node) return !fleet.HasLearned(Now);
        foreach (var (_, link) in links.GetValueOrDefault(nodeId) ?? []) await link.Ping();
        return !node.IsOut;
    }

    public async Task<bool> Drain(string nodeId, bool on)
    {
        if (on && fleet.Find(nodeId) is null) return false;
        fleet.Drain(nodeId, on, Now);
        await Publish();
        if (on ? drains.State.Drained.Add(nodeId) : drains.State.Drained.Remove(nodeId)) await (stored = Store(stored));
        return fleet.Find(nodeId) is not null;
    }

    public Task<NodeStatus[]> Nodes() => Task.FromResult(fleet.Nodes.Select(node => new NodeStatus(
        node.Identity.Id,
        node.Identity.Region,
        node.Identity.Endpoint,
        node.Utilisation,
        node.LastReport?.Sessions ?? 0,
        node.Assigned,
        node.Standing == NodeStanding.Trusted,
        node.IsDraining,
        node.IsOut ? "out" : node.Verdict?.ToString().ToLowerInvariant() ?? "unjudged",
        node.Identity.Echo)).OrderBy(node => node.NodeId, StringComparer.Ordinal).ToArray());

    public Task Subscribe(IAssignmentObserver observer)
    {
        observers.Subscribe(observer, observer);
        return Task.CompletedTask;
    }

    public Task Unsubscribe(IAssignmentObserver observer)
    {
        observers.Unsubscribe(observer);
        return Task.CompletedTask;
    }

    private async Task Tick(CancellationToken cancel)
    {
        var now = clock.Tick(time.GetElapsedTime(0));
        if (now - lookedAt >= LookPeriod)
        {
            lookedAt = now;
            fleet.Tick(now);
            foreach (var gone in links.Keys.Where(id => fleet.Find(id) is null).ToArray()) links.Remove(gone);
            evictionsIgnored.Add(fleet.EvictionsIgnored - ignored);
            ignored = fleet.EvictionsIgnored;
            foreach (var moving in fleet.TakeMoves(now)) await Guild(moving.Guild).Move(moving.Slot, moving.Epoch);
        }

        await Publish();
    }

    /// <summary>One write at a time.</summary>
    private async Task Store(Task before)
    {
        await before.ConfigureAwait(ConfigureAwaitOptions.ContinueOnCapturedContext | ConfigureAwaitOptions.SuppressThrowing);
        await drains.WriteStateAsync();
    }

    /// <summary>Tells everybody what the last call led to. The calls are one-way: nobody is waited for.</summary>
    private async Task Publish()
    {
        // A guild first: whoever hears of the event asks it.
        foreach (var (lost, next) in fleet.TakeLost(Now)) await Guild(lost.Guild).NodeLost(lost.Slot, lost.Epoch, Place(next));
        foreach (var change in fleet.TakeEvents()) await observers.Notify(observer => observer.OnAssignment(change));
        foreach (var node in fleet.TakeRelinked()) await Relink(node);
        foreach (var guild in fleet.TakeWaiting()) await Guild(guild).NodesArrived();
        foreach (var (node, reason, slots) in fleet.TakeEvicted())
        {
            evictions.Add(1, new KeyValuePair<string, object?>("reason", reason));
            LogEvicted(node, reason, slots);
        }
    }

    /// <summary>The node's links have changed: what went over one that is gone may be lost.</summary>
    private async Task Relink(string nodeId)
    {
        if (links.TryGetValue(nodeId, out var known)) known.RemoveAll(one => fleet.Find(nodeId)?.HasLink(one.Name) != true);
        if (LinkOf(nodeId) is not { } link) return;
        foreach (var held in fleet.On(nodeId).ToArray()) await Guild(held.Guild).Relinked(held.Slot, held.Epoch, link);
    }

    private Placed? Place(Assignment? at) => at is not null && LinkOf(at.NodeId) is { } link ? new Placed(at, link) : null;

    private INodeLink? LinkOf(string nodeId, string? name = null) =>
        links.TryGetValue(nodeId, out var known) ? known.LastOrDefault(one => name is null || one.Name == name).Link : null;

    private IAssignedGuild Guild(ulong id) => GrainFactory.GetGrain<IAssignedGuild>(unchecked((long)id));

    [LoggerMessage(Level = LogLevel.Information, Message = "voice node {Node} ({Region}) at {Endpoint} is up")]
    private partial void LogArrived(string node, string region, string endpoint);

    [LoggerMessage(Level = LogLevel.Warning, Message = "voice node {Node} is given up: {Reason}; {Guilds} guild slots go elsewhere")]
    private partial void LogEvicted(string node, string reason, int guilds);
}
