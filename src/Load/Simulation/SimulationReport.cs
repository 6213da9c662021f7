using System.Globalization;
using System.Net;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using Voice.Load.Results;

namespace Voice.Load.Simulation;

/// <summary>A simulation as JSON, as plots, and as a page with both.</summary>
public static class SimulationReport
{
    /// <summary>More lines than these are not told apart.</summary>
    private const int RegionsShown = 5;

    public static void WriteJson(string path, SimulationResult result) =>
        File.WriteAllBytes(path, JsonSerializer.SerializeToUtf8Bytes(result, SimulationJson.Default.SimulationResult));

    public static void WriteJson(string path, AlternativesResult result) =>
        File.WriteAllBytes(path, JsonSerializer.SerializeToUtf8Bytes(result, SimulationJson.Default.AlternativesResult));

    /// <summary>Each plot as a file of the folder.</summary>
    public static void WritePlots(string folder, SimulationResult result)
    {
        Directory.CreateDirectory(folder);
        foreach (var (name, plot) in Plots(result)) File.WriteAllText(Path.Combine(folder, name + ".svg"), plot.ToSvgFile());
    }

    public static void WriteHtml(string path, SimulationResult result, DateTimeOffset when)
    {
        var html = new StringBuilder("<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>Voice simulation</title><style>").Append(Report.Style).Append("</style><h1>Voice simulation</h1>");
        html.Append(CultureInfo.InvariantCulture, $"<p>{result.Nodes:#,0} nodes in {result.Regions} regions, {result.Guilds:#,0} guilds, {result.Gateways} gateways, seed {result.Seed}. {when:yyyy-MM-dd HH:mm} UTC.</p>");
        Table(html, ["", "", "p99", "max"], Numbers(result));
        html.Append("<div class=\"plots\">");
        foreach (var (_, plot) in Plots(result)) html.Append(plot.ToSvg());
        html.Append("</div><h2>Failures of the day</h2>");
        Table(html, ["", "hour", "nodes", "guilds moved", "fullest node"], result.Load.Failures.Select(failure => new[] { failure.What, $"{failure.Hours:0.0}", $"{failure.Nodes}", $"{failure.GuildsMoved:#,0}", $"{failure.Fullest:0.00}" }));
        html.Append("<h2>Health</h2>");
        Table(html, HealthHeadings, HealthRows(result));
        File.WriteAllText(path, html.Append("</html>\n").ToString());
    }

    public static string[] HealthHeadings { get; } = ["window", "seconds", "failures", "missed", "noticed p50 ms", "p99", "max", "evictions", "false"];

    public static IEnumerable<string[]> HealthRows(SimulationResult result) => result.Health.Select(window => new[]
    {
        window.Window, $"{window.Seconds}", $"{window.Failures}", $"{window.Missed}", $"{window.DetectMs?.P50}", $"{window.DetectMs?.P99}", $"{window.DetectMs?.Max}",
        $"{window.Evictions}", $"{window.FalseEvictions}",
    });

    /// <summary>What a reader asks first: what, median, p99, most.</summary>
    public static IEnumerable<string[]> Numbers(SimulationResult result)
    {
        var (load, measured) = (result.Load, result.Measured);
        yield return ["utilisation by its mean, steady load", $"{load.Steady.P50:0.00}", $"{load.Steady.P99:0.000}", $"{load.Steady.Max:0.00}"];
        yield return ["the same, a day with failures", $"{load.Day.P50:0.00}", $"{load.Day.P99:0.000}", $"{load.Day.Max:0.00}"];
        yield return ["people in voice, at steady load", $"{load.PeakPeople:#,0}", "", ""];
        yield return ["guilds in voice, at steady load", $"{load.PeakGuilds:#,0}", "", ""];
        yield return ["placements in the day", $"{load.Placements:#,0}", "", ""];
        yield return ["guilds moved by failures in the day", $"{load.Moves:#,0}", "", ""];
        yield return ["times that a guild found no node", $"{load.Unplaced:#,0}", "", ""];
        yield return ["placements a second, one core", $"{measured.PlacementsPerSecond:#,0}", "", ""];
        yield return ["fleet with every guild placed", $"{measured.FleetBytes / 1e6:0} MB", "", ""];
        yield return ["false evictions", $"{result.FalseEvictions}", "", ""];
    }

    internal static IEnumerable<(string Name, Plot Plot)> Plots(SimulationResult result)
    {
        var samples = result.Load.Samples;
        var regions = Geography.Regions.Take(Math.Min(result.Regions, RegionsShown)).Select((region, number) => Line(region.Name, sample => 100 * sample.Utilisation[number]));
        yield return ("utilisation", new("Utilisation of regions over a day", "hours in Greenwich", "%", [.. regions]));
        yield return ("skew", new("Nodes' utilisation by their region's mean", "hours in Greenwich", "p99", [Line("p99", sample => sample.P99)], (1.15, "the bar at steady load")));
        yield return ("away", new("Guilds that are not in their region", "hours in Greenwich", "% of those in voice", [Line("away", sample => 100 * sample.Away)]));
        yield return ("moves", new("Guilds moved by failures", "hours in Greenwich", "since the day began", [Line("moves", sample => sample.Moves)]));
        var noticed = result.Health.Where(window => window.DetectMs is not null).Take(RegionsShown)
            .Select(window => new Series(window.Window, [.. window.DetectMs!.Quantiles.Select((at, i) => (at, 5.0 * i))]));
        yield return ("detection", new("From a failure until the guilds are taken away", "ms", "% of failures", [.. noticed]));

        Series Line(string name, Func<LoadSample, double> value) => new(name, [.. samples.Select(sample => (sample.Hours, value(sample)))]);
    }

    private static void Table(StringBuilder html, string[] headings, IEnumerable<string[]> rows)
    {
        html.Append("<table><tr>").AppendJoin("", headings.Select(heading => $"<th>{Text(heading)}</th>")).Append("</tr>");
        foreach (var row in rows) html.Append("<tr>").AppendJoin("", row.Select(cell => $"<td>{Text(cell)}</td>")).Append("</tr>");
        html.Append("</table>");
    }

    private static string Text(string text) => WebUtility.HtmlEncode(text);
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, WriteIndented = true)]
[JsonSerializable(typeof(SimulationResult))]
[JsonSerializable(typeof(AlternativesResult))]
internal sealed partial class SimulationJson : JsonSerializerContext;
