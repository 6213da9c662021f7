using System.Diagnostics;
using System.Net.WebSockets;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Voice.EndToEnd.Harness;

/// <summary>Headless Firefox, driven by WebDriver BiDi (https://w3c.github.io/webdriver-bidi/): one page, and scripts in it.</summary>
public sealed class FirefoxBidi : IAsyncDisposable
{
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(60);

    private readonly Process process;
    private readonly TempDirectory profile;
    private readonly ClientWebSocket socket = new();
    private readonly SemaphoreSlim one = new(1);
    private string page = "";
    private int lastId;

    private FirefoxBidi(Process process, TempDirectory profile)
    {
        this.process = process;
        this.profile = profile;
    }

    /// <param name="microphone">Hz of the tone that its stand-in for a microphone gives. Without a microphone in use Firefox tells
    /// its default address only, and gets no connection over loopback.</param>
    public static async Task<FirefoxBidi> Start(int microphone)
    {
        var profile = new TempDirectory();
        await File.WriteAllTextAsync(Path.Combine(profile.Path, "user.js"), $"""
            user_pref("media.peerconnection.ice.loopback", true);
            user_pref("media.navigator.permission.disabled", true);
            user_pref("permissions.default.microphone", 1);
            user_pref("media.navigator.streams.fake", true);
            user_pref("media.navigator.audio.fake_frequency", {microphone});
            user_pref("media.autoplay.default", 0);
            user_pref("media.autoplay.blocking_policy", 0);
            user_pref("browser.shell.checkDefaultBrowser", false);
            user_pref("datareporting.policy.dataSubmissionEnabled", false);
            user_pref("app.update.enabled", false);
            user_pref("network.captive-portal-service.enabled", false);
            user_pref("network.connectivity-service.enabled", false);
            user_pref("media.gmp-manager.updateEnabled", false);
            """);
        var process = Process.Start(new ProcessStartInfo(
            "/usr/bin/firefox-esr", ["--headless", "--no-remote", "--profile", profile.Path, "--remote-debugging-port", "0"])
        {
            RedirectStandardError = true,
            RedirectStandardOutput = true,
        }) ?? throw new InvalidOperationException("Firefox did not start");
        var firefox = new FirefoxBidi(process, profile);
        var address = new TaskCompletionSource<string>(TaskCreationOptions.RunContinuationsAsynchronously);
        process.ErrorDataReceived += (_, line) =>
        {
            const string announcement = "WebDriver BiDi listening on ";
            var at = line.Data?.IndexOf(announcement, StringComparison.Ordinal) ?? -1;
            if (at >= 0) address.TrySetResult(line.Data![(at + announcement.Length)..]);
        };
        process.BeginErrorReadLine();
        process.BeginOutputReadLine();
        try
        {
            await firefox.socket.ConnectAsync(new Uri($"{await address.Task.WaitAsync(Timeout)}/session"), CancellationToken.None);
            await firefox.Command("session.new", new JsonObject { ["capabilities"] = new JsonObject() });
            firefox.page = (string)(await firefox.Command("browsingContext.create", new JsonObject { ["type"] = "tab" }))["context"]!;
        }
        catch
        {
            await firefox.DisposeAsync();
            throw;
        }

        return firefox;
    }

    public Task Navigate(Uri address) => Command(
        "browsingContext.navigate", new JsonObject { ["context"] = page, ["url"] = address.AbsoluteUri, ["wait"] = "complete" });

    /// <summary>The value of an expression, which may be a promise, as JSON.</summary>
    public async Task<JsonElement> Evaluate(string expression)
    {
        var answer = await Command("script.evaluate", new JsonObject
        {
            ["expression"] = $"Promise.resolve({expression}).then(value => JSON.stringify(value ?? null))",
            ["target"] = new JsonObject { ["context"] = page },
            ["awaitPromise"] = true,
        });
        return (string)answer["type"]! == "success"
            ? JsonSerializer.Deserialize<JsonElement>((string)answer["result"]!["value"]!)
            : throw new InvalidOperationException($"{expression}: {answer["exceptionDetails"]?["text"]}");
    }

    public async ValueTask DisposeAsync()
    {
        socket.Dispose();
        if (!process.HasExited) process.Kill(entireProcessTree: true); // its content processes: all ours
        await process.WaitForExitAsync();
        process.Dispose();
        profile.Dispose();
        one.Dispose();
    }

    /// <summary>One command at a time; the answer with our id ends the wait, events are passed over.</summary>
    private async Task<JsonObject> Command(string method, JsonObject parameters)
    {
        using var timeout = new CancellationTokenSource(Timeout);
        await one.WaitAsync(timeout.Token);
        try
        {
            var id = ++lastId;
            var command = new JsonObject { ["id"] = id, ["method"] = method, ["params"] = parameters };
            await socket.SendAsync(JsonSerializer.SerializeToUtf8Bytes(command), WebSocketMessageType.Text, true, timeout.Token);
            while (true)
            {
                var message = await Receive(timeout.Token);
                if ((int?)message["id"] != id) continue;
                return (string)message["type"]! == "success"
                    ? message["result"]!.AsObject()
                    : throw new InvalidOperationException($"{method}: {message["error"]} {message["message"]}");
            }
        }
        finally
        {
            one.Release();
        }
    }

    private async Task<JsonObject> Receive(CancellationToken cancel)
    {
        using var message = new MemoryStream();
        var buffer = new byte[16 * 1024];
        ValueWebSocketReceiveResult part;
        do
        {
            part = await socket.ReceiveAsync(buffer.AsMemory(), cancel);
            message.Write(buffer, 0, part.Count);
        }
        while (!part.EndOfMessage);
        return JsonNode.Parse(message.ToArray())!.AsObject();
    }
}
