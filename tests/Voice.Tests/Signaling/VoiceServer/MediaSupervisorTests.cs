using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Threading.Channels;
using Microsoft.Extensions.Logging.Abstractions;
using Voice.Protocol.DiscordUdp;
using Voice.Protocol.Links;
using Voice.Signaling.VoiceServer;
using Xunit;

namespace Voice.Tests.Signaling.VoiceServer;

/// <summary>Real media processes, killed and replaced.</summary>
public sealed class MediaSupervisorTests : IAsyncLifetime
{
    private readonly MediaSockets sockets = MediaSockets.Open(new MediaAddresses(new(IPAddress.Loopback, IPAddress.Loopback), null), 0, workers: 2);
    private readonly MediaMemory memory = MediaMemory.Create(workers: 2);
    private readonly Channel<MediaEvent?> events = Channel.CreateUnbounded<MediaEvent?>();
    private readonly CancellationTokenSource patience = new(TimeSpan.FromSeconds(120));
    private readonly CancellationTokenSource stop = new();
    private readonly MediaPlan plan = new();
    private readonly List<int> processes = [];
    private Action whenOneWaits = () => { };
    private MediaSupervisor supervisor = null!;
    private Task running = null!;

    public ValueTask InitializeAsync()
    {
        whenOneWaits = () => supervisor.Send(plan.TakeDraft(TestNode.Dtls.Certificate, TestNode.Dtls.PrivateKey));
        supervisor = new MediaSupervisor(
            RealNode.MediaCommand, sockets, memory, e => events.Writer.WriteAsync(e), Waits, NullLogger.Instance, TimeProvider.System);
        running = supervisor.RunAsync(stop.Token);
        return default;
    }

    public async ValueTask DisposeAsync()
    {
        await stop.CancelAsync();
        await running;
        Assert.All(processes, process => Assert.True(HasExited(process)));
        sockets.Dispose();
        memory.Dispose();
        stop.Dispose();
        patience.Dispose();
    }

    [Fact]
    public async Task A_killed_process_has_a_successor_on_the_same_ports_and_none_when_the_node_stops()
    {
        var first = await ServingAsync();
        Assert.Equal(2, first.Workers);
        Kill(first);
        Assert.Null(await NextAsync<MediaEvent?>(e => e is null));

        var second = await ServingAsync();

        Assert.NotEqual(first.ProcessId, second.ProcessId);
        Assert.True(second.CanResume);
    }

    [Fact]
    public async Task A_process_that_hangs_has_a_successor()
    {
        var first = await ServingAsync();
        using var stopping = Process.Start("kill", ["-STOP", first.ProcessId.ToString(CultureInfo.InvariantCulture)]);
        await stopping.WaitForExitAsync(patience.Token);

        var second = await ServingAsync();

        Assert.NotEqual(first.ProcessId, second.ProcessId);
        Assert.True(HasExited(first.ProcessId));
    }

    [Fact]
    public async Task At_a_reload_one_stops_and_only_then_the_other_serves_what_it_was_told_before()
    {
        var first = await ServingAsync();
        whenOneWaits += () => Tell(1); // both are told

        var answer = await supervisor.ReloadAsync(patience.Token);
        Assert.StartsWith("reloaded: ", answer);
        var second = await ReadyAsync();
        var last = Tell(2);
        await ReportsAsync(last);

        Assert.True(second.HasDraft);
        Assert.NotEqual(first.ProcessId, second.ProcessId);
        Kill(second); // the next is a spare, or a new one
        Assert.NotEqual(second.ProcessId, (await ServingAsync()).ProcessId);
    }

    [Fact]
    public async Task A_process_that_dies_while_another_is_told_has_the_successor_that_it_would_have_had()
    {
        var first = await ServingAsync();
        whenOneWaits = () => Kill(first);

        Assert.StartsWith("refused: ", await supervisor.ReloadAsync(patience.Token));

        Assert.False((await ServingAsync()).HasDraft);
    }

    [Fact]
    public async Task Processes_that_die_in_a_row_make_the_node_unfit()
    {
        for (var i = 0; i < CrashHistory.Limit; i++)
        {
            Assert.False(supervisor.IsCrashLooping);
            Kill(await ServingAsync());
            await NextAsync<MediaEvent?>(e => e is null);
        }

        await ServingAsync();

        Assert.True(supervisor.IsCrashLooping);
    }

    /// <summary>The next process that says that it is ready, told what to do.</summary>
    private async Task<MediaReady> ServingAsync()
    {
        var ready = await ReadyAsync();
        var snapshot = plan.TakeSnapshot(TestNode.Dtls.Certificate, TestNode.Dtls.PrivateKey);
        supervisor.Send(snapshot);
        await ReportsAsync(snapshot.Revision);
        return ready;
    }

    private async Task<MediaReady> ReadyAsync()
    {
        var ready = (MediaReady)(await NextAsync<MediaEvent?>(e => e is MediaReady))!;
        processes.Add(ready.ProcessId);
        return ready;
    }

    private Task<MediaEvent?> ReportsAsync(long revision) => NextAsync<MediaEvent?>(e => e is MediaReport report && report.Revision == revision);

    /// <returns>The revision.</returns>
    private long Tell(uint client)
    {
        var path = new UdpPath(EncryptionMode.AeadAes256GcmRtpSize, new byte[EncryptionModes.KeyLength], client * 8, []);
        plan.Add(new MediaClient(new PutTransport(client, 0, 120, 1, path), client * 8, new RoomId(1, 1), VoiceFlags.None));
        var delta = plan.TakeDelta()!;
        supervisor.Send(delta);
        return delta.Revision;
    }

    private ValueTask Waits()
    {
        whenOneWaits();
        return default;
    }

    private async Task<T> NextAsync<T>(Predicate<T> wanted)
        where T : MediaEvent?
    {
        while (true)
        {
            var next = await events.Reader.ReadAsync(patience.Token);
            if (wanted((T)next!)) return (T)next!;
        }
    }

    private static void Kill(MediaReady ready)
    {
        using var process = Process.GetProcessById(ready.ProcessId);
        process.Kill();
    }

    private static bool HasExited(int id)
    {
        try
        {
            using var process = Process.GetProcessById(id);
            return process.HasExited;
        }
        catch (ArgumentException)
        {
            return true;
        }
    }
}
