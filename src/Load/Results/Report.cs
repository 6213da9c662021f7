using System.Globalization;
using System.Net;
using System.Text;

namespace Voice.Load.Results;

/// <summary>Results as one HTML page that needs nothing else.</summary>
public static class Report
{
    internal const string Style = $$"""
        body{font:15px/1.5 system-ui,sans-serif;max-width:1100px;margin:2em auto;padding:0 1em;color:#1f2937;background:#fff}
        h1{font-size:1.5em}h2{font-size:1.15em;margin-top:2em}
        table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums}
        th,td{padding:.25em .6em;text-align:right;border-bottom:1px solid #e5e7eb}
        th:first-child,td:first-child{text-align:left}td{white-space:nowrap}th{font-weight:600}
        .plots{display:grid;grid-template-columns:repeat(auto-fit,minmax(440px,1fr));gap:1em}
        svg{width:100%;height:auto;{{Plot.Font}}}
        {{Plot.Style}}
        .note{color:#92400e}
        """;

    public static void Write(string path, IReadOnlyList<BenchResult> results, DateTimeOffset when) => File.WriteAllText(path, Html(results, when));

    internal static string Html(IReadOnlyList<BenchResult> results, DateTimeOffset when)
    {
        var html = new StringBuilder("<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>Voice bench</title><style>").Append(Style).Append("</style><h1>Voice bench</h1>");
        if (results.Count > 0)
        {
            var machine = results[0].Machine;
            html.Append(CultureInfo.InvariantCulture, $"<p>{Text(machine.Cpu)}, {machine.Cores} cores, {Text(machine.Kernel)}, {Text(machine.Runtime)}. {when:yyyy-MM-dd HH:mm} UTC.</p>");
        }

        Table(html, results);
        foreach (var result in results) Section(html, result);
        return html.Append("</html>\n").ToString();
    }

    private static void Table(StringBuilder html, IReadOnlyList<BenchResult> results)
    {
        html.Append("<table><tr>");
        foreach (var heading in (string[])["scenario", "people", "forwards/s", "µs/forward", "floor µs", "ratio", "loss", "delay p50 µs", "p99", "p99.9", "max", "KB/person", "B/packet", "joins/s"])
            html.Append(CultureInfo.InvariantCulture, $"<th>{heading}</th>");
        html.Append("</tr>");
        foreach (var result in results)
        {
            var delay = result.AddedDelayUs;
            Row(html, [
                result.Scenario, Number(result.Participants), Number(result.ForwardedPerSecond), Number(result.CpuUsPerForward, "0.00"), Number(result.FloorUsPerSend, "0.00"),
                Number(result.RatioToFloor, "0.00"), Number(result.LossRatio, "0.###%"), Number(delay?.P50), Number(delay?.P99), Number(delay?.P999), Number(delay?.Max),
                Number(result.BytesPerParticipant / 1024, "0.0"), Number(result.AllocatedBytesPerPacket, "0.0"), Number(result.JoinsPerSecond),
            ]);
            foreach (var peer in result.Peers)
            {
                Row(html, [
                    $"{result.Scenario}, {peer.Name}", Number(result.Participants), Number(peer.ForwardedPerSecond), Number(peer.CpuUsPerForward, "0.00"), "", $"{Number(peer.Ratio, "0.00")} × ours",
                    Number(peer.LossRatio, "0.###%"), "", "", "", "", Number(peer.BytesPerParticipant / 1024, "0.0"), "", "",
                ]);
            }
        }

        html.Append("</table>");
    }

    private static void Row(StringBuilder html, string[] cells) =>
        html.Append("<tr>").AppendJoin("", cells.Select(cell => $"<td>{Text(cell)}</td>")).Append("</tr>");

