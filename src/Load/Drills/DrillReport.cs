using System.Globalization;
using System.Net;
using System.Text;
using Voice.Load.Results;

namespace Voice.Load.Drills;

/// <summary>Drills as one HTML page that needs nothing else.</summary>
public static class DrillReport
{
    private static readonly string[] Headings =
        ["drill", "clients", "guilds", "detected ms", "gap ms p50", "p99", "max", "sessions lost", "voice states lost", "double-served", "false evictions", "nonces reused"];

    public static void Write(string path, IReadOnlyList<DrillResult> results, DateTimeOffset when) => File.WriteAllText(path, Html(results, when));

    internal static string Html(IReadOnlyList<DrillResult> results, DateTimeOffset when)
    {
        var html = new StringBuilder("<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>Voice drills</title><style>").Append(Report.Style).Append("</style><h1>Voice drills</h1>");
        if (results.Count > 0)
        {
            var machine = results[0].Details.Machine;
            html.Append(CultureInfo.InvariantCulture, $"<p>{Text(machine.Cpu)}, {machine.Cores} cores, {Text(machine.Kernel)}, {Text(machine.Runtime)}. {when:yyyy-MM-dd HH:mm} UTC.</p>");
        }

        html.Append("<table><tr>").AppendJoin("", Headings.Select(heading => $"<th>{heading}</th>")).Append("</tr>");
        foreach (var result in results) html.Append("<tr>").AppendJoin("", Cells(result).Select(cell => $"<td>{Text(cell)}</td>")).Append("</tr>");
        html.Append("</table>");
        foreach (var result in results) Section(html, result);
        return html.Append("</html>\n").ToString();
    }

    private static string[] Cells(DrillResult result) =>
    [
        result.Drill, Number(result.Clients), Number(result.Guilds), Number(result.DetectMs), Number(result.GapMs.P50), Number(result.GapMs.P99), Number(result.GapMs.Max),
        Number(result.SessionsLost), Number(result.VoiceStatesLost), Number(result.DoubleServedGuilds), Number(result.FalseEvictions), Number(result.NoncesReused),
    ];

    private static void Section(StringBuilder html, DrillResult result)
    {
        var details = result.Details;
        html.Append(CultureInfo.InvariantCulture, $"<h2>{Text(result.Drill)}</h2><p>{details.Nodes} nodes, {details.Gateways} gateways, {details.Concerned} guilds concerned");
        if (details.MovedMs is { } moved) html.Append(CultureInfo.InvariantCulture, $"; the last client was told of its new server after {moved} ms");
        if (details.ClearMs is { } clear) html.Append(CultureInfo.InvariantCulture, $"; everybody heard again after {clear} ms");
        html.Append(".</p>");
        foreach (var note in details.Notes) html.Append(CultureInfo.InvariantCulture, $"<p class=\"note\">{Text(note)}</p>");
        html.Append("<div class=\"plots\">");
        foreach (var plot in Plots(details)) html.Append(plot.ToSvg());
        html.Append("</div>");
    }

    private static IEnumerable<Plot> Plots(DrillDetails details)
    {
        // The last second is not a whole one.
        var seconds = details.Timeline.SkipLast(1).ToArray();
        if (seconds.Length == 0) yield break;
        (double, string)[] marks = [.. details.Events.Select(mark => (mark.Second, mark.What))];
        yield return new("Packets heard", "seconds since the break", "packets a second", [new("heard", [.. seconds.Select(second => ((double)second.Second, (double)second.Heard))])])
        {
            Marks = marks,
            FirstX = seconds[0].Second,
        };
        yield return new("Listeners with a gap", "seconds since the break", "listeners", [new("silent", [.. seconds.Select(second => ((double)second.Second, (double)second.Silent))])])
        {
            Marks = marks,
            FirstX = seconds[0].Second,
        };
    }

    private static string Number(double? value) => value?.ToString("#,0.#", CultureInfo.InvariantCulture) ?? "";

    private static string Text(string text) => WebUtility.HtmlEncode(text);
}
