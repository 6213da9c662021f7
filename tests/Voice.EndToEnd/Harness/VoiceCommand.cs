using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Xunit;

namespace Voice.EndToEnd.Harness;

/// <summary>A run of the `voice` command that is not a server.</summary>
internal sealed class VoiceCommand : IAsyncDisposable
{
    private static readonly TimeSpan SayTimeout = TimeSpan.FromSeconds(20);
    private static readonly TimeSpan EndTimeout = TimeSpan.FromSeconds(10);

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

    /// <summary>Runs one that measures, to its end, and reads its JSON; beside it, it must write a page.</summary>
    public static async Task<JsonElement> Measure(CancellationToken cancel, params string[] arguments)
    {
        using var folder = new TempDirectory();
        await using var command = Start(folder.Path, [.. arguments, "--json", "result.json", "--html", "result.html"]);
        Assert.True(await command.Exit(cancel) == 0, command.Said);
        Assert.StartsWith("<!doctype html>", await File.ReadAllTextAsync(Path.Combine(folder.Path, "result.html"), cancel), StringComparison.Ordinal);
        using var document = JsonDocument.Parse(await File.ReadAllBytesAsync(Path.Combine(folder.Path, "result.json"), cancel));
        return document.RootElement.Clone();
    }

    /// <summary>SIGINT ends it even where a shell ignores that one for its background jobs, such as a test run.</summary>
    public static VoiceCommand Start(string directory, params string[] arguments) => new(Process.Start(
        new ProcessStartInfo("env", ["--default-signal=INT", Path.Combine(AppContext.BaseDirectory, "voice"), .. arguments])
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
            throw new TimeoutException($"{e.Message} It said:\n{Said}", e);
        }
    }

    /// <summary>Ctrl-C.</summary>
    public void Interrupt()
    {
        using var kill = Process.Start("kill", ["-INT", process.Id.ToString(CultureInfo.InvariantCulture)]);
        kill.WaitForExit();
    }

    public async Task<int> Exit(CancellationToken cancel)
    {
        await process.WaitForExitAsync(cancel);
        return process.ExitCode;
    }

    /// <summary>Ends what it started, too, if it is asked to in time.</summary>
    public async ValueTask DisposeAsync()
    {
        if (!process.HasExited) Interrupt();
        await Task.WhenAny(process.WaitForExitAsync(), Task.Delay(EndTimeout));
        if (!process.HasExited) process.Kill();
        await process.WaitForExitAsync();
        process.Dispose();
    }

    private string Said => string.Join('\n', [.. output, .. errors]);

    private static void Take(ConcurrentQueue<string> lines, string? line)
    {
        if (line is not null) lines.Enqueue(line);
    }
}
