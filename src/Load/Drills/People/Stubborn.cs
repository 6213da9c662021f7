using Voice.Client;
using Voice.Protocol;

namespace Voice.Load.Drills.People;

/// <summary>Somebody who stays with the voice server that it joined first, whatever it is told, and goes on talking to it: if that server still serves the
/// guild when it should not, this one hears it.</summary>
internal sealed class Stubborn(Snowflake user, long start) : IAsyncDisposable
{
    private static readonly TimeSpan OpenTimeout = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(50);

    private readonly TalkStream stream = new();
    private GatewayClient? gateway;
    private RunningSession? running;

    public Snowflake User { get; } = user;

    public ClientLog Log { get; } = new(start);

    public async Task Join(Func<GatewayClientOptions, Task<GatewayClient>> connect, Snowflake guild, Snowflake channel, CancellationToken cancel)
    {
        gateway = await connect(Log.GatewayOptions);
        var assignment = await gateway.Join(guild, channel, cancellation: cancel).WaitAsync(OpenTimeout, cancel);
        var options = Log.VoiceOptions;
        running = new RunningSession(new VoiceSession(1, assignment, stream, options, new FrameReceiver(options), (_, _) => { }), CancellationToken.None);
        using var timeout = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        timeout.CancelAfter(OpenTimeout);
        while (!running.Session.IsOpen) await Task.Delay(Look, timeout.Token);
        await running.Session.SpeakAsync(true, cancel);
    }

    /// <summary>On the talkers' thread.</summary>
    public ValueTask<bool> Say(ReadOnlyMemory<byte> opus)
    {
        if (running is not { Session: { IsOpen: true } session }) return ValueTask.FromResult(false);
        var (timestamp, marker) = stream.Next(FrameSamples, TimeSpan.FromMicroseconds(Generator.LoadGenerator.Now / 1000));
        session.Send(timestamp, marker, opus.Span);
        return ValueTask.FromResult(true);
    }

    public async ValueTask DisposeAsync()
    {
        if (running is not null) await running.DisposeAsync();
        if (gateway is not null) await gateway.DisposeAsync();
    }

    private const int FrameSamples = 960;
}
