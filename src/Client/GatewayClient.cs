using System.Collections.Immutable;
using System.Text.Json;
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
    private static readonly TimeSpan LongestRetry = TimeSpan.FromSeconds(10);

    private readonly Uri _gateway;
    private readonly string _token;
    private readonly GatewayClientOptions _options;
    private readonly CancellationTokenSource _closing = new();
    private readonly Lock _lock = new();
    private readonly List<Waiter> _waiters = [];
    private ImmutableArray<Action<GatewayEvent>> _listeners = [];
    private readonly TaskCompletionSource _identified = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private GatewaySocket? _socket;
    private string? _sessionId;
    private int _sequence;

    private GatewayClient(Uri gateway, string token, GatewayClientOptions options)
    {
        (_gateway, _token, _options) = (gateway, token, options);
        Completion = Run();
    }

    /// <summary>The READY of the current session.</summary>
    public Ready Ready { get; private set; } = null!;

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
            await await Task.WhenAny(client._identified.Task, client.Completion).WaitAsync(cancellation);
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
        lock (_lock) _waiters.Add(waiter);
        try
        {
            await Task.WhenAny(waiter.Met.Task, Completion).WaitAsync(cancellation);
            if (waiter.Met.Task.IsCompleted) return (T)await waiter.Met.Task;
            await Completion;
            throw new ObjectDisposedException(nameof(GatewayClient));
        }
        finally
        {
            lock (_lock) _waiters.Remove(waiter);
        }
    }

    /// <summary>Calls for each event from now on, in order, on the thread that reads the socket, until disposed: it should be quick.</summary>
    public IDisposable Subscribe(Action<GatewayEvent> listener)
    {
        ImmutableInterlocked.Update(ref _listeners, listeners => listeners.Add(listener));
        return new Subscription(() => ImmutableInterlocked.Update(ref _listeners, listeners => listeners.Remove(listener)));
    }

    /// <summary>Op 4: join, move, leave (channel null), or set the self flags.</summary>
    /// <param name="guild">Null in a private call.</param>
    public Task SetVoiceState(
        Snowflake? guild, Snowflake? channel, bool selfMute = false, bool selfDeaf = false, CancellationToken cancellation = default) =>
        Send(GatewayOpcode.VoiceStateUpdate, new VoiceStateUpdate(guild, channel) { SelfMute = selfMute, SelfDeaf = selfDeaf }, cancellation);

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
    public void Drop() => Volatile.Read(ref _socket)?.Abort();

    /// <summary>Ends the session at once: the user leaves voice.</summary>
    public async ValueTask DisposeAsync()
    {
        await _closing.CancelAsync();
        await Task.WhenAny(Completion);
        _closing.Dispose();
    }

    private async Task Run()
    {
        for (var attempt = 0; ; attempt++)
        {
            GatewayClosedException lost;
            try
            {
                await RunSocket(onUp: () => attempt = 0);
                return;
            }
            catch (GatewayClosedException e) when (MayRetry(e.Code))
            {
                lost = e;
            }

            if (lost.Code is (int)GatewayCloseCode.InvalidSequence or (int)GatewayCloseCode.SessionTimedOut) _sessionId = null;
            if (attempt >= _options.MaxAttempts || !_identified.Task.IsCompleted) throw lost;
            var wait = FirstRetry * Math.Pow(2, attempt) * (0.5 + Random.Shared.NextDouble());
            try
            {
                await Task.Delay(wait < LongestRetry ? wait : LongestRetry, _options.Time, _closing.Token);
            }
            catch (OperationCanceledException)
            {
                return;
            }
        }
    }

    /// <summary>One socket, from Hello to its end. Returns when the client is being disposed.</summary>
    private async Task RunSocket(Action onUp)
    {
        using var socket = new GatewaySocket(_options);
        try
        {
            await socket.Connect(new UriBuilder(_gateway) { Query = "v=10&encoding=json" }.Uri, _closing.Token);

            // The goodbye is answered by the server's, which ends the reading below: cancelling it would end the socket unsaid.
            using var goodbye = _closing.Token.Register(() => _ = socket.Close());
            Volatile.Write(ref _socket, socket);
            while (true) await Handle(socket, await socket.Receive(), onUp);
        }
        catch (Exception e) when (_closing.IsCancellationRequested && (e is OperationCanceledException or GatewayClosedException))
        {
            // As asked for.
        }
        finally
        {
            Volatile.Write(ref _socket, null);
        }
    }

    private async Task Handle(GatewaySocket socket, GatewayMessage message, Action onUp)
    {
        switch (message.Op)
        {
            case GatewayOpcode.Hello:
                socket.StartHeartbeat(TimeSpan.FromMilliseconds(message.D.Deserialize(GatewayJson.Default.Hello)!.HeartbeatInterval), () => _sequence);
                if (_sessionId is { } id) await socket.Send(GatewayOpcode.Resume, new Resume(_token, id, _sequence), _closing.Token);
                else await Identify(socket);
                break;
            case GatewayOpcode.HeartbeatAck: socket.HeartbeatAnswered(); break;
            case GatewayOpcode.Heartbeat: await socket.Send(GatewayOpcode.Heartbeat, _sequence, _closing.Token); break;
            case GatewayOpcode.Reconnect: throw new GatewayClosedException(null, "asked to reconnect");
            case GatewayOpcode.InvalidSession:
                _sessionId = null;
                await Identify(socket);
                break;
            case GatewayOpcode.Dispatch when message is { T: { } type, S: { } sequence }:
                _sequence = sequence;
                Dispatch(GatewayEvent.From(type, message.D), onUp);
                break;
        }
    }

    private Task Identify(GatewaySocket socket) =>
        socket.Send(GatewayOpcode.Identify, new Identify(_token) { Intents = _options.Intents }, _closing.Token);

    private void Dispatch(GatewayEvent e, Action onUp)
    {
        if (e is GatewayEvent.Ready ready) (Ready, _sessionId) = (ready.Data, ready.Data.SessionId);
        if (e is GatewayEvent.Ready or GatewayEvent.Resumed)
        {
            onUp();
            _identified.TrySetResult();
        }

        _options.OnEvent?.Invoke(e);
        foreach (var listener in _listeners) listener(e);
        lock (_lock)
        {
            foreach (var waiter in _waiters.Where(w => w.Matches(e))) waiter.Met.TrySetResult(e);
        }
    }

    private Task Send(GatewayOpcode op, object? data, CancellationToken cancellation) =>
        Volatile.Read(ref _socket) is { } socket
            ? socket.Send(op, data, cancellation)
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
