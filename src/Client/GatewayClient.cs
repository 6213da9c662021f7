using System.Collections.Immutable;
using Voice.Protocol;
using Voice.Protocol.Gateway;

namespace Voice.Client;

/// <summary>What is needed to open the voice WebSocket.</summary>
/// <param name="Guild">The voice server's server id: the guild, or in a private call the channel.</param>
/// <param name="Endpoint">host:port of the voice server.</param>
public sealed record VoiceAssignment(Snowflake Guild, Snowflake Channel, Snowflake User, string SessionId, string Token, string Endpoint);

/// <summary>A client of the main gateway (protocol/gateway.md): identifies, keeps the heartbeat, and when the socket is lost
/// resumes, or identifies anew where that is refused. Safe for all threads.</summary>
public sealed class GatewayClient : IAsyncDisposable
{
    private static readonly TimeSpan FirstRetry = TimeSpan.FromMilliseconds(200);

    private readonly Uri[] gateways;
    private readonly string token;
    private readonly GatewayClientOptions options;
    private readonly CancellationTokenSource closing = new();
    private readonly Lock gate = new();
    private readonly List<Waiter> waiters = [];
    private ImmutableArray<Action<GatewayEvent>> listeners = [];
    private readonly TaskCompletionSource identified = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private GatewaySocket? socket; // null while there is no session
    private string? sessionId;
    private int sequence;

    private GatewayClient(Uri gateway, string token, GatewayClientOptions options)
    {
        (gateways, this.token, this.options) = ([gateway, .. options.Others], token, options);
        Completion = Run();
    }

    /// <summary>The READY of the current session.</summary>
    public Ready Ready { get; private set; } = null!;

    /// <summary>There is a session at the moment; without one, sending fails with <see cref="GatewayClosedException"/>.</summary>
    public bool IsConnected => Volatile.Read(ref socket) is not null;

    /// <summary>Ends when the client was disposed; fails with <see cref="GatewayClosedException"/> when the gateway is lost for good.</summary>
    public Task Completion { get; }

    /// <summary>Connects and identifies. Returns after READY; the guilds follow as events.</summary>
    /// <param name="gateway">ws or wss address of the gateway, as GET /gateway tells it.</param>
    /// <param name="token">The account's token, with or without "Bot ".</param>
    /// <exception cref="GatewayClosedException">Refused, or not reachable.</exception>
    public static async Task<GatewayClient> ConnectAsync(
        Uri gateway, string token, GatewayClientOptions? options = null, CancellationToken cancellation = default)
    {
        var client = new GatewayClient(gateway, token, options ?? new GatewayClientOptions());
        try
        {
            await await Task.WhenAny(client.identified.Task, client.Completion).WaitAsync(cancellation);
            return client;
        }
        catch
        {
            await client.DisposeAsync();
            throw;
        }
    }

    /// <summary>The next event of this type that matches. Ask before doing what brings it about.</summary>
    public async Task<T> Next<T>(Func<T, bool>? match = null, CancellationToken cancellation = default)
        where T : GatewayEvent
    {
        var waiter = new Waiter(e => e is T typed && (match is null || match(typed)));
        lock (gate) waiters.Add(waiter);
        try
        {
            await Task.WhenAny(waiter.Met.Task, Completion).WaitAsync(cancellation);
            if (waiter.Met.Task.IsCompleted) return (T)await waiter.Met.Task;
            await Completion;
            throw new ObjectDisposedException(nameof(GatewayClient));
        }
        finally
        {
            lock (gate) waiters.Remove(waiter);
        }
    }

    /// <summary>Calls for each event from now on, in order, on the thread that reads the socket, until disposed: it should be quick.</summary>
    public IDisposable Subscribe(Action<GatewayEvent> listener)
    {
        ImmutableInterlocked.Update(ref listeners, listeners => listeners.Add(listener));
        return new Subscription(() => ImmutableInterlocked.Update(ref listeners, listeners => listeners.Remove(listener)));
    }

    /// <summary>Op 4: join, move, leave (channel null), or set the self flags.</summary>
    /// <param name="guild">Null in a private call.</param>
    public Task SetVoiceState(
        Snowflake? guild, Snowflake? channel, bool selfMute = false, bool selfDeaf = false, CancellationToken cancellation = default) =>
        SetVoiceState(new VoiceStateUpdate(guild, channel) { SelfMute = selfMute, SelfDeaf = selfDeaf }, cancellation);

    internal Task SetVoiceState(VoiceStateUpdate update, CancellationToken cancellation) => Send(GatewayOpcode.VoiceStateUpdate, update, cancellation);

    /// <summary>Op 5: the voice WebSocket broke; the gateway looks whether its server still lives.</summary>
    public Task PingVoiceServer(CancellationToken cancellation = default) => Send(GatewayOpcode.VoiceServerPing, null, cancellation);

    /// <summary>Joins a channel and waits until a voice server is assigned. Refusals are silent, so give it a time limit.</summary>
    public async Task<VoiceAssignment> Join(
        Snowflake guild, Snowflake channel, bool selfMute = false, bool selfDeaf = false, CancellationToken cancellation = default)
    {
        using var both = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        var state = Next<GatewayEvent.VoiceStateUpdate>(
            e => e.State.UserId == Ready.User.Id && e.State.GuildId == guild && e.State.ChannelId == channel, both.Token);
        var server = Next<GatewayEvent.VoiceServerUpdate>(e => e.Server.GuildId == guild && e.Server.Endpoint is not null, both.Token);
        try
        {
            await SetVoiceState(guild, channel, selfMute, selfDeaf, cancellation);
            return new VoiceAssignment(
                guild, channel, Ready.User.Id, (await state).State.SessionId, (await server).Server.Token, (await server).Server.Endpoint!);
        }
        finally
        {
            await both.CancelAsync();
            await Task.WhenAny(Task.WhenAll(state, server));
        }
    }

