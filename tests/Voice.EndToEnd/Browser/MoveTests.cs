using System.Globalization;
using System.Text.Json;
using Voice.EndToEnd.Cluster;
using Voice.EndToEnd.Harness;
using Xunit;

namespace Voice.EndToEnd.Browser;

/// <summary>The node that serves two pages is drained under them.</summary>
public sealed class MoveTests(ITestOutputHelper output)
{
    /// <summary>From before the drain until the former node is left: how long each page heard nothing at a stretch, and what its call's state was.</summary>
    private const string Watch = """
        (() => {
          const context = new AudioContext();
          const analyser = new AnalyserNode(context, { fftSize: 1024 });
          const samples = new Float32Array(analyser.fftSize);
          const taps = new Map();
          const seen = { longest: 0, states: [], errors: [], both: false };
          let heard = Infinity; // from the first sound on
          voice.addEventListener('state', event => seen.states.push(event.detail.state));
          voice.addEventListener('error', event => seen.errors.push(event.detail.message));
          setInterval(() => {
            for (const stream of voice.streams.values()) {
              if (taps.has(stream)) continue;
              const source = context.createMediaStreamSource(stream);
              source.connect(analyser);
              taps.set(stream, source);
            }
            analyser.getFloatTimeDomainData(samples);
            const now = performance.now();
            if (Math.max(...samples) > 0.01) heard = now;
            seen.longest = Math.max(seen.longest, now - heard);
          }, 10);
          window.watched = seen;
          return true;
        })()
        """;

    [Fact(Timeout = 180_000)]
    public async Task Pages_go_to_another_node_without_a_pause_in_what_they_hear()
    {
        await using var cluster = new ClusterFixture();
        await cluster.InitializeAsync();
        var first = await cluster.StartNode("node-a");
        await using var chromium = await ChromiumBrowser.Start();
        await using var call = new Call(cluster.Gateway, chromium);
        var (ann, ben) = (await call.Add(), await call.Add());
        await Call.Hearing((ann, [ben]), (ben, [ann]));
        await cluster.StartNode("node-b");
        foreach (var one in new[] { ann, ben }) await one.Evaluate(Watch);

        using (var answer = await cluster.Administrator.PostAsync("allocator/v1/nodes/node-a/drain", null, TestContext.Current.CancellationToken))
            answer.EnsureSuccessStatusCode();
        foreach (var one in new[] { ann, ben }) await one.Until("voice.serverPlace.node === 'node-b'", $"{one.Name} to be on node-b", TimeSpan.FromSeconds(30));
        if (Environment.GetEnvironmentVariable("VOICE_SCREENSHOT") is { } file) await call.PageOf(ann).ScreenshotAsync(new() { Path = file });
        await Poll.Until(async () => await People(cluster, "node-a") == 0, "node-a to be empty", TimeSpan.FromSeconds(15));
        await Call.Hearing((ann, [ben]), (ben, [ann]));

        foreach (var one in new[] { ann, ben })
        {
            var seen = await one.Evaluate("window.watched");
            var longest = seen.GetProperty("longest").GetDouble();
            output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{one.Name} heard nothing for {longest:0} ms at most"));
            Assert.True(longest < 500, $"{one.Name} heard nothing for {longest:0} ms");
            Assert.Empty(seen.GetProperty("states").EnumerateArray());
            Assert.Empty(seen.GetProperty("errors").EnumerateArray());
        }

        Assert.Equal(0, await People(cluster, "node-a"));
        Assert.True(VoiceProcess.IsRunning(first.Id));
    }

    private static async Task<int> People(ClusterFixture cluster, string node)
    {
        var json = JsonElement.Parse(await cluster.Administrator.GetStringAsync("allocator/v1/nodes"));
        return json.EnumerateArray().Single(one => one.GetProperty("node_id").GetString() == node).GetProperty("sessions").GetInt32();
    }
}
