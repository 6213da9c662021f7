using System.CommandLine;
using System.Globalization;
using Spectre.Console;
using Voice.Load;
using Voice.Load.Results;
using Voice.Load.Server;

namespace Voice.Commands;

/// <summary>Measures a media process of its own with our load generator.</summary>
internal static class BenchCommand
{
    public static Command Create()
    {
        var command = new Command("bench", $"Measure the media process on this machine: {string.Join(", ", Bench.Scenarios)}; all of them if none is named.");
        var names = new Argument<string[]>("scenario") { Description = "what to run", Arity = ArgumentArity.ZeroOrMore };
        names.AcceptOnlyFromAmong([.. Bench.Scenarios]);
        command.Arguments.Add(names);
        var settings = new BenchSettings(command);
        LoadView.SetAction(command, async (parsed, cancel) =>
        {
            var options = settings.Read(parsed);
            var scenarios = parsed.GetValue(names) is { Length: > 0 } named ? named : [.. Bench.Scenarios];
            var results = await LoadView.Show(progress => RunAll(scenarios, options, progress, cancel), LoadView.Line);
            BenchView.Table(results);
            if (parsed.GetValue(settings.Json) is { } json) ResultFile.Write(json, results);
            if (parsed.GetValue(settings.Html) is { } html) Report.Write(html, results, DateTimeOffset.UtcNow);
            return 0;
        });
        return command;
    }

    private static async Task<IReadOnlyList<BenchResult>> RunAll(
        string[] scenarios, BenchOptions options, IProgress<LoadProgress> progress, CancellationToken cancel)
    {
        var results = new List<BenchResult>();
        foreach (var scenario in scenarios) results.AddRange(await Bench.RunAsync(scenario, options, progress, cancel));
        return results;
    }
}

/// <summary>Options of the bench.</summary>
internal sealed class BenchSettings
{
    private const int LeastPayload = 20;
    private const int MostPayload = 1200;

    private readonly Option<LoadTransport> transport;
    private readonly Option<string> payload;
    private readonly Option<bool?> speech;
    private readonly Option<bool?> quick;
    private readonly Option<int> runs;
    private readonly Option<int> seconds;
    private readonly Option<int> workers;
    private readonly Option<int> listeners;
    private readonly Option<int> microphones;
    private readonly Option<int> loudest;
    private readonly Option<int> joins;
    private readonly Option<int> participants;
    private readonly Option<int> minutes;
    private readonly Option<string?> against;

    public BenchSettings(Command command)
    {
        var settings = new Settings(command);
        transport = settings.Choice("transport", "how media goes", LoadTransport.WebRtc, new() { ["webrtc"] = LoadTransport.WebRtc, ["udp"] = LoadTransport.Udp });
        payload = settings.Text("payload", "bytes of each Opus packet, or ogg: the sample file's own frames", "100");
        speech = settings.Switch("speech", "people speak and pause, instead of talking all the time");
        quick = settings.Switch("quick", "a few seconds each and few people: shows that it counts right, not how fast it is");
        runs = settings.Number("runs", "runs to take medians of; 0: three for saturate and stage, else one", 0, 0, 100);
        seconds = settings.Number("seconds", "seconds to measure; 0: the scenario's own", 0, 0, 86_400);
        workers = settings.Number("workers", "workers of the media process, each on a core", 1, 1, 64);
        listeners = settings.Number("listeners", "listeners of the stage", 100, 1, 15_000);
        microphones = settings.Number("microphones", "open microphones in the room of loudest", 50, 2, 1000);
        loudest = settings.Number("loudest", "who are heard at a time of them", 5, 1, 100);
        joins = settings.Number("joins", "clients that join at once in the storm", 1000, 1, 15_000);
        participants = settings.Number("participants", "people in the soak, and the most that saturate adds; 0: the scenario's own", 0, 0, 15_000);
        minutes = settings.Number("minutes", "minutes that the soak lasts", 10, 1, 7 * 24 * 60);
        against = settings.OptionalText("against", "another server to run the same against, in the same call: janus, mediasoup, or the file of a driver");
        Json = settings.OptionalText("json", "file to write the results to");
        Html = settings.OptionalText("html", "file to write a report to, with plots");
    }

    public Option<string?> Json { get; }

    public Option<string?> Html { get; }

