using System.CommandLine;
using Spectre.Console;
using Voice.Load;

namespace Voice.Commands;

/// <summary>What the bench, the drills and the simulation show alike: progress while they run, a table at the end, and one line where they cannot be run.</summary>
internal static class LoadView
{
    private const int WidthOfFiles = 160;

    /// <param name="run">Gives the exit code.</param>
    public static void SetAction(Command command, Func<ParseResult, CancellationToken, Task<int>> run) => command.SetAction(async (parsed, cancel) =>
    {
        try
        {
            return await run(parsed, cancel);
        }
        catch (LoadException e)
        {
            await Console.Error.WriteLineAsync($"voice: {e.Message}");
            return 1;
        }
        catch (OperationCanceledException) when (cancel.IsCancellationRequested)
        {
            return 1;
        }
    });

    /// <param name="line">What to print of it into a file or a pipe; null: nothing.</param>
    public static async Task<T> Show<T>(Func<IProgress<LoadProgress>, Task<T>> run, Func<LoadProgress, string?> line)
    {
        if (Console.IsOutputRedirected) return await run(new Lines(line));
        return await AnsiConsole.Progress().AutoRefresh(false).Columns(new TaskDescriptionColumn(), new ProgressBarColumn(), new ElapsedTimeColumn())
            .StartAsync(context => run(new Bars(context)));
    }

    /// <summary>Everything of a step but who of many has joined.</summary>
    public static string? Line(LoadProgress value) =>
        value.Step.EndsWith(" joined", StringComparison.Ordinal) ? null : $"{value.Name}: {value.Step}";

    /// <summary>Numbers to the right of what they are of.</summary>
    public static Table Table(params string[] headings)
    {
        if (Console.IsOutputRedirected) AnsiConsole.Profile.Width = WidthOfFiles;
        var table = new Table().Border(TableBorder.Simple);
        foreach (var heading in headings) table.AddColumn(new TableColumn(heading).RightAligned().NoWrap());
        table.Columns[0].LeftAligned();
        return table;
    }

    /// <summary>Of a result: what a reader must know.</summary>
    public static void Notes(string name, IEnumerable<string> notes)
    {
        foreach (var note in notes) AnsiConsole.MarkupLineInterpolated($"[yellow]{name}: {note}[/]");
    }

    /// <summary>0 leaves it to whoever is told.</summary>
    public static int? NotZero(int value) => value == 0 ? null : value;

    private sealed class Lines(Func<LoadProgress, string?> line) : IProgress<LoadProgress>
    {
        private string last = "";

        public void Report(LoadProgress value)
        {
            lock (this)
            {
                if (line(value) is { } next && next != last) Console.WriteLine(last = next);
            }
        }
    }

    private sealed class Bars(ProgressContext context) : IProgress<LoadProgress>
    {
        private readonly Dictionary<string, ProgressTask> tasks = [];

        public void Report(LoadProgress value)
        {
            lock (tasks)
            {
                if (!tasks.TryGetValue(value.Name, out var task)) tasks.Add(value.Name, task = context.AddTask(value.Name, maxValue: 1));
                task.Description = $"{value.Name}: {value.Step}";
                task.Value = value.Done;
                context.Refresh();
            }
        }
    }
}
