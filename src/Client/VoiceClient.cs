using System.Runtime.CompilerServices;
using Voice.Protocol;
using Voice.Protocol.Gateway;
using Voice.Protocol.Ogg;

namespace Voice.Client;

/// <summary>A participant in a voice channel: joins through the main gateway, talks and listens, follows moves, resumes and rejoins what is lost.
/// Safe for all threads; packets go out in the order of the calls.</summary>
/// <example><code>
/// await using var gateway = await GatewayClient.ConnectAsync(new Uri("ws://127.0.0.1:8080"), token);
/// await using var voice = await VoiceClient.JoinAsync(gateway, guild, channel);
/// await foreach (var frame in voice.ReadFramesAsync()) Console.WriteLine($"{frame.User}: {frame.Payload.Length} bytes");
/// </code></example>
public sealed class VoiceClient : IAsyncDisposable
{
    /// <summary>Bytes of an Opus packet that can be sent.</summary>
    public const int MaxPacketLength = IMediaPath.MaxPayload;

    private static readonly TimeSpan FrameTime = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan FirstRetry = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan GoodbyeTimeout = TimeSpan.FromSeconds(2);

    private readonly GatewayClient gateway;
    private readonly VoiceClientOptions options;
    private readonly AssignmentTracker tracker;
    private readonly FrameReceiver receiver;
    private readonly IDisposable subscription;
    private readonly CancellationTokenSource closing = new();
    private readonly TaskCompletionSource connected = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private readonly VoiceSessions sessions;
    private volatile VoiceClosedException? lastFailure;
    private Snowflake wanted;
    private volatile bool asking;

    private VoiceClient(GatewayClient gateway, Snowflake? guild, Snowflake channel, VoiceClientOptions options)
    {
        (this.gateway, this.options, Guild, wanted) = (gateway, options, guild, channel);
        tracker = new AssignmentTracker(gateway.Ready.User.Id, guild);
        receiver = new FrameReceiver(options);
        sessions = new VoiceSessions(options, receiver, Tell);
        subscription = gateway.Subscribe(tracker.On);
        Completion = Run();
    }

    /// <summary>Null in a private call.</summary>
    public Snowflake? Guild { get; }

    /// <summary>Where the client is, or wants to be: a moderator may move it.</summary>
    public Snowflake Channel => tracker.Current.Channel ?? wanted;

    public VoiceClientState State { get; private set; }

    /// <summary>Who else is in the channel.</summary>
    public IReadOnlyCollection<Snowflake> Users => sessions.Users;

    /// <summary>Frames that nobody read in time.</summary>
    public long DroppedFrames => receiver.Dropped;

    /// <summary>Packets that did not authenticate, came twice or were none.</summary>
    public long RefusedPackets => sessions.Refused;

    /// <summary>Ends when the client was disposed; fails with <see cref="VoiceClosedException"/> when the place in voice is lost for good.</summary>
    public Task Completion { get; }

    /// <summary>Joins and returns when media goes both ways.</summary>
    /// <param name="gateway">Is not disposed with the voice client. A user can be in one channel of a guild at a time.</param>
    /// <param name="guild">Null for a private call, whose channel is <paramref name="channel"/>.</param>
    /// <exception cref="VoiceClosedException">Refused, or no answer in <see cref="VoiceClientOptions.JoinTimeout"/>.</exception>
    /// <exception cref="GatewayClosedException">The main gateway was lost.</exception>
    public static async Task<VoiceClient> JoinAsync(
        GatewayClient gateway, Snowflake? guild, Snowflake channel, VoiceClientOptions? options = null, CancellationToken cancellation = default)
    {
        options ??= new VoiceClientOptions();
        var client = new VoiceClient(gateway, guild, channel, options);
        try
        {
            await await Task.WhenAny(client.connected.Task, client.Completion).WaitAsync(options.JoinTimeout, options.Time, cancellation);
            return client;
        }
        catch (TimeoutException)
        {
            var (state, failure) = (client.State, client.lastFailure);
            await client.DisposeAsync();
            if (failure is not null) throw failure;
            throw new VoiceClosedException(null, state switch
            {
                VoiceClientState.Joining => $"the gateway did not let us into channel {channel}: it may not exist, be full, or not be ours to enter",
                VoiceClientState.AwaitingServer => "there is no voice server at the moment",
                _ => "the voice server did not answer in time",
            });
        }
        catch
        {
            await client.DisposeAsync();
            throw;
        }
    }

