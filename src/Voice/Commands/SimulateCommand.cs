using System.CommandLine;
using System.Globalization;
using Spectre.Console;
using Voice.Load;
using Voice.Load.Simulation;

namespace Voice.Commands;

/// <summary>A fleet that does not fit here, on virtual time.</summary>
internal static class SimulateCommand
{
    public static Command Create()
    {
        var command = new Command("simulate", "Simulate a large fleet with the real allocator: load, failures, false alarms, and how fast failures are noticed.");
        var settings = new SimulationSettings(command);
        LoadView.SetAction(command, (parsed, cancel) =>
        {
            var options = settings.Read(parsed);
            return parsed.GetValue(settings.Alternatives) ?? false
                ? TryAlternatives(parsed, settings, options, cancel)
                : Simulate(parsed, settings, options, cancel);
        });
        return command;
    }

    private static async Task<int> Simulate(ParseResult parsed, SimulationSettings settings, SimulationOptions options, CancellationToken cancel)
    {
        var result = await LoadView.Show(progress => Simulation.RunAsync(options, progress, cancel), Line);
        Table(["", "", "p99", "max"], SimulationReport.Numbers(result));
        Table(SimulationReport.HealthHeadings, SimulationReport.HealthRows(result));
        if (parsed.GetValue(settings.Json) is { } json) SimulationReport.WriteJson(json, result);
        if (parsed.GetValue(settings.Html) is { } html) SimulationReport.WriteHtml(html, result, DateTimeOffset.UtcNow);
        if (parsed.GetValue(settings.Plots) is { } plots) SimulationReport.WritePlots(plots, result);
        return 0;
    }

    private static async Task<int> TryAlternatives(ParseResult parsed, SimulationSettings settings, SimulationOptions options, CancellationToken cancel)
    {
        var result = await LoadView.Show(progress => Task.Run(() => Alternatives.Run(options, progress, cancel), cancel), Line);
        Table(
            ["choices", "noise", "p99 by the mean", "max"],
            result.Placement.Select(one => new[] { Text(one.Choices), Text(one.Noise), one.Steady.P99.ToString("0.000", CultureInfo.InvariantCulture), Text(one.Steady.Max) }));
        Table(
            ["", "false, 20 % loss", "false, silences", "evictions of a flapping node", "killed p99 ms", "frozen p99", "grey p99", "packets/s"],
            result.Health.Select(one => new[]
            {
                one.What, Text(one.LossEvictions), Text(one.SilenceEvictions), Text(one.FlapEvictions), Text(one.KilledMs?.P99), Text(one.FrozenMs?.P99), Text(one.GreyMs?.P99),
                Text(one.Packets),
            }));
        if (parsed.GetValue(settings.Json) is { } json) SimulationReport.WriteJson(json, result);
        return 0;
    }

    private static string Text(double? value) => value?.ToString("0.##", CultureInfo.InvariantCulture) ?? "";

    private static void Table(string[] headings, IEnumerable<string[]> rows)
    {
        var table = LoadView.Table(headings);
        foreach (var row in rows) table.AddRow([.. row.Select(Markup.Escape)]);
        AnsiConsole.Write(table);
    }

    private static string Line(LoadProgress value) => string.Create(CultureInfo.InvariantCulture, $"{value.Name}: {value.Step} ({value.Done:0%})");
}

/// <summary>Options of the simulation.</summary>
internal sealed class SimulationSettings
{
    private readonly Option<bool?> quick;
    private readonly Option<int> nodes;
    private readonly Option<int> regions;
    private readonly Option<int> guilds;
    private readonly Option<int> gateways;
    private readonly Option<int> hours;
    private readonly Option<int> minutes;
    private readonly Option<int> seed;

    public SimulationSettings(Command command)
    {
        var settings = new Settings(command);
        quick = settings.Switch("quick", "a small fleet and a few hours: seconds instead of minutes");
        nodes = settings.Number("nodes", "voice nodes; 0: 10,000, or 400 of a quick one", 0, 0, 100_000);
        regions = settings.Number("regions", "regions that they are in; 0: 13, or 4", 0, 0, SimulationOptions.MostRegions);
        guilds = settings.Number("guilds", "guilds, of which more than half are in voice in the evening; 0: 1,000,000, or 40,000", 0, 0, 10_000_000);
        gateways = settings.Number("gateways", "gateways that vote", 3, 1, 9);
        hours = settings.Number("hours", "length of the day with failures; 0: 24, or 6", 0, 0, 7 * 24);
        minutes = settings.Number("loss-minutes", "length of the time with a fifth of the packets lost; 0: 10, or 1", 0, 0, 24 * 60);
        seed = settings.Number("seed", "the same seed gives the same result", 1, 0, 1_000_000);
        Alternatives = settings.Switch("alternatives", "try other thresholds instead, and show what they would do");
        Json = settings.OptionalText("json", "file to write the result to");
        Html = settings.OptionalText("html", "file to write a report to, with plots");
        Plots = settings.OptionalText("plots", "folder to write the plots to, as SVG");
    }

    public Option<bool?> Alternatives { get; }

    public Option<string?> Json { get; }

    public Option<string?> Html { get; }

    public Option<string?> Plots { get; }

    public SimulationOptions Read(ParseResult parsed)
    {
        var options = parsed.GetValue(quick) ?? false ? SimulationOptions.Quick : new SimulationOptions();
        return options with
        {
            Nodes = Or(nodes, options.Nodes),
            Regions = Or(regions, options.Regions),
            Guilds = Or(guilds, options.Guilds),
            Gateways = parsed.GetValue(gateways),
            Hours = Or(hours, options.Hours),
            LossMinutes = Or(minutes, options.LossMinutes),
            Seed = parsed.GetValue(seed),
        };

        int Or(Option<int> option, int usual) => parsed.GetValue(option) is > 0 and var given ? given : usual;
    }
}
