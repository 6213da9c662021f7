using System.Net.Sockets;
using System.Security.Cryptography;
using Voice.Client.WebRtc;
using Voice.Protocol.Voice;

namespace Voice.Client;

/// <summary>One session with a voice server, from Identify until it ends for good, over lost sockets.</summary>
internal sealed class VoiceSession : IAsyncDisposable
{
    private const int MaxResumes = 5;
    private static readonly TimeSpan FirstRetry = TimeSpan.FromMilliseconds(100);

    private readonly VoiceAssignment assignment;
    private readonly VoiceClientOptions options;
    private readonly Action<VoiceEvent> tell;
    private readonly IMediaPath media;
    private readonly TaskCompletionSource mediaLost = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TalkStream stream;
    private readonly Lock sending = new();

    private volatile VoiceSocket? socket;
    private ServerMessage.Ready? ready;
    private volatile bool open;
    private volatile bool speaking;
    private ulong index = (ulong)RandomNumberGenerator.GetInt32(1, 0x7FFF); // RFC 3711 section 3.3.1: below 2^15, so that no loss makes receivers misjudge the rollover
    private int seqAck = -1;
    private int resumes;
    private long? socketUp;
    private long? connected;

    /// <param name="number">Higher than that of every earlier session of the client.</param>
    /// <param name="stream">Of the client: what it says is timed alike for all its sessions.</param>
    public VoiceSession(
        int number, VoiceAssignment assignment, TalkStream stream, VoiceClientOptions options, FrameReceiver receiver, Action<VoiceSession, VoiceEvent> tell)
    {
        (this.assignment, this.stream, this.options, this.tell) = (assignment, stream, options, happened => tell(this, happened));
        PacketHandler take = (in packet, index) =>
        {
            // Nobody's yet: beside another session it is that one's until we know.
            if (Roster.Find(packet.Ssrc) is var user && (user is not null || !IsBeside)) receiver.Take(number, packet, index, user);
            if (receiver.Failure is { } failure) End(failure);
        };
        KeyWitness? witness = options.Witness is { } make ? key => make(assignment, key) : null;
        media = options.Transport == VoiceTransport.Udp ? new UdpMediaPath(options, take, SayNothing, witness) : new WebRtcMediaPath(options, take, witness);
    }

    public Roster Roster { get; } = new();

    /// <summary>Media goes both ways.</summary>
    public bool IsOpen => open;

    /// <summary>An earlier session still runs.</summary>
    public bool IsBeside { get; set; }

    /// <summary>Media went both ways for a while.</summary>
    public bool HasSettled => IsSettled(connected);

    public long Refused => media.Refused;

    /// <summary>Runs until the session ends, says why, and it cannot be resumed.</summary>
    /// <exception cref="OperationCanceledException">As asked for.</exception>
    public async Task<VoiceClosedException> RunAsync(CancellationToken cancellation)
    {
        while (true)
        {
            try
            {
                await RunSocket(cancellation);
            }
            catch (VoiceClosedException e)
            {
                // Session and media live on (section 4.6).
                if (ready is null || !IsResumable(e.Code) || mediaLost.Task.IsCompleted || resumes >= MaxResumes) return e;
                tell(new VoiceEvent.StateChanged(VoiceClientState.Resuming));
            }

            await Task.Delay(FirstRetry * (Math.Pow(2, resumes++) - 1), options.Time, cancellation); // the first at once
        }
    }

    /// <summary>What comes next is speech, or is not any more. Section 4.5: once before media.</summary>
    public ValueTask SpeakAsync(bool on, CancellationToken cancellation)
    {
        if (speaking == on || !open) return ValueTask.CompletedTask;
        speaking = on;
        return TellSpeaking(on ? SpeakingFlags.Microphone : SpeakingFlags.None, cancellation);
    }

    /// <summary>Sends at once, if there is a path.</summary>
    public void Send(uint timestamp, bool marker, ReadOnlySpan<byte> opus)
    {
        lock (sending)
        {
            if (open) media.Send(index++, timestamp, marker, opus);
        }
    }

    /// <summary>Our server skips a packet without payload, so that no listener sees a gap.</summary>
    private void SayNothing()
    {
        lock (sending) media.Send(index++, stream.Timestamp, marker: false, []);
    }

    /// <summary>Breaks the socket without a word.</summary>
    public void Drop() => socket?.Abort();

    public ValueTask DisposeAsync()
    {
        open = false;
        return media.DisposeAsync();
    }

    // protocol/voice-gateway.md section 7, "resume".
    private static bool IsResumable(int? code) =>
        code is null or < 4000 or (int)VoiceCloseCode.WebRtcCrashed or (int)VoiceCloseCode.VoiceServerCrashed;