    private static void Section(StringBuilder html, BenchResult result)
    {
        var details = result.Details;
        html.Append(CultureInfo.InvariantCulture, $"<h2>{Text(result.Scenario)}</h2><p>{details.Transport}, payload {details.PayloadBytes} bytes{(details.FloorMethod is { } floor ? $", floor by {Text(floor)}" : "")}; ");
        var loss = details.Loss;
        html.Append(CultureInfo.InvariantCulture, $"{loss.Sent} packets sent, {loss.Received} of {loss.Expected} received. Lost: sender {loss.Sender}, server's socket {loss.ServerKernel}, listeners' sockets {loss.ReceiverKernel}, wrong {loss.Receiver}, not come by the end {loss.Missing}");
        foreach (var (reason, count) in loss.Server) html.Append(CultureInfo.InvariantCulture, $", {Text(reason)} {count}");
        html.Append(".</p>");
        foreach (var note in details.Notes) html.Append(CultureInfo.InvariantCulture, $"<p class=\"note\">{Text(note)}</p>");
        html.Append("<div class=\"plots\">");
        foreach (var plot in Plots(result)) html.Append(plot.ToSvg());
        html.Append("</div>");
    }

    private static IEnumerable<Plot> Plots(BenchResult result)
    {
        var samples = result.Details.Samples;
        var steps = result.Details.Steps.Where(step => step.Fault is null).ToArray(); // others say nothing of the server
        if (result.AddedDelayUs is { } delay)
        {
            yield return new($"Added delay by percentile{(steps.Length > 0 ? ", at half of saturation" : "")}", "nines of the percentile (2 is 99 %)", "µs", [Percentile("media process", delay), .. Optional("end to end", steps.Length > 0 ? null : result.Details.EndToEndUs)], Logarithmic: true);
        }

        if (steps.Length > 0)
        {
            yield return new("CPU for a packet", "packets forwarded a second", "µs", [Step("µs a forward", step => step.CpuUsPerForward)], result.FloorUsPerSend is { } floor ? (floor, "floor") : null);
            yield return new("Saturation", "packets forwarded a second", "added delay, µs", [
                Step("p50", step => step.AddedDelayUs?.P50), Step("p99", step => step.AddedDelayUs?.P99), Step("p99.9", step => step.AddedDelayUs?.P999)], (20_000, "20 ms"), Logarithmic: true);
            yield return new("Loss", "packets forwarded a second", "%", [Step("loss", step => 100 * step.LossRatio)], (0.1, "0.1 %"));
            yield return new("Packets at a wake-up", "packets forwarded a second", "packets", [Step("mean", step => step.BatchMean)]);
        }

        if (samples.Count > 0)
        {
            yield return new("Memory", "seconds", "MB", [Sample("resident", sample => sample.RssBytes / 1e6)]);
            yield return new("Collections", "seconds", "since the start", [Sum("gen 0", sample => sample.Gen0), Sum("gen 1", sample => sample.Gen1), Sum("gen 2", sample => sample.Gen2)]);
            yield return new("Loss", "seconds", "%", [Sample("loss", sample => 100 * sample.LossRatio)]);
            yield return new("Added delay", "seconds", "µs", [
                Sample("p50", sample => sample.AddedDelayUs?.P50), Sample("p99", sample => sample.AddedDelayUs?.P99), Sample("p99.9", sample => sample.AddedDelayUs?.P999)], Logarithmic: true);
            yield return new("CPU for a packet", "seconds", "µs", [Sample("µs a forward", sample => sample.CpuUsPerForward)]);
        }

        Series Step(string name, Func<LoadStep, double?> value) => new(name, [.. steps.Where(step => value(step) is not null).Select(step => (step.ForwardedPerSecond, value(step)!.Value))]);
        Series Sample(string name, Func<SoakSample, double?> value) => new(name, [.. samples.Where(sample => value(sample) is not null).Select(sample => (sample.Seconds, value(sample)!.Value))]);
        Series Sum(string name, Func<SoakSample, int> value)
        {
            var sum = 0;
            return new(name, [.. samples.Select(sample => (sample.Seconds, (double)(sum += value(sample))))]);
        }
    }

    private static Series Percentile(string name, Percentiles delay) => new(name, [(0.3, delay.P50), (2, delay.P99), (3, delay.P999)]);

    private static IEnumerable<Series> Optional(string name, Percentiles? delay) => delay is null ? [] : [Percentile(name, delay)];

    private static string Number(double? value, string format = "#,0") => value?.ToString(format, CultureInfo.InvariantCulture) ?? "";

    private static string Text(string text) => WebUtility.HtmlEncode(text);
}