    /// <summary>What others say, from now on, until the client ends. One reader; what is not read in time is dropped, oldest first. Nothing comes
    /// here with <see cref="VoiceClientOptions.OnFrame"/>.</summary>
    /// <exception cref="VoiceClosedException">The place in voice is lost for good.</exception>
    public async IAsyncEnumerable<ReceivedFrame> ReadFramesAsync([EnumeratorCancellation] CancellationToken cancellation = default)
    {
        await foreach (var frame in receiver.Frames.ReadAllAsync(cancellation)) yield return frame;
    }

    /// <summary>Sends one Opus packet now; see <see cref="OpusPlayer"/> for sending them at their times. The first after a pause says to the others that
    /// this client talks.</summary>
    /// <param name="opus">One packet of 2.5 to 120 ms and at most <see cref="MaxPacketLength"/> bytes.</param>
    /// <returns>False, and it is lost, while there is no media path.</returns>
    /// <exception cref="ArgumentException">Not an Opus packet, or too long.</exception>
    public ValueTask<bool> SendAsync(ReadOnlyMemory<byte> opus, CancellationToken cancellation = default) =>
        sessions.SendAsync(opus, cancellation);

    /// <summary>Ends talking: five frames of silence, 20 ms apart, so that no receiver takes the pause for loss, then the word that it is one.</summary>
    public async Task PauseAsync(CancellationToken cancellation = default)
    {
        if (!sessions.IsTalking || !sessions.IsOpen) return;
        for (var i = 0; i < OpusToc.SilenceFrames; i++)
        {
            await sessions.SendAsync(Silence, cancellation);
            await Task.Delay(FrameTime, options.Time, cancellation);
        }

        await sessions.PauseAsync(cancellation);
    }

    /// <summary>To another channel of the same guild. Returns when it was asked for, or the gateway client reconnects and will ask; the way there shows in
    /// the state.</summary>
    public Task MoveAsync(Snowflake channel, CancellationToken cancellation = default)
    {
        wanted = channel;
        return AskForPlace(null, cancellation);
    }

    /// <summary>Breaks the voice WebSocket without a word, as a lost network does; media goes on and the client resumes.</summary>
    public void DropSocket() => sessions.Drop();

    /// <summary>Leaves the channel.</summary>
    public async ValueTask DisposeAsync()
    {
        await closing.CancelAsync();
        await Task.WhenAny(Completion);
        subscription.Dispose();
        if (!gateway.Completion.IsCompleted && tracker.Current.Channel is not null)
        {
            using var timeout = new CancellationTokenSource(GoodbyeTimeout);
            await Task.WhenAny(gateway.SetVoiceState(Guild, null, cancellation: timeout.Token));
        }
    }

    private static readonly byte[] Silence = OpusToc.SilenceFrame.ToArray();

    private async Task Run()
    {
        await Task.Yield();
        Exception? reason = null;
        using var life = CancellationTokenSource.CreateLinkedTokenSource(closing.Token);
        _ = gateway.Completion.ContinueWith(_ => life.CancelAsync(), life.Token, TaskContinuationOptions.None, TaskScheduler.Default);
        using var rejoins = gateway.Subscribe(e => OnGatewaySession(e, life.Token));
        try
        {
            await AskForPlace(null, life.Token);
            await Follow(life.Token);
        }
        catch (OperationCanceledException) when (closing.IsCancellationRequested)
        {
            // As asked for.
        }
        catch (OperationCanceledException)
        {
            await Task.WhenAny(gateway.Completion);
            reason = gateway.Completion.Exception?.InnerException ?? new VoiceClosedException(null, "the gateway client was disposed");
            throw reason;
        }
        catch (Exception e)
        {
            reason = e;
            throw;
        }
        finally
        {
            await sessions.DisposeAsync();
            receiver.End(reason);
            Become(VoiceClientState.Closed);
        }
    }

    /// <summary>From one assignment to the next, until the channel is left.</summary>
    private async Task Follow(CancellationToken cancellation)
    {
        var used = 0;
        for (var attempt = 0; ;)
        {
            var place = await NextPlace(used, cancellation);
            used = place.Version;
            wanted = place.Assignment!.Channel; // a moderator may have moved us
            var current = sessions.Begin(place.Assignment, cancellation);
            Become(VoiceClientState.Connecting);
            var end = await current.EndedBefore(tracker.Superseded(place));
            cancellation.ThrowIfCancellationRequested();
            if (end is null)
            {
                // The call may have moved to another voice server, and this one serves us until we are there (protocol/gateway.md section 7).
                if (current.Session.IsOpen && IsSameCall(place.Assignment, tracker.Current.Assignment)) sessions.LeaveLater(current);
                else await sessions.LeaveAll();
                continue;
            }

            lastFailure = end;
            if (current.Session.HasSettled) attempt = 0;
            await sessions.Leave(current);
            Become(VoiceClientState.Joining);
            if (!await IsFollowedByMove(end, used, cancellation))
            {
                if (IsFinal(end.Code) || end == receiver.Failure || ++attempt >= options.MaxAttempts) throw end;
                await Task.Delay(Backoff.Wait(FirstRetry, attempt - 1), options.Time, cancellation);
                if (tracker.Current.Version == used) await AskForPlace(null, cancellation);
            }
        }
    }

