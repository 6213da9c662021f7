using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;

namespace Voice.EndToEnd.Harness;

/// <summary>The built `voice` command, run as a process of its own, as a person would run it.</summary>
public sealed partial class VoiceProcess : IAsyncDisposable
{
    private static readonly TimeSpan StartTimeout = TimeSpan.FromSeconds(30);

    private readonly Process process;
    private readonly List<string> log = [];

    private VoiceProcess(Process process, Uri address)
    {
        this.process = process;
        Address = address;
    }

    /// <summary>Where the page is.</summary>
    public Uri Address { get; private set; }

    /// <summary>Of a gateway: the port that nodes dial.</summary>
    public int LinkPort { get; private set; }

    public int Id => process.Id;

    public bool HasExited => process.HasExited;

    /// <summary>The last it printed, for a failed test's message.</summary>
    public string Log
    {
        get
        {
            lock (log) return string.Join('\n', log.TakeLast(40));
        }
    }

    /// <summary>`voice up` on free ports; returns when it answers.</summary>
    /// <param name="options">More of the command's options, e.g. "--bind", "::1".</param>
    public static Task<VoiceProcess> Up(string dataDirectory, params string[] options) =>
        Start("Voice is up: ", "up", ["--data", dataDirectory, .. FreePorts(options, "--port", "--link-port", "--node-port", "--media-port"), .. options]);

    /// <summary>`voice gateway` on free ports.</summary>
    public static Task<VoiceProcess> Gateway(string dataDirectory, params string[] options) =>
        Start("The gateway is up: ", "gateway", ["--data", dataDirectory, .. FreePorts(options, "--port", "--link-port"), .. options]);

    /// <summary>`voice node` on free ports, dialling the gateway's link port.</summary>
    public static Task<VoiceProcess> Node(string id, string dataDirectory, int linkPort, params string[] options) =>
        Node(id, dataDirectory, [linkPort], options);

    /// <inheritdoc cref="Node(string, string, int, string[])"/>
    public static Task<VoiceProcess> Node(string id, string dataDirectory, int[] linkPorts, params string[] options) =>
        Start($"Node {id} is up: ", "node", [
            "--id", id, "--data", dataDirectory, "--gateway", string.Join(',', linkPorts.Select(port => $"127.0.0.1:{port}")), .. FreePorts(options, "--port", "--media-port"), .. options]);

    private static IEnumerable<string> FreePorts(string[] options, params string[] names) =>
        names.Except(options).SelectMany(name => (string[])[name, "0"]);

    private static async Task<VoiceProcess> Start(string announcement, string command, string[] arguments)
    {
        var start = new ProcessStartInfo(Path.Combine(AppContext.BaseDirectory, "voice"), [command, .. arguments])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        var process = Process.Start(start) ?? throw new InvalidOperationException("voice did not start");
        var voice = new VoiceProcess(process, new Uri("about:blank"));
        var address = new TaskCompletionSource<Uri>(TaskCreationOptions.RunContinuationsAsynchronously);
        process.OutputDataReceived += (_, line) => voice.Take(line.Data, announcement, address);
        process.ErrorDataReceived += (_, line) => voice.Take(line.Data, announcement, address);
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        _ = process.WaitForExitAsync().ContinueWith(
            _ => address.TrySetException(new InvalidOperationException($"voice ended at once:\n{voice.Log}")), TaskScheduler.Default);
        try
        {
            voice.Address = await address.Task.WaitAsync(StartTimeout);
            await voice.Healthy();
        }
        catch (Exception e)
        {
            await voice.DisposeAsync();
            throw new InvalidOperationException($"voice did not come up:\n{voice.Log}", e);
        }

        return voice;
    }

    /// <summary>SIGKILL to this process alone, as when the machine's memory runs out; its children must notice by themselves.</summary>
    public void Kill() => process.Kill(entireProcessTree: false);

    /// <summary>SIGTERM, as an operator or a service manager sends it.</summary>
    public void Terminate() => Signal("-TERM");

    /// <summary>SIGSTOP to this process alone.</summary>
    public void Freeze() => Signal("-STOP");

    /// <summary>The exit code, once there is one.</summary>
    public async Task<int> Exited()
    {
        await process.WaitForExitAsync();
        return process.ExitCode;
    }

    /// <summary>Ids of the processes that this one started.</summary>
    public int[] Children() =>
        [.. Directory.EnumerateDirectories("/proc").Select(Path.GetFileName)
            .Where(name => int.TryParse(name, CultureInfo.InvariantCulture, out _) && ParentOf(name!) == Id)
            .Select(name => int.Parse(name!, CultureInfo.InvariantCulture))];

    /// <summary>SIGKILL to the media process that serves.</summary>
    public void KillMedia()
    {
        using var media = Process.GetProcessById(ServingMedia());
        media.Kill();
    }

    /// <summary>Of the media processes that this one started, the one that is there the longest; the others wait.</summary>
    public int ServingMedia() => Children().MinBy(id =>
    {
        using var child = Process.GetProcessById(id);
        return child.StartTime;
    });

    public static bool IsRunning(int processId) => Directory.Exists($"/proc/{processId}") && StateOf(processId) is not ('Z' or 'X');

    public async ValueTask DisposeAsync()
    {
        if (!process.HasExited)
        {
            var children = Children();
            process.Kill(entireProcessTree: false);
            await process.WaitForExitAsync();
            await Poll.Until(() => !children.Any(IsRunning), "the children of voice to end with it", TimeSpan.FromSeconds(10));
        }

        process.Dispose();
    }

    private void Take(string? line, string announcement, TaskCompletionSource<Uri> address)
    {
        if (line is null) return;
        lock (log) log.Add(line);
        if (DialledPort().Match(line) is { Success: true } dialled) LinkPort = int.Parse(dialled.Groups[1].Value, CultureInfo.InvariantCulture);
        var at = line.IndexOf(announcement, StringComparison.Ordinal);
        if (at >= 0) address.TrySetResult(new Uri(line[(at + announcement.Length)..].Trim()));
    }

    private void Signal(string which)
    {
        using var kill = Process.Start("kill", [which, Id.ToString(CultureInfo.InvariantCulture)]);
        kill.WaitForExit();
    }

    private async Task Healthy()
    {
        using var handler = new HttpClientHandler { ServerCertificateCustomValidationCallback = HttpClientHandler.DangerousAcceptAnyServerCertificateValidator };
        using var http = new HttpClient(handler);
        await Poll.Until(
            async () =>
            {
                try
                {
                    return (await http.GetAsync(new Uri(Address, "healthz"))).IsSuccessStatusCode;
                }
                catch (HttpRequestException)
                {
                    return false;
                }
            },
            "GET /healthz to answer 200",
            StartTimeout);
    }

    private static int ParentOf(string processId) => Stat(processId) is [_, var parent, ..] ? int.Parse(parent, CultureInfo.InvariantCulture) : 0;

    private static char StateOf(int processId) => Stat(processId.ToString(CultureInfo.InvariantCulture)) is [var state, ..] ? state[0] : 'X';

    /// <summary>Fields of /proc/PID/stat after the command name, which may hold spaces: state, parent, ...</summary>
    private static string[] Stat(string processId)
    {
        try
        {
            var text = File.ReadAllText($"/proc/{processId}/stat");
            return text[(text.LastIndexOf(')') + 2)..].Split(' ');
        }
        catch (IOException)
        {
            return []; // it ended meanwhile
        }
    }

    [GeneratedRegex("Voice nodes dial port ([0-9]+)")]
    private static partial Regex DialledPort();
}
