using System.Xml.Linq;
using Voice.Load.Results;
using Xunit;

namespace Voice.Tests.Load;

public class ReportTests
{
    private static readonly Percentiles Delay = new(40, 700, 2000, 5000);

    [Fact]
    public void A_report_needs_nothing_else_and_escapes_what_it_shows()
    {
        var html = Report.Html([Result("saturate-5", steps: 4), Result("soak", samples: 5), Result("<storm>")], DateTimeOffset.UnixEpoch);
        Assert.DoesNotContain("<script", html, StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain("src=", html, StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain("href=", html, StringComparison.OrdinalIgnoreCase);
        Assert.Contains("&lt;storm&gt;", html, StringComparison.Ordinal);
        foreach (var plot in (string[])["CPU for a packet", "Saturation", "Memory", "Collections", "Loss", "Added delay by percentile"])
            Assert.Contains(plot, html, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Every_point_is_inside_the_picture(bool logarithmic)
    {
        var plot = new Plot("t", "x", "y", [new("a", [(0, 0), (3, 17), (250_000, 123_456)]), new("b", [(10, 0.5)])], (200_000, "limit"), logarithmic);
        var svg = XElement.Parse(plot.ToSvg());
        var points = svg.Elements("circle").Select(circle => ((double)circle.Attribute("cx")!, (double)circle.Attribute("cy")!)).ToArray();
        Assert.Equal(4, points.Length);
        Assert.All(points, point =>
        {
            Assert.InRange(point.Item1, 64, 624);
            Assert.InRange(point.Item2, 36, 252);
        });
    }

    [Fact]
    public void Nothing_to_draw_is_no_picture() => Assert.Empty(new Plot("t", "x", "y", [new("a", [])]).ToSvg());

    private static BenchResult Result(string scenario, int steps = 0, int samples = 0) => new(
        scenario, 10, 900, 5.5, 2.7, 2.04, 0, Delay, 90_000_000, 20_000, 0, new(1, 0, 0, 0.5), null, 12, new("cpu", 2, "kernel", "runtime"), [],
        new(
            "webrtc", 100, "send", new(100, 900, 900, 0, 0, new Dictionary<string, long>(), 0, 0, 0, 0), Delay, null, null, [],
            [.. Enumerable.Range(1, steps).Select(i => new LoadStep(1, i, i * 10_000, 5, 0.5, 0, Delay, 2, true, null))],
            [.. Enumerable.Range(1, samples).Select(i => new SoakSample(i, 1000, 5, 1000, 10, i, 0, 0, 0, Delay))],
            []));
}
