using System.Text;
using Microsoft.AspNetCore.Http;
using Voice.Protocol.Links;
using Voice.Signaling.VoiceServer;
using Xunit;

namespace Voice.Tests.Signaling.VoiceServer;

public class NodeMetricsTests
{
    [Fact]
    public async Task Counters_go_on_when_another_media_process_counts_from_zero()
    {
        var metrics = new NodeMetrics();
        metrics.Take(Report(forwarded: 10, gated: 4, delays: 3));
        metrics.Take(Report(forwarded: 15, gated: 4, delays: 5));
        metrics.Take(null);
        metrics.Take(Report(forwarded: 2, gated: 1, delays: 2));

        var text = await Scrape(metrics);
        Assert.Contains("voice_packets_forwarded_total{worker=\"0\"} 17\n", text);
        Assert.Contains("voice_drops_total{reason=\"Gated\"} 5\n", text);
        Assert.Contains("voice_added_delay_seconds_count{worker=\"0\"} 7\n", text);
        Assert.Contains("voice_added_delay_seconds_bucket{worker=\"0\",le=\"8e-05\"} 0\n", text);
        Assert.Contains("voice_added_delay_seconds_bucket{worker=\"0\",le=\"0.00016\"} 7\n", text);
        Assert.Contains("voice_media_ended_total 1\n", text);
    }

    [Fact]
    public async Task A_flood_is_seen()
    {
        var (metrics, flood) = (new NodeMetrics(), new FloodWatch(limit: 1));
        metrics.TakeFlood(flood);
        Assert.Contains("voice_flooded 0\n", await Scrape(metrics));
        var strangers = Report(0, 0, 0) with { DiscoveriesAnswered = 5000 };
        Assert.True(flood.Take(TimeSpan.FromSeconds(5), strangers));
        metrics.TakeFlood(flood);
        var text = await Scrape(metrics);
        Assert.Contains("voice_flooded 1\n", text);
        Assert.Contains("voice_stranger_packets_per_second 1000\n", text);
    }

    private static MediaReport Report(long forwarded, long gated, long delays)
    {
        var delay = new long[LogLinear.Buckets];
        delay[LogLinear.Bucket(100)] = delays; // µs
        var worker = new WorkerReport(forwarded, forwarded, 100 * forwarded, 100 * forwarded, 1, delay, new long[LogLinear.Buckets], 0);
        return new(1, 1, new() { ["Gated"] = gated }, 0, [worker], new(0, 0, 0, 0, 0, 0));
    }

    private static async Task<string> Scrape(NodeMetrics metrics)
    {
        var context = new DefaultHttpContext { Request = { Path = "/metrics" }, Response = { Body = new MemoryStream() } };
        await metrics.ServeAsync(context);
        return Encoding.UTF8.GetString(((MemoryStream)context.Response.Body).ToArray());
    }
}
