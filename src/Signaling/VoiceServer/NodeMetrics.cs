using Microsoft.AspNetCore.Http;
using Prometheus;
using Voice.Protocol.Links;

namespace Voice.Signaling.VoiceServer;

/// <summary>What the node and its media process count, in Prometheus' text format. The packet path knows nothing of it: its counters are read
/// once a second, and here the differences are added up, so that they go on counting when a media process is replaced.</summary>
internal sealed class NodeMetrics
{
    private readonly CollectorRegistry registry = Metrics.NewCustomRegistry();
    private readonly Counter received;
    private readonly Counter forwarded;
    private readonly Counter bytesReceived;
    private readonly Counter bytesForwarded;
    private readonly Counter busy;
    private readonly Counter drops;
    private readonly Counter cpu;
    private readonly Counter collections;
    private readonly Counter restarts;
    private readonly Gauge participants;
    private readonly Gauge guilds;
    private readonly Gauge strangers;
    private readonly Gauge flooded;
    private readonly Histogram delay;
    private readonly Histogram batches;
    private MediaReport? last;

    public NodeMetrics()
    {
        var factory = Metrics.WithCustomRegistry(registry);
        string[] worker = ["worker"];
        received = factory.CreateCounter("voice_packets_received_total", "Datagrams that came in.", worker);
        forwarded = factory.CreateCounter("voice_packets_forwarded_total", "Media packets that went out.", worker);
        bytesReceived = factory.CreateCounter("voice_bytes_received_total", "Bytes of datagrams that came in.", worker);
        bytesForwarded = factory.CreateCounter("voice_bytes_forwarded_total", "Bytes of media packets that went out.", worker);
        busy = factory.CreateCounter("voice_worker_busy_seconds_total", "Processor time of the worker's thread.", worker);
        delay = factory.CreateHistogram(
            "voice_added_delay_seconds",
            "From the kernel's receive timestamp to the return of the send.",
            worker,
            new() { Buckets = Histogram.ExponentialBuckets(10e-6, 2, 18) });
        batches = factory.CreateHistogram(
            "voice_batch_packets", "Datagrams found waiting at a wake-up.", worker, new() { Buckets = Histogram.ExponentialBuckets(1, 2, 7) });
        drops = factory.CreateCounter("voice_drops_total", "Datagrams and packets that went no further.", ["reason"]);
        cpu = factory.CreateCounter("voice_media_cpu_seconds_total", "Processor time of the media process.");
        collections = factory.CreateCounter("voice_media_collections_total", "Garbage collections of the media process.", ["generation"]);
        restarts = factory.CreateCounter("voice_media_ended_total", "Media processes that ended while the node ran.");
        participants = factory.CreateGauge("voice_participants", "Voice sessions here.");
        guilds = factory.CreateGauge("voice_guilds", "Guilds served here.");
        strangers = factory.CreateGauge("voice_stranger_packets_per_second", "Datagrams that no client's key is behind.");
        flooded = factory.CreateGauge("voice_flooded", "1 while the node asks to be drained for too many of them.");
    }

    /// <summary>On one thread at a time.</summary>
    /// <param name="happened">As the supervisor tells it; null: the process is gone, as it is when one that has a draft is ready.</param>
    public void Take(MediaEvent? happened)
    {
        if (happened is MediaReport report)
        {
            Take(report);
            last = report;
        }
        else if (happened is null or MediaReady { HasDraft: true })
        {
            restarts.Inc();
            last = null;
        }
    }

    public void TakeLoad(NodeReport report)
    {
        participants.Set(report.Sessions);
        guilds.Set(report.Guilds);
    }

    public void TakeFlood(FloodWatch flood)
    {
        strangers.Set(flood.PacketsPerSecond);
        flooded.Set(flood.IsFlooded ? 1 : 0);
    }

    public async Task ServeAsync(HttpContext context)
    {
        if (context.Request.Path != "/metrics")
        {
            context.Response.StatusCode = StatusCodes.Status404NotFound;
            return;
        }
        context.Response.ContentType = "text/plain; version=0.0.4; charset=utf-8";
        await registry.CollectAndExportAsTextAsync(context.Response.Body, context.RequestAborted);
    }

    private void Take(MediaReport report)
    {
        cpu.Inc(Math.Max(0, report.CpuSeconds - (last?.CpuSeconds ?? 0)));
        foreach (var (reason, count) in report.Drops) drops.WithLabels(reason).Inc(count - (last?.Drops.GetValueOrDefault(reason) ?? 0));
        collections.WithLabels("0").Inc(report.Memory.Gen0 - (last?.Memory.Gen0 ?? 0));
        collections.WithLabels("1").Inc(report.Memory.Gen1 - (last?.Memory.Gen1 ?? 0));
        collections.WithLabels("2").Inc(report.Memory.Gen2 - (last?.Memory.Gen2 ?? 0));
        for (var i = 0; i < report.Workers.Length; i++) Take($"{i}", report.Workers[i], last?.Workers[i]);
    }

    private void Take(string worker, WorkerReport now, WorkerReport? before)
    {
        received.WithLabels(worker).Inc(now.PacketsReceived - (before?.PacketsReceived ?? 0));
        forwarded.WithLabels(worker).Inc(now.PacketsForwarded - (before?.PacketsForwarded ?? 0));
        bytesReceived.WithLabels(worker).Inc(now.BytesReceived - (before?.BytesReceived ?? 0));
        bytesForwarded.WithLabels(worker).Inc(now.BytesForwarded - (before?.BytesForwarded ?? 0));
        busy.WithLabels(worker).Inc(Math.Max(0, now.BusySeconds - (before?.BusySeconds ?? 0)));
        Add(delay.WithLabels(worker), now.AddedDelay, before?.AddedDelay, 1e-6);
        Add(batches.WithLabels(worker), now.Batches, before?.Batches, 1);
    }

    private static void Add(Histogram.Child histogram, long[] now, long[]? before, double unit)
    {
        for (var i = 0; i < now.Length; i++)
        {
            var count = now[i] - (before?[i] ?? 0);
            if (count > 0) histogram.Observe(LogLinear.UpperBound(i) * unit, count);
        }
    }
}
