using System.Diagnostics.Metrics;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Voice.VoiceAllocator;

namespace Voice.Signaling.Gateway.Allocation;

/// <summary>This gateway as an observer of the voice nodes that are linked to it: a shell around <see cref="Observer"/> that reads the clock and
/// sends its votes to the allocator. Node links tell it what they hear, and the media probe what came back. Thread safe.</summary>
public sealed partial class NodeProber : BackgroundService
{
    private readonly Observer observer;
    private readonly Lock gate = new();
    private readonly IGrainFactory grains;
    private readonly TimeProvider time;
    private readonly ILogger<NodeProber> log;
    private readonly Counter<long> verdicts;

    public NodeProber(IGrainFactory grains, TimeProvider time, IMeterFactory meters, ILogger<NodeProber> log)
    {
        (this.grains, this.time, this.log) = (grains, time, log);
        observer = new Observer(Id, Now);
        var meter = meters.Create("Voice.Gateway");
        verdicts = meter.CreateCounter<long>("voice.observer.verdicts");
        meter.CreateObservableCounter("voice.observer.withheld", Withheld);
    }

    /// <summary>Names this observer among the gateways.</summary>
    public string Id { get; } = Guid.NewGuid().ToString("N");

    private TimeSpan Now => time.GetElapsedTime(0);

    public void LinkUp(NodeIdentity node, string link)
    {
        lock (gate) observer.LinkUp(node.Id, node.Incarnation, link, Now);
    }

    public void LinkLost(string node, string link)
    {
        lock (gate) observer.LinkLost(node, link, Now);
    }

    /// <summary>Anything came over the node's link.</summary>
    public void Heard(string node)
    {
        lock (gate) observer.Heard(node, Now);
    }

    /// <inheritdoc cref="HealthProbe.MediaOpened"/>
    public void MediaOpened(string node, int workers)
    {
        lock (gate) observer.MediaOpened(node, workers, Now);
    }

    /// <inheritdoc cref="HealthProbe.MediaHeard"/>
    public void MediaHeard(string node, int worker)
    {
        lock (gate) observer.MediaHeard(node, worker, Now);
    }

    /// <inheritdoc cref="HealthProbe.MediaClosed"/>
    public void MediaClosed(string node)
    {
        lock (gate) observer.MediaClosed(node);
    }

    /// <summary>How often the node's media should be probed now: more often while it is doubted, so that a few lost packets decide nothing.</summary>
    public TimeSpan MediaPeriod(string node)
    {
        lock (gate) return observer.HealthOf(node) is NodeHealth.Healthy or NodeHealth.Probation ? HealthProbe.ProbePeriod : HealthProbe.DoubtedPeriod;
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Observer.Period, time);
        try
        {
            while (await timer.WaitForNextTickAsync(stoppingToken))
            {
                VoteSheet? sheet;
                lock (gate) sheet = observer.Tick(Now);
                if (sheet is not null) await Send(sheet);
            }
        }
        catch (OperationCanceledException)
        {
            // The gateway stops.
        }
    }

    private async Task Send(VoteSheet sheet)
    {
        if (!sheet.Whole)
        {
            foreach (var vote in sheet.Votes)
            {
                var health = vote.Health?.ToString() ?? "None";
                verdicts.Add(1, new KeyValuePair<string, object?>("health", health));
                LogVerdict(vote.NodeId, health);
            }
        }

        try
        {
            await grains.GetGrain<IAllocatorGrain>(0).Vote(sheet);
        }
        catch (Exception e) when (e is OrleansException or TimeoutException)
        {
            // The allocator is on its way to another gateway: the whole is said again in a second.
        }
    }

    private IEnumerable<Measurement<long>> Withheld()
    {
        lock (gate)
        {
            return
            [
                new(observer.WithheldLate, new KeyValuePair<string, object?>("reason", "late")),
                new(observer.WithheldMany, new KeyValuePair<string, object?>("reason", "many")),
            ];
        }
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "voice node {Node} looks {Health} from here")]
    private partial void LogVerdict(string node, string health);
}
