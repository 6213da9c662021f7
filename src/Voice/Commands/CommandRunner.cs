using System.CommandLine;
using Voice.Signaling;

namespace Voice.Commands;

/// <summary>Exit codes and signals, the same for every command: 0 done, 1 could not start or run, 2 wrong options.</summary>
internal static class CommandRunner
{
    public static async Task<int> RunAsync(RootCommand root, string[] args)
    {
        try
        {
            var parsed = root.Parse(args);
            if (parsed.Errors.Count > 0)
            {
                await Console.Error.WriteLineAsync($"voice: {OneLine(parsed.Errors[0].Message)} (voice {CommandPath(parsed)}--help lists the options)");
                return 2;
            }

            return await parsed.InvokeAsync(new InvocationConfiguration { EnableDefaultExceptionHandler = false, ProcessTerminationTimeout = null });
        }
        catch (StartupException e)
        {
            await Console.Error.WriteLineAsync("voice: " + OneLine(e.Message));
            return 1;
        }
        catch (SettingException e)
        {
            await Console.Error.WriteLineAsync("voice: " + OneLine(e.Message));
            return 2;
        }
    }

    /// <summary>Completes at SIGINT or SIGTERM, or when <paramref name="running"/> ends by itself.</summary>
    public static async Task UntilStopped(Task running)
    {
        using var signals = new StopSignals();
        await await Task.WhenAny(running, signals.First);
    }

    private static string CommandPath(ParseResult parsed) =>
        parsed.CommandResult.Command is RootCommand ? "" : parsed.CommandResult.Command.Name + " ";

    private static string OneLine(string text) => text.ReplaceLineEndings(" ");
}
