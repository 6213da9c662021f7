using System.Text.Json;
using Voice.Load.Drills;
using Xunit;

namespace Voice.Tests.Load.Drills;

public class DrillReportTests
{
    private static readonly DrillResult Result = new(
        "node-kill", 1000, 200, 640, new(900, 1400, 2000), 0, 0, 0, 0, 0,
        new(5, 1, 200, 40, 22, 40, 700, 2000, null, new(1, 2, 3), 100, 10, 200, null, 1000, 2000, 0, 12, 0.5, ["a note with < in it"], [new(0, "SIGKILL & more")],
            [new(-1, 40, 0), new(0, 10, 4), new(1, 40, 0), new(2, 3, 0)], new("cpu", 2, "Linux", ".NET")));

    [Fact]
    public void The_page_needs_nothing_else_and_shows_what_was_broken_when()
    {
        var html = DrillReport.Html([Result], DateTimeOffset.UnixEpoch);
        Assert.StartsWith("<!doctype html>", html, StringComparison.Ordinal);
        Assert.DoesNotContain("http://", html, StringComparison.Ordinal);
        Assert.DoesNotContain("https://", html, StringComparison.Ordinal);
        Assert.Contains("class=\"mark\"", html, StringComparison.Ordinal);
        Assert.Contains("SIGKILL &amp; more", html, StringComparison.Ordinal);
        Assert.Contains("a note with &lt; in it", html, StringComparison.Ordinal);
    }

    [Fact]
    public void The_file_has_the_promised_fields_in_their_order()
    {
        var path = Path.GetTempFileName();
        try
        {
            DrillFile.Write(path, [Result]);
            using var one = JsonDocument.Parse(File.ReadAllBytes(path));
            Assert.Equal(
                ["drill", "clients", "guilds", "detect_ms", "gap_ms", "sessions_lost", "voice_states_lost", "double_served_guilds", "false_evictions", "nonces_reused", "details"],
                one.RootElement.EnumerateObject().Select(field => field.Name));
            Assert.Equal(["p50", "p99", "max"], one.RootElement.GetProperty("gap_ms").EnumerateObject().Select(field => field.Name));

            DrillFile.Write(path, [Result, Result]);
            using var two = JsonDocument.Parse(File.ReadAllBytes(path));
            Assert.Equal(2, two.RootElement.GetArrayLength());
        }
        finally
        {
            File.Delete(path);
        }
    }
}
