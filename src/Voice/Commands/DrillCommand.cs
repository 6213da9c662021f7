using System.CommandLine;
using System.Globalization;
using Spectre.Console;
using Voice.Load;
using Voice.Load.Drills;

namespace Voice.Commands;

/// <summary>Breaks a cluster of its own, and measures what people would have heard of it.</summary>
internal static class DrillCommand
{
    private const string All = "all";

    public static Command Create()
    {
        var command = new Command("drill", $"Start a cluster on this machine, break something, and measure what its clients hear of it: {string.Join(", ", Drill.Names)}; or {All}.");
        var names = new Argument<string[]>("drill") { Description = "what to break", Arity = ArgumentArity.OneOrMore };
        names.AcceptOnlyFromAmong([.. Drill.Names, All]);
        command.Arguments.Add(names);
        var settings = new DrillSettings(command);
        LoadView.SetAction(command, async (parsed, cancel) =>
        {
            var options = settings.Read(parsed);
            var named = parsed.GetRequiredValue(names);
            var results = await LoadView.Show(progress => RunAll(named.Contains(All) ? [.. Drill.Names] : named, options, progress, cancel), LoadView.Line);
            DrillView.Table(results);
            if (parsed.GetValue(settings.Json) is { } json) DrillFile.Write(json, results);
            if (parsed.GetValue(settings.Html) is { } html) DrillReport.Write(html, results, DateTimeOffset.UtcNow);
            return 0;
        });
        return command;
    }

    private static async Task<IReadOnlyList<DrillResult>> RunAll(string[] names, DrillOptions options, IProgress<LoadProgress> progress, CancellationToken cancel)
    {
        var results = new List<DrillResult>();
        foreach (var name in names) results.Add(await Drill.RunAsync(name, options, progress, cancel));
        return results;
    }
}

/// <summary>Options of the drills.</summary>
internal sealed class DrillSettings
{
    private readonly Option<int> guilds;
    private readonly Option<int> people;
    private readonly Option<int> webRtc;
    private readonly Option<int> nodes;
    private readonly Option<int> gateways;
    private readonly Option<int> seconds;
    private readonly Option<string?> logs;

    public DrillSettings(Command command)
    {
        var settings = new Settings(command);
        guilds = settings.Number("guilds", "guilds", 200, 1, 10_000);
        people = settings.Number("people", "people in each guild, of whom one talks", 5, 2, 1000);
        webRtc = settings.Number("webrtc-every", "one client in so many comes over WebRTC, the others as native clients do; 0: nobody", 5, 0, 1000);
        nodes = settings.Number("nodes", "voice nodes; 0: the drill's own, mostly five", 0, 0, 100);
        gateways = settings.Number("gateways", "gateways, which share a Redis if there are several; 0: the drill's own", 0, 0, 20);
        seconds = settings.Number("seconds", "seconds from the break on, at least, or that it lasts; 0: the drill's own", 0, 0, 86_400);
        logs = settings.OptionalText("logs", "folder to leave what the servers printed in");
        Json = settings.OptionalText("json", "file to write the result to");
        Html = settings.OptionalText("html", "file to write a report to, with a plot over time");
    }

    public Option<string?> Json { get; }

    public Option<string?> Html { get; }

    public DrillOptions Read(ParseResult parsed) => new()
    {
        VoiceCommand = MediaCommand.Program,
        Guilds = parsed.GetValue(guilds),
        People = parsed.GetValue(people),
        WebRtcEvery = parsed.GetValue(webRtc),
        Nodes = LoadView.NotZero(parsed.GetValue(nodes)),
        Gateways = LoadView.NotZero(parsed.GetValue(gateways)),
        Seconds = LoadView.NotZero(parsed.GetValue(seconds)),
        Logs = parsed.GetValue(logs),
    };
}

/// <summary>The table at the end.</summary>
internal static class DrillView
{
    private static readonly string[] Headings =
        ["drill", "clients", "guilds", "detected ms", "gap ms p50", "p99", "max", "sessions lost", "states lost", "double-served", "false evictions", "nonces reused"];

    public static void Table(IReadOnlyList<DrillResult> results)
    {
        var table = LoadView.Table(Headings);
        foreach (var result in results)
        {
            table.AddRow(
                result.Drill,
                Text(result.Clients),
                Text(result.Guilds),
                Text(result.DetectMs),
                Text(result.GapMs.P50),
                Text(result.GapMs.P99),
                Text(result.GapMs.Max),
                Text(result.SessionsLost),
                Text(result.VoiceStatesLost),
                Text(result.DoubleServedGuilds),
                Text(result.FalseEvictions),
                Text(result.NoncesReused));
        }

        AnsiConsole.Write(table);
        foreach (var result in results) LoadView.Notes(result.Drill, result.Details.Notes);
    }

    private static string Text(double? value) => value?.ToString("#,0.#", CultureInfo.InvariantCulture) ?? "";
}