    /// <summary>Breaks the socket without a word, as a lost network does; the client then resumes.</summary>
    public void Drop() => Volatile.Read(ref socket)?.Abort();

    /// <summary>Ends the session at once: the user leaves voice.</summary>
    public async ValueTask DisposeAsync()
    {
        await closing.CancelAsync();
        await Task.WhenAny(Completion);
        closing.Dispose();
    }

    private async Task Run()
    {
        var tried = 0;
        for (var attempt = 0; ; attempt++)
        {
            GatewayClosedException lost;
            long? up = null;
            var address = gateways[tried % gateways.Length];
            try
            {
                await RunSocket(address, onUp: () => up = options.Time.GetTimestamp());
                return;
            }
            catch (GatewayClosedException e) when (MayRetry(e.Code))
            {
                lost = e;
            }

            if (lost.Code is (int)GatewayCloseCode.InvalidSequence or (int)GatewayCloseCode.SessionTimedOut) sessionId = null;
            if (up is null) tried++; // it may be gone, and others not
            if (up is { } since && options.Time.GetElapsedTime(since) >= Backoff.Settled) attempt = 0;
            if (attempt >= (identified.Task.IsCompleted ? options.MaxAttempts : gateways.Length - 1)) throw lost;
            try
            {
                await Task.Delay(Backoff.Wait(FirstRetry, attempt), options.Time, closing.Token);
            }
            catch (OperationCanceledException)
            {
                return;
            }
        }
    }

    /// <summary>One socket, from Hello to its end. Returns when the client is being disposed.</summary>
    private async Task RunSocket(Uri gateway, Action onUp)
    {
        using var current = new GatewaySocket(options);
        try
        {
            await current.Connect(new UriBuilder(gateway) { Query = "v=10&encoding=json" }.Uri, closing.Token);

            // The goodbye is answered by the server's, which ends the reading below: cancelling it would end the socket unsaid.
            using var goodbye = closing.Token.Register(() => _ = current.Close());
            while (true) await Handle(current, await current.Receive(), onUp);
        }
        catch (Exception e) when (closing.IsCancellationRequested && (e is OperationCanceledException or GatewayClosedException))
        {
            // As asked for.
        }
        finally
        {
            Volatile.Write(ref socket, null);
        }
    }

    private async Task Handle(GatewaySocket current, GatewayMessage message, Action onUp)
    {
        switch (message.Op)
        {
            case GatewayOpcode.Hello:
                var hello = GatewayEvent.Read(message.D, GatewayJson.Default.Hello, hello => hello.HeartbeatInterval > 0);
                current.StartHeartbeat(TimeSpan.FromMilliseconds(hello.HeartbeatInterval), () => sequence);
                if (sessionId is { } id) await current.Send(GatewayOpcode.Resume, new Resume(token, id, sequence), closing.Token);
                else await Identify(current);
                break;
            case GatewayOpcode.HeartbeatAck: current.HeartbeatAnswered(); break;
            case GatewayOpcode.Heartbeat: await current.Send(GatewayOpcode.Heartbeat, sequence, closing.Token); break;
            case GatewayOpcode.Reconnect: throw new GatewayClosedException(null, "asked to reconnect");
            case GatewayOpcode.InvalidSession when sessionId is null: throw new GatewayClosedException(null, "no session is to be had");
            case GatewayOpcode.InvalidSession:
                sessionId = null;
                await Identify(current);
                break;
            case GatewayOpcode.Dispatch when message is { T: { } type, S: { } number }:
                sequence = number;
                Dispatch(current, GatewayEvent.From(type, message.D), onUp);
                break;
        }
    }

    private Task Identify(GatewaySocket current) =>
        current.Send(GatewayOpcode.Identify, new Identify(token) { Intents = options.Intents }, closing.Token);

    private void Dispatch(GatewaySocket current, GatewayEvent e, Action onUp)
    {
        if (e is GatewayEvent.Ready ready) (Ready, sessionId) = (ready.Data, ready.Data.SessionId);
        if (e is GatewayEvent.Ready or GatewayEvent.Resumed)
        {
            onUp();
            Volatile.Write(ref socket, current); // what is sent before the session is there ends it with 4003
            identified.TrySetResult();
        }

        options.OnEvent?.Invoke(e);
        foreach (var listener in listeners) listener(e);
        lock (gate)
        {
            foreach (var waiter in waiters.Where(w => w.Matches(e))) waiter.Met.TrySetResult(e);
        }
    }

    private Task Send(GatewayOpcode op, object? data, CancellationToken cancellation) =>
        Volatile.Read(ref socket) is { } current
            ? current.Send(op, data, cancellation)
            : Task.FromException(new GatewayClosedException(null, "not connected at the moment"));

    // protocol/gateway.md section 2, the codes with "no".
    private static bool MayRetry(int? code) => (GatewayCloseCode?)code is not (
        GatewayCloseCode.AuthenticationFailed or GatewayCloseCode.InvalidShard or GatewayCloseCode.ShardingRequired
        or GatewayCloseCode.InvalidApiVersion or GatewayCloseCode.InvalidIntents or GatewayCloseCode.DisallowedIntents);

    private sealed class Subscription(Action end) : IDisposable
    {
        public void Dispose() => end();
    }

    private sealed record Waiter(Func<GatewayEvent, bool> Matches)
    {
        public TaskCompletionSource<GatewayEvent> Met { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
