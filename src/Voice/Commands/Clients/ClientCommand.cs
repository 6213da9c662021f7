using System.CommandLine;
using Voice.Client;

namespace Voice.Commands.Clients;

/// <summary>What the commands that join voice have in common: they end at Ctrl-C as if they were done, and say in one line what went wrong.</summary>
internal static class ClientCommand
{
    /// <param name="run">Returns the exit code. Cancelled at SIGINT and SIGTERM: it then ends in order, and its result counts.</param>
    public static void SetRun(this Command command, Func<ParseResult, CancellationToken, Task<int>> run) =>
        command.SetAction(async (parsed, _) =>
        {
            using var stop = new CancellationTokenSource();
            var running = run(parsed, stop.Token);
            try
            {
                await CommandRunner.UntilStopped(running);
                await stop.CancelAsync();
                return await running;
            }
            catch (OperationCanceledException) when (stop.IsCancellationRequested)
            {
                return 0; // stopped before there was anything to end
            }
            catch (Exception e) when (e is ClientException or GatewayClosedException or VoiceClosedException or OpusFileException or IOException or UnauthorizedAccessException)
            {
                await Error(e.Message);
                return 1;
            }
        });

    /// <summary>One line on standard error.</summary>
    public static Task Error(string message) => Console.Error.WriteLineAsync("voice: " + message.ReplaceLineEndings(" "));
}
