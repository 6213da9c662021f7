using System.Collections.Concurrent;
using System.Diagnostics;
using Voice.EndToEnd.Harness;

namespace Voice.EndToEnd.Client;

/// <summary>A run of the `voice` command that is not a server.</summary>
internal sealed class VoiceCommand : IAsyncDisposable
{
    private static readonly TimeSpan SayTimeout = TimeSpan.FromSeconds(20);

    private readonly Process process;
    private readonly ConcurrentQueue<string> output = new();
    private readonly ConcurrentQueue<string> errors = new();

    private VoiceCommand(Process process)
    {
        this.process = process;
        process.OutputDataReceived += (_, line) => Take(output, line.Data);
        process.ErrorDataReceived += (_, line) => Take(errors, line.Data);
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
    }

    public IReadOnlyCollection<string> Errors => errors;

    public static VoiceCommand Start(string directory, params string[] arguments) => new(Process.Start(
        new ProcessStartInfo(Path.Combine(AppContext.BaseDirectory, "voice"), arguments)
        {
            WorkingDirectory = directory,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        }) ?? throw new InvalidOperationException("voice did not start"));

    /// <summary>Waits for a line of output that holds this.</summary>
    public async Task Says(string text)
    {
        try
        {
            await Poll.Until(() => output.Any(line => line.Contains(text, StringComparison.Ordinal)), $"'{text}'", SayTimeout);
        }
        catch (TimeoutException e)
        {
            throw new TimeoutException($"{e.Message} It said:\n{string.Join('\n', output)}\n{string.Join('\n', errors)}", e);
        }
    }

    /// <summary>Ctrl-C.</summary>
    public void Interrupt()
    {
        using var kill = Process.Start("kill", ["-INT", process.Id.ToString(System.Globalization.CultureInfo.InvariantCulture)]);
        kill.WaitForExit();
    }

    public async Task<int> Exit(CancellationToken cancel)
    {
        await process.WaitForExitAsync(cancel);
        return process.ExitCode;
    }

    public async ValueTask DisposeAsync()
    {
        if (!process.HasExited) process.Kill();
        await process.WaitForExitAsync();
        process.Dispose();
    }

    private static void Take(ConcurrentQueue<string> lines, string? line)
    {
        if (line is not null) lines.Enqueue(line);
    }
}
