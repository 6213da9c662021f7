using System.Diagnostics;
using System.Globalization;
using Voice.Load.Linux;

namespace Voice.Load.Drills.Servers;

/// <summary>A process that the drill started, and whoever it starts itself.</summary>
internal sealed class ServerProcess : IAsyncDisposable
{
    private static readonly TimeSpan StartTimeout = TimeSpan.FromSeconds(60);

    private readonly Process process;
    private readonly StreamWriter log;
    private readonly List<(string Sign, TaskCompletionSource<string> Seen)> signs = [];

    private ServerProcess(Process process, string name, StreamWriter log) => (this.process, Name, this.log) = (process, name, log);

    public string Name { get; }

    public int Id => process.Id;

    public bool HasEnded => process.HasExited;

    public int ExitCode => process.ExitCode;

    /// <summary>Starts it and waits until it has printed all these signs; returns what stands behind each.</summary>
    /// <param name="log">File that gets what it prints.</param>
    /// <exception cref="LoadException">It does not start.</exception>
    public static async Task<(ServerProcess Server, string[] Said)> Start(string name, string[] command, string log, string[] signs, CancellationToken cancel)
    {
        var start = new ProcessStartInfo(command[0], command[1..]) { RedirectStandardOutput = true, RedirectStandardError = true, RedirectStandardInput = true };
        Process process;
        try
        {
            process = Process.Start(start)!;
        }
        catch (System.ComponentModel.Win32Exception e)
        {
            throw new LoadException($"{command[0]} cannot be started ({e.Message})", e);
        }

        var server = new ServerProcess(process, name, new StreamWriter(log, append: true) { AutoFlush = true });
        foreach (var sign in signs) server.signs.Add((sign, new(TaskCreationOptions.RunContinuationsAsynchronously)));
        process.OutputDataReceived += (_, line) => server.Take(line.Data);
        process.ErrorDataReceived += (_, line) => server.Take(line.Data);
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        try
        {
            var said = Task.WhenAll(server.signs.Select(sign => sign.Seen.Task));
            var ended = process.WaitForExitAsync(cancel);
            if (await Task.WhenAny(said, ended).WaitAsync(StartTimeout, cancel) == ended) throw new LoadException($"{name} ended as it started: {Tail(log)}");
            return (server, await said);
        }
        catch (TimeoutException e)
        {
            await server.DisposeAsync();
            throw new LoadException($"{name} does not start: {Tail(log)}", e);
        }
        catch
        {
            await server.DisposeAsync();
            throw;
        }
    }

    /// <summary>Processes that it started, and that live.</summary>
    public int[] Children() =>
        [.. Directory.EnumerateDirectories("/proc").Select(Path.GetFileName).Where(name => int.TryParse(name, CultureInfo.InvariantCulture, out _))
            .Select(name => int.Parse(name!, CultureInfo.InvariantCulture)).Where(id => ParentOf(id) == Id)];

    public void Signal(int signal) => Libc.Signal(Id, signal);

    /// <summary>To it and to its children, it first.</summary>
    public void SignalAll(int signal)
    {
        var children = Children();
        Libc.Signal(Id, signal);
        foreach (var child in children) Libc.Signal(child, signal);
    }

    public Task Ended(CancellationToken cancel) => process.WaitForExitAsync(cancel);

    public async ValueTask DisposeAsync()
    {
        if (!process.HasExited)
        {
            SignalAll(Libc.Kill);
            await process.WaitForExitAsync();
        }

        process.Dispose();
        lock (log) log.Dispose();
    }

    private void Take(string? line)
    {
        if (line is null) return;
        lock (log)
        {
            if (log.BaseStream is { CanWrite: true }) log.WriteLine(FormattableString.Invariant($"{DateTime.UtcNow:HH:mm:ss.fff} {line}"));
        }

        foreach (var (sign, seen) in signs)
        {
            var at = line.IndexOf(sign, StringComparison.Ordinal);
            if (at >= 0) seen.TrySetResult(line[(at + sign.Length)..].Trim());
        }
    }

    private static string Tail(string log) => string.Join(" / ", File.ReadLines(log).TakeLast(3));

    private static int ParentOf(int process)
    {
        try
        {
            var stat = File.ReadAllText($"/proc/{process}/stat");
            var fields = stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
            return fields[0] is "Z" or "X" ? 0 : int.Parse(fields[1], CultureInfo.InvariantCulture);
        }
        catch (IOException)
        {
            return 0; // it ended meanwhile
        }
    }
}
