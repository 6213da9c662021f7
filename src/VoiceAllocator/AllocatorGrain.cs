using Microsoft.Extensions.Logging;
using Orleans.Utilities;
using Voice.Protocol.Links;

namespace Voice.VoiceAllocator;

/// <summary>A shell around <see cref="Fleet"/>: reads the clock, calls guilds and links, changes nothing itself.</summary>
[KeepAlive]
public sealed partial class AllocatorGrain(
    [PersistentState("drains", AllocatorGrain.Storage)] IPersistentState<DrainRecord> drains, TimeProvider time, ILogger<AllocatorGrain> log)
    : Grain, IAllocatorGrain
{
    /// <summary>Name of the grain storage that keeps what operators said of nodes.</summary>
    public const string Storage = "guilds";

    private static readonly TimeSpan TickPeriod = TimeSpan.FromSeconds(1);

    private readonly Fleet fleet = new();
    private readonly Dictionary<string, List<(string Name, INodeLink Link)>> links = [];
    private readonly ObserverManager<IAssignmentObserver> observers = new(TimeSpan.FromSeconds(60), log);

    private TimeSpan Now => time.GetElapsedTime(0);

    public override Task OnActivateAsync(CancellationToken cancellationToken)
    {
        foreach (var node in drains.State.Drained) fleet.Drain(node, true);
        this.RegisterGrainTimer(Tick, new GrainTimerCreationOptions(TickPeriod, TickPeriod));
        return base.OnActivateAsync(cancellationToken);
    }

    public async Task<bool> Register(NodeIdentity node, string link, INodeLink reference)
    {
        var isNew = fleet.Find(node.Id)?.Identity != node;
        if (!fleet.Register(node, link, Now)) return false;
        if (isNew) links.Remove(node.Id);
        if (!links.TryGetValue(node.Id, out var known)) links[node.Id] = known = [];
        known.RemoveAll(one => one.Name == link);
        known.Add((link, reference));
        LogArrived(node.Id, node.Region, node.Endpoint);
        foreach (var held in fleet.On(node.Id).ToArray()) await Guild(held.Guild).Relinked(held.Slot, held.Epoch, reference);
        await Publish();
        return true;
    }

    public async Task<bool> Report(string nodeId, string incarnation, string link, NodeReport report)
    {
        if (fleet.Report(nodeId, incarnation, report, Now) is not { } unknown) return false;
        if (LinkOf(nodeId, link) is { } reference)
        {
            foreach (var hosted in unknown) await Guild(hosted.Guild).Hosted(hosted, nodeId, reference);
        }

        await Publish();
        return true;
    }

    public Task Heard(string nodeId, string incarnation)
    {
        fleet.Heard(nodeId, incarnation, Now);
        return Task.CompletedTask;
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
        var assignment = fleet.Assign(request.Guild, request.Slot, request.Region, request.Epoch, request.Avoid, Now, Random.Shared, request.Move);
        await Publish();
        return assignment is not null && LinkOf(assignment.NodeId) is { } link ? new Placed(assignment, link) : null;
    }

    public async Task<Placed?> Claim(Assignment assignment)
    {
        var held = fleet.Claim(assignment);
        await Publish();
        return held && LinkOf(assignment.NodeId) is { } link ? new Placed(assignment, link) : null;
    }

    public Task Release(ulong guild, string slot, long epoch)
    {
        fleet.Release(guild, slot, epoch);
        return Publish();
    }

    public async Task<bool> Probe(string nodeId)
    {
        fleet.Tick(Now);
        await Publish();
        if (LinkOf(nodeId) is { } link) await link.Ping();
        return fleet.Find(nodeId) is not null;
    }

    public async Task<bool> Drain(string nodeId, bool on)
    {
        if (fleet.Find(nodeId) is null && on) return false;
        fleet.Drain(nodeId, on);
        if (on ? drains.State.Drained.Add(nodeId) : drains.State.Drained.Remove(nodeId)) await drains.WriteStateAsync();
        await Publish();
        return fleet.Find(nodeId) is not null;
    }

    public Task<NodeStatus[]> Nodes() => Task.FromResult(fleet.Nodes.Select(node => new NodeStatus(
        node.Identity.Id,
        node.Identity.Region,
        node.Identity.Endpoint,
        node.Utilisation,
        node.LastReport?.Sessions ?? 0,
        node.Assigned,
        node.IsUsable(Now),
        node.IsDraining)).OrderBy(node => node.NodeId, StringComparer.Ordinal).ToArray());

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
        fleet.Tick(Now);
        foreach (var moving in fleet.TakeMoves(Now)) await Guild(moving.Guild).Move(moving.Slot, moving.Epoch);
        await Publish();
    }

    /// <summary>Tells everybody what the last call led to. The calls are one-way: nobody is waited for.</summary>
    private async Task Publish()
    {
        foreach (var gone in links.Keys.Where(id => fleet.Find(id) is null).ToArray())
        {
            links.Remove(gone);
            LogGone(gone);
        }

        foreach (var change in fleet.TakeEvents()) await observers.Notify(observer => observer.OnAssignment(change));
        foreach (var lost in fleet.TakeLost()) await Guild(lost.Guild).NodeLost(lost.Slot, lost.Epoch, next: null);
        foreach (var guild in fleet.TakeWaiting(Now)) await Guild(guild).NodesArrived();
    }

    private INodeLink? LinkOf(string nodeId, string? name = null) =>
        links.TryGetValue(nodeId, out var known) ? known.LastOrDefault(one => name is null || one.Name == name).Link : null;

    private IAssignedGuild Guild(ulong id) => GrainFactory.GetGrain<IAssignedGuild>(unchecked((long)id));

    [LoggerMessage(Level = LogLevel.Information, Message = "voice node {Node} ({Region}) at {Endpoint} is up")]
    private partial void LogArrived(string node, string region, string endpoint);

    [LoggerMessage(Level = LogLevel.Warning, Message = "voice node {Node} is gone")]
    private partial void LogGone(string node);
}