    public BenchOptions Read(ParseResult parsed) => new()
    {
        MediaCommand = MediaCommand.CommandLine,
        Transport = parsed.GetValue(transport),
        PayloadBytes = Payload(parsed.GetRequiredValue(payload)),
        Speech = parsed.GetValue(speech) ?? false,
        Quick = parsed.GetValue(quick) ?? false,
        Runs = LoadView.NotZero(parsed.GetValue(runs)),
        Seconds = LoadView.NotZero(parsed.GetValue(seconds)),
        Workers = parsed.GetValue(workers),
        Listeners = parsed.GetValue(listeners),
        Microphones = parsed.GetValue(microphones),
        Loudest = parsed.GetValue(loudest),
        Joins = parsed.GetValue(joins),
        Participants = LoadView.NotZero(parsed.GetValue(participants)),
        Minutes = parsed.GetValue(minutes),
        Against = parsed.GetValue(against),
    };

    private static int? Payload(string text) => text == "ogg" ? null
        : int.TryParse(text, out var bytes) && bytes is >= LeastPayload and <= MostPayload ? bytes
        : throw new SettingException($"--payload is '{text}', and must be ogg or a number from {LeastPayload} to {MostPayload}");
}

/// <summary>The table at the end.</summary>
internal static class BenchView
{
    private static readonly string[] Headings =
    [
        "scenario", "people", "forwards/s", "µs/forward", "floor µs", "ratio", "loss", "delay µs p50", "p99", "p99.9", "max", "B/person", "B/packet", "joins/s",
    ];

    public static void Table(IReadOnlyList<BenchResult> results)
    {
        var table = LoadView.Table(Headings);
        foreach (var result in results)
        {
            var delay = result.AddedDelayUs;
            table.AddRow(
                result.Scenario,
                Number(result.Participants),
                Number(result.ForwardedPerSecond),
                Text("0.00", result.CpuUsPerForward),
                Text("0.00", result.FloorUsPerSend),
                Text("0.00", result.RatioToFloor),
                Text("0.###%", result.LossRatio),
                Text("0", delay?.P50),
                Text("0", delay?.P99),
                Text("0", delay?.P999),
                Text("0", delay?.Max),
                Number(result.BytesPerParticipant),
                Text("0.0", result.AllocatedBytesPerPacket),
                Text("0", result.JoinsPerSecond));
            foreach (var peer in result.Peers)
            {
                table.AddRow(
                    $"  {peer.Name}", "", Number(peer.ForwardedPerSecond), Text("0.00", peer.CpuUsPerForward), "", Text("0.0 × ours", peer.Ratio), Text("0.###%", peer.LossRatio),
                    "", "", "", "", Number(peer.BytesPerParticipant), "", "");
            }
        }

        AnsiConsole.Write(table);
        foreach (var result in results)
        {
            LoadView.Notes(result.Scenario, result.Details.Notes);
            if (result.Details.Loudest is { } loudest)
                AnsiConsole.MarkupLineInterpolated($"{result.Scenario}: {loudest.Starts} starts of speech, clipped {Milliseconds(loudest.ClippedMs)}; at most {loudest.StreamsMax} streams to a listener");
            var loss = result.Details.Loss;
            if (loss.Expected == loss.Received) continue;
            AnsiConsole.MarkupLineInterpolated(
                $"{result.Scenario}: of {loss.Expected} expected {loss.Received} came; lost by the sender {loss.Sender}, in the server's socket {loss.ServerKernel}, in the server {Reasons(loss)}, in listeners' sockets {loss.ReceiverKernel}, wrong {loss.Receiver}, not come by the end {loss.Missing}");
        }
    }

    private static string Milliseconds(Percentiles? times) => times is null ? "-" : string.Create(CultureInfo.InvariantCulture, $"p50 {times.P50:0} ms, p99 {times.P99:0} ms, max {times.Max:0} ms");

    private static string Reasons(Loss loss) => loss.Server.Count == 0 ? "0" : string.Join(", ", loss.Server.Select(drop => $"{drop.Key} {drop.Value}"));

    private static string Text(string format, double? value) => value?.ToString(format, CultureInfo.InvariantCulture) ?? "";

    private static string Number(double value) => value.ToString("#,0", CultureInfo.InvariantCulture);
}
