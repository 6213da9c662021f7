using System.Diagnostics.Metrics;

namespace Voice.Signaling.Gateway.Probing;

/// <summary>What the probes of the media paths count, by node.</summary>
internal sealed class ProbeMetrics(Meter meter)
{
    private readonly Counter<long> sent = meter.CreateCounter<long>("voice.probe.sent", "packets", "Packets sent through the nodes' media workers.");
    private readonly Counter<long> lost = meter.CreateCounter<long>("voice.probe.lost", "packets", "Packets that did not come back within four seconds.");
    private readonly Counter<long> late = meter.CreateCounter<long>("voice.probe.late", "packets", "Packets that took more than a second.");
    private readonly Counter<long> refused = meter.CreateCounter<long>("voice.probe.refused", "packets", "Datagrams that are no answer.");

    private readonly Histogram<double> roundTrip = meter.CreateHistogram(
        "voice.probe.round_trip",
        "s",
        "From here through a media worker and back.",
        advice: new InstrumentAdvice<double> { HistogramBucketBoundaries = [.. Enumerable.Range(0, 16).Select(i => 0.0002 * Math.Pow(2, i))] });

    public void Sent(string node, long packets, long lostBefore)
    {
        sent.Add(packets, Of(node));
        if (lostBefore > 0) lost.Add(lostBefore, Of(node));
    }

    public void Heard(string node, TimeSpan took)
    {
        roundTrip.Record(took.TotalSeconds, Of(node));
        if (took > WorkerProbe.LateAfter) late.Add(1, Of(node));
    }

    public void Refused() => refused.Add(1);

    private static KeyValuePair<string, object?> Of(string node) => new("node", node);
}
