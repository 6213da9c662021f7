using Microsoft.Extensions.Logging.Abstractions;
using Voice.Signaling;
using Voice.Signaling.VoiceServer;
using Xunit;

namespace Voice.Tests.Signaling.VoiceServer;

public sealed class NodeControlTests : IDisposable
{
    private readonly string data = Directory.CreateTempSubdirectory("voice-control-").FullName;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose() => Directory.Delete(data, recursive: true);

    [Fact]
    public async Task A_line_is_answered_by_a_line()
    {
        using var stop = new CancellationTokenSource();
        using var control = NodeControl.TryOpen(data, "node-1", NullLogger.Instance)!;
        var running = control.RunAsync((line, _) => Task.FromResult($"heard {line}"), stop.Token);

        Assert.Equal("heard reload", await NodeControl.AskAsync(data, "node-1", "reload", Cancel));
        Assert.Equal("heard reload", await NodeControl.AskAsync(data, "node-1", "reload", Cancel));
        if (!OperatingSystem.IsWindows())
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(NodeControl.PathOf(data, "node-1")));
        Assert.Equal("heard reload", await NodeControl.AskAsync(data, null, "reload", Cancel));
        await stop.CancelAsync();
        await running;
    }

    [Fact]
    public async Task Where_no_node_listens_one_line_says_so()
    {
        var failure = await Assert.ThrowsAsync<StartupException>(() => NodeControl.AskAsync(data, "node-1", "reload", Cancel));

        Assert.StartsWith("no node answers at ", failure.Message);
    }

    [Fact]
    public void Of_a_node_that_was_killed_the_next_takes_the_place_and_of_one_that_runs_nobody()
    {
        File.WriteAllText(NodeControl.PathOf(data, "node-1"), "");
        using (var control = NodeControl.TryOpen(data, "node-1", NullLogger.Instance))
        {
            Assert.NotNull(control);
            Assert.Null(NodeControl.TryOpen(data, "node-1", NullLogger.Instance));
        }
        Assert.False(File.Exists(NodeControl.PathOf(data, "node-1")));
        Assert.Null(NodeControl.TryOpen(data, new string('x', 200), NullLogger.Instance));
    }
}
