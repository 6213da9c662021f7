using Voice.Protocol;
using Voice.Protocol.Ogg;

namespace Voice.Client;

/// <summary>The voice sessions of one client: that with the voice server it is assigned to, and for a while after the call has moved the one before.
/// What the client says goes out over both, for nobody knows who of the others is where by now; what it hears comes from either (<see cref="HeardTalker"/>).
/// Any thread.</summary>
/// <param name="tell">Gets what happens, as if there were one session.</param>
internal sealed class VoiceSessions(VoiceClientOptions options, FrameReceiver receiver, Action<VoiceEvent> tell) : IAsyncDisposable
{
    /// <summary>How long a former session goes on after the update. Whoever has not found to the next server by then has lost it anyway, and the
    /// former one ends by itself soon after.</summary>
    public static readonly TimeSpan Overlap = TimeSpan.FromSeconds(4);

    private readonly TalkStream stream = new();
    private readonly Lock sending = new();
    private readonly Lock changing = new();
    private readonly long started = options.Time.GetTimestamp();
    private readonly CancellationTokenSource ending = new();
    private volatile RunningSession[] running = [];
    private Task left = Task.CompletedTask;
    private int count;
    private long refused;

    /// <summary>Media goes both ways, over one session at least.</summary>
    public bool IsOpen => running.Any(one => one.Session.IsOpen);

    public IReadOnlyCollection<Snowflake> Users => running is [var one] ? one.Session.Roster.Users : [.. running.SelectMany(one => one.Session.Roster.Users).Distinct()];

    public long Refused => Interlocked.Read(ref refused) + running.Sum(one => one.Session.Refused);

    /// <summary>Begins a session, beside those that run.</summary>
    public RunningSession Begin(VoiceAssignment assignment, CancellationToken cancellation)
    {
        lock (changing)
        {
            var session = new VoiceSession(++count, assignment, stream, options, receiver, On) { IsBeside = running.Length > 0 };
            var begun = new RunningSession(session, cancellation);
            running = [.. running, begun];
            return begun;
        }
    }

    /// <summary>The call has moved: this session goes on beside the next until the overlap is over, or it ends by itself.</summary>
    public void LeaveLater(RunningSession former) => left = Task.WhenAll(left, LeaveAfterOverlap(former));

    /// <summary>Ends a session, and leaves those before it to theirs.</summary>
    public async ValueTask Leave(RunningSession one)
    {
        lock (changing)
        {
            if (!running.Contains(one)) return;
            running = [.. running.Where(other => other != one)];
            if (running is [var only]) only.Session.IsBeside = false;
            Interlocked.Add(ref refused, one.Session.Refused);
        }

        await one.DisposeAsync();
    }

    public async Task LeaveAll()
    {
        foreach (var one in running) await Leave(one);
    }

    /// <inheritdoc cref="VoiceClient.SendAsync"/>
    public async ValueTask<bool> SendAsync(ReadOnlyMemory<byte> opus, CancellationToken cancellation)
    {
        if (!OpusToc.TryGetSamples(opus.Span, out var samples)) throw new ArgumentException("Not an Opus packet.", nameof(opus));
        if (opus.Length > IMediaPath.MaxPayload)
            throw new ArgumentException($"An Opus packet of {opus.Length} bytes: at most {IMediaPath.MaxPayload} can be sent.", nameof(opus));

        var all = running;
        var isOpen = false;
        foreach (var one in all)
        {
            if (!one.Session.IsOpen) continue;
            isOpen = true;
            await one.Session.SpeakAsync(true, cancellation);
        }

        if (!isOpen) return false;
        lock (sending)
        {
            var (timestamp, marker) = stream.Next(samples, options.Time.GetElapsedTime(started));
            foreach (var one in all) one.Session.Send(timestamp, marker, opus.Span);
        }

        return true;
    }

    /// <summary>False: it was not talking.</summary>
    public bool IsTalking => stream.Talking;

    /// <summary>What comes next, if anything, comes after a pause.</summary>
    public async Task PauseAsync(CancellationToken cancellation)
    {
        lock (sending) stream.Pause();
        foreach (var one in running) await one.Session.SpeakAsync(false, cancellation);
    }

    /// <summary>Breaks the newest session's socket without a word.</summary>
    public void Drop()
    {
        if (running is [.., var newest]) newest.Session.Drop();
    }

    public async ValueTask DisposeAsync()
    {
        await ending.CancelAsync();
        await left;
        await LeaveAll();
        ending.Dispose();
    }

    private async Task LeaveAfterOverlap(RunningSession former)
    {
        await Task.WhenAny(former.Ended, Task.Delay(Overlap, options.Time, ending.Token));
        await Leave(former);
        if (running is not [.., { Session: var newest }]) return;
        if (!newest.IsOpen)
        {
            tell(new VoiceEvent.StateChanged(VoiceClientState.Connecting));
            return;
        }

        // Who did not come along.
        foreach (var user in former.Session.Roster.Users.Where(user => !newest.Roster.Has(user))) tell(new VoiceEvent.ClientDisconnected(user));
    }

    private void On(VoiceSession from, VoiceEvent happened)
    {
        var all = running;
        var isNewest = all is [.., var newest] && newest.Session == from;
        var isNews = happened switch
        {
            VoiceEvent.StateChanged { State: var state } => isNewest && (state == VoiceClientState.Connected || !Others(one => one.IsOpen)),
            VoiceEvent.ClientConnected { User: var user } => !Others(one => one.Roster.Has(user)),
            VoiceEvent.ClientDisconnected { User: var user } => !Others(one => one.Roster.Has(user)),
            _ => isNewest || !Others(one => one.IsOpen),
        };
        if (isNews) tell(happened);

        bool Others(Func<VoiceSession, bool> are) => all.Any(one => one.Session != from && are(one.Session));
    }
}