    /// <summary>The next place with a voice server; asks again for one where nothing comes.</summary>
    private async Task<Place> NextPlace(int used, CancellationToken cancellation)
    {
        for (var attempt = 0; ;)
        {
            using var timeout = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
            var place = tracker.Current;
            Become(place.HasServer ? VoiceClientState.Joining : VoiceClientState.AwaitingServer);
            // A server being sought is waited for; so is the first answer, which the join's own time limit bounds.
            if (place.HasServer && used > 0) timeout.CancelAfter(options.JoinTimeout);
            try
            {
                var sought = !place.HasServer;
                place = await tracker.When(p => p.Version > used && (p.Assignment is not null || p.HasLeft || p.HasServer == sought), timeout.Token);
            }
            catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
            {
                if (++attempt >= options.MaxAttempts) throw new VoiceClosedException(null, "the gateway gives us no voice server");
                await AskForPlace(null, cancellation);
                continue;
            }

            if (place.Assignment is not null) return place;
            if (place.HasLeft) throw new VoiceClosedException(null, "removed from the channel");
        }
    }

    private static bool IsSameCall(VoiceAssignment from, VoiceAssignment? to) =>
        to is not null && (from.Guild, from.Channel, from.SessionId) == (to.Guild, to.Channel, to.SessionId);

    /// <summary>4014 comes before or after what it is about: a move, another voice server, or being removed.</summary>
    private async Task<bool> IsFollowedByMove(VoiceClosedException end, int used, CancellationToken cancellation)
    {
        if (end.Code is not ((int)Protocol.Voice.VoiceCloseCode.Disconnected or (int)Protocol.Voice.VoiceCloseCode.CallTerminated)) return false;
        using var timeout = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        timeout.CancelAfter(options.JoinTimeout);
        try
        {
            await tracker.When(place => place.Version > used, timeout.Token);
            return true;
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            return false;
        }
    }

    // protocol/voice-gateway.md section 7, "do not reconnect".
    private static bool IsFinal(int? code) => (Protocol.Voice.VoiceCloseCode?)code
        is Protocol.Voice.VoiceCloseCode.Disconnected or Protocol.Voice.VoiceCloseCode.RateLimited or Protocol.Voice.VoiceCloseCode.CallTerminated;

    /// <summary>While the gateway client has no session, what could not be asked is asked when it has one again.</summary>
    /// <param name="voiceSession">The one that we have there and would keep.</param>
    private async Task AskForPlace(string? voiceSession, CancellationToken cancellation)
    {
        asking = true;
        try
        {
            await gateway.SetVoiceState(
                new VoiceStateUpdate(Guild, wanted)
                {
                    SelfMute = options.SelfMute,
                    SelfDeaf = options.SelfDeaf,
                    SessionId = voiceSession,
                    PreferredRegions = options.PreferredRegions,
                },
                cancellation);
            asking = false;
        }
        catch (GatewayClosedException) when (!gateway.Completion.IsCompleted)
        {
            // See OnGatewaySession.
        }
    }

    /// <summary>A new session of the gateway knows nothing of the earlier one's place, and takes over the voice session that we have; a
    /// resumed one may have missed a question.</summary>
    private async void OnGatewaySession(GatewayEvent e, CancellationToken cancellation)
    {
        if (e is not GatewayEvent.Ready && !(e is GatewayEvent.Resumed && asking)) return;
        try
        {
            var hasVoice = e is GatewayEvent.Ready && State is VoiceClientState.Connecting or VoiceClientState.Connected or VoiceClientState.Resuming;
            await AskForPlace(hasVoice ? tracker.Current.Assignment?.SessionId : null, cancellation);
        }
        catch (Exception lost) when (lost is GatewayClosedException or OperationCanceledException)
        {
            // The end, which Run sees too.
        }
    }

    private void Tell(VoiceEvent e)
    {
        if (e is VoiceEvent.StateChanged changed) Become(changed.State);
        else options.OnEvent?.Invoke(e);
    }

    private void Become(VoiceClientState state)
    {
        if (State == state) return;
        if (state is VoiceClientState.Joining or VoiceClientState.Connecting && sessions.IsOpen) return; // on the way to the next voice server
        State = state;
        options.OnEvent?.Invoke(new VoiceEvent.StateChanged(state));
        if (state == VoiceClientState.Connected) connected.TrySetResult();
    }
}