    private bool IsSettled(long? since) => since is { } at && options.Time.GetElapsedTime(at) >= Backoff.Settled;

    /// <summary>One socket, from Identify or Resume to its end, which is always an exception.</summary>
    private async Task RunSocket(CancellationToken cancellation)
    {
        using var life = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        using var current = new VoiceSocket(options, seqAck);
        try
        {
            if (!Uri.TryCreate($"wss://{assignment.Endpoint}/?v=8", UriKind.Absolute, out var uri))
                throw new VoiceClosedException(null, $"'{assignment.Endpoint}' is no voice server's address");
            socketUp = null;
            await current.Connect(uri, cancellation);

            // The server's goodbye ends the reading below: cancelling that would end the socket unsaid.
            await using var goodbye = cancellation.Register(() => _ = current.Close());
            socket = current;
            if (mediaLost.Task.IsFaulted) await mediaLost.Task; // while there was no socket to end
            await current.Send(
                ready is null
                    ? ClientFrame.Identify(assignment.Guild, assignment.Channel, assignment.User, assignment.SessionId, assignment.Token)
                    : ClientFrame.Resume(assignment.Guild, assignment.SessionId, assignment.Token, seqAck),
                cancellation);
            while (true) Handle(current, await current.Receive(), life.Token);
        }
        catch (VoiceClosedException)
        {
            cancellation.ThrowIfCancellationRequested();
            if (mediaLost.Task.IsFaulted) await mediaLost.Task;
            throw;
        }
        finally
        {
            socket = null;
            seqAck = current.SeqAck;
            if (IsSettled(socketUp)) resumes = 0;
            await life.CancelAsync();
        }
    }

    private void Handle(VoiceSocket current, ServerMessage message, CancellationToken cancellation)
    {
        switch (message)
        {
            case ServerMessage.Hello hello: current.StartHeartbeat(hello.HeartbeatInterval); break;
            case ServerMessage.Ready its when ready is null:
                ready = its;
                _ = OrEnd(async () => await current.Send(await media.SelectAsync(its, cancellation), cancellation));
                break;
            case ServerMessage.Description description when !open: _ = OrEnd(() => Open(description, cancellation)); break;
            case ServerMessage.Resumed:
                socketUp = options.Time.GetTimestamp();
                tell(new VoiceEvent.StateChanged(open ? VoiceClientState.Connected : VoiceClientState.Connecting));
                if (speaking) _ = TellSpeaking(SpeakingFlags.Microphone, cancellation).AsTask();
                break;
            case ServerMessage.ClientsConnect others:
                foreach (var user in others.Users)
                {
                    if (Roster.Enter(user)) tell(new VoiceEvent.ClientConnected(user));
                }

                break;
            case ServerMessage.ClientDisconnect other:
                if (Roster.Leave(other.User)) tell(new VoiceEvent.ClientDisconnected(other.User));
                break;
            case ServerMessage.Speaking speaking:
                Roster.Assign(speaking.Ssrc, speaking.User);
                tell(new VoiceEvent.Speaking(speaking.User, speaking.Ssrc, speaking.Flags));
                break;
        }
    }

    private async Task Open(ServerMessage.Description description, CancellationToken cancellation)
    {
        await media.OpenAsync(description, cancellation);
        open = true;
        connected = socketUp = options.Time.GetTimestamp();
        _ = WatchMedia();
        tell(new VoiceEvent.StateChanged(VoiceClientState.Connected));
    }

    private async Task WatchMedia()
    {
        try
        {
            await media.Lost;
        }
        catch (VoiceClosedException e)
        {
            End(e);
        }
    }

    /// <summary>What fails here ends the session: it is no use without media.</summary>
    private async Task OrEnd(Func<Task> step)
    {
        try
        {
            await step();
        }
        catch (OperationCanceledException)
        {
            // The socket ended meanwhile. Without media there is nothing to resume.
            End(new VoiceClosedException(null, "the voice socket ended before media was agreed on"));
        }
        catch (VoiceClosedException e)
        {
            End(e);
        }
        catch (SocketException e)
        {
            End(new VoiceClosedException(null, e.Message, e));
        }
    }

    private void End(VoiceClosedException reason)
    {
        open = false;
        mediaLost.TrySetException(reason);
        _ = mediaLost.Task.Exception; // seen
        socket?.Abort();
    }

    private async ValueTask TellSpeaking(SpeakingFlags flags, CancellationToken cancellation)
    {
        try
        {
            if (socket is { } current) await current.Send(ClientFrame.Speaking(flags, ready!.Ssrc), cancellation);
        }
        catch (Exception e) when (e is VoiceClosedException or OperationCanceledException)
        {
            cancellation.ThrowIfCancellationRequested(); // else: told again after the resume
        }
    }
}
