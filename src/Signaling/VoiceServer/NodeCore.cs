using System.Net;
using Voice.Protocol.DiscordUdp;
using Voice.Protocol.Dtls;
using Voice.Protocol.Links;
using Voice.Protocol.Voice;

namespace Voice.Signaling.VoiceServer;

/// <summary>What a node's core is made with.</summary>
/// <param name="ReadToken">Null for a token that is not ours or is over.</param>
/// <param name="Workers">For each media worker where clients reach it, best address first.</param>
internal sealed record NodeIdentity(string NodeId, Func<string, VoiceToken?> ReadToken, DtlsIdentity Dtls, IPEndPoint[][] Workers)
{
    public string Region { get; init; } = "";

    public ushort[] SrtpProfiles { get; init; } = [7, 1];

    /// <summary>See <see cref="NodeOptions.ChannelPeople"/>.</summary>
    public int ChannelPeople { get; init; } = NodeOptions.DefaultChannelPeople;

    /// <summary>Participants that count as a full node.</summary>
    public int MaxSessions { get; init; } = NodeOptions.DefaultMaxSessions;

    /// <summary>See <see cref="NodeOptions.Loudest"/>.</summary>
    public int Loudest { get; init; }

    /// <summary>Names of the UDP protocol's modes to offer, best first.</summary>
    public IReadOnlyList<string> Modes { get; init; } = EncryptionModes.Current;
}

/// <summary>The signalling of a voice node: all its sockets, sessions and guilds, and what the media process should do.
/// No IO, no clock, no thread: every call says what happened and when, and what is to be done about it is put into the
/// outbox. `now` is the time since the node started. One thread at a time (docs/decisions/0003).</summary>
internal sealed class NodeCore(NodeIdentity node, Numbers numbers, Outbox outbox)
{
    public static readonly TimeSpan HeartbeatInterval = TimeSpan.FromMilliseconds(13_750);
    public static readonly TimeSpan HeartbeatTimeout = 3 * HeartbeatInterval;
    public static readonly TimeSpan IdentifyTimeout = TimeSpan.FromSeconds(15);
    public static readonly TimeSpan MediaReplaceTime = TimeSpan.FromSeconds(3);
    public static readonly TimeSpan ResumeWindow = TimeSpan.FromSeconds(60);

    private static readonly BackendVersion Version = new("0.1.0", "0.1.0");

    private readonly Dictionary<long, Connection> connections = [];
    private readonly ServedGuilds guilds = new();
    private readonly Dictionary<(ulong Guild, string Session), VoiceSession> byId = [];
    private readonly HashSet<VoiceSession> severed = [];
    private readonly SessionMedia media = new(node, numbers, outbox);
    private readonly VoiceRooms rooms = new();

    private readonly WorkerPlacement placement =
        new(node.Workers.Length, node.ChannelPeople, Math.Max(1, node.MaxSessions / node.Workers.Length));

    private readonly ProbeChannels probes = new(node, numbers);
    private TimeSpan replacedBy;
    private bool stopped;

    public int Sessions => byId.Count;

    public int Guilds => guilds.Count;

    /// <summary>Media flows, or will in a moment: of a process that was replaced nobody need know.</summary>
    public bool IsMediaReady(TimeSpan now) => media.IsReady || now < replacedBy;

    public HostedGuild[] Hosted() => guilds.Hosted();

    // ---- sockets

    /// <param name="socket">Never used again after it was lost or closed.</param>
    /// <param name="version">Of the protocol, as the client asked for it.</param>
    /// <param name="from">The client's address, if it is known.</param>
    public void Accepted(TimeSpan now, long socket, int version, IPAddress? from)
    {
        if (stopped)
        {
            outbox.Add(new CloseSocket(socket, VoiceCloseCode.VoiceServerCrashed, "the node stops"));
            return;
        }

        connections.Add(socket, new Connection(socket, version, from, now + IdentifyTimeout));
        outbox.Add(new SendFrame(socket, ServerFrame.Hello(new VoiceHello(version, (int)HeartbeatInterval.TotalMilliseconds))));
    }

    public void Received(TimeSpan now, long socket, ClientMessage message)
    {
        if (!connections.TryGetValue(socket, out var connection)) return; // closed by us; this was on its way
        switch (message)
        {
            case Refused refused: Close(connection, refused.Code, refused.Reason); break;
            case Heartbeat heartbeat: Beat(now, connection, heartbeat); break;
            case Identify or Resume when connection.Session is not null:
                Close(connection, VoiceCloseCode.AlreadyAuthenticated, "already identified");
                break;
            case Identify identify: Identified(now, connection, identify); break;
            case Resume resume: Resumed(now, connection, resume); break;
            case var _ when connection.Session is null:
                Close(connection, VoiceCloseCode.NotAuthenticated, "not identified");
                break;
            case SelectProtocol select: Selected(now, connection, connection.Session, select); break;
            case Speaking speaking: Speaks(now, connection.Session, speaking.Flags); break;
            case BackendVersionRequest: outbox.Add(new SendFrame(socket, ServerFrame.Version(Version))); break;
            case Ignored: break;
            default: throw new ArgumentOutOfRangeException(nameof(message), message.GetType().Name, "no such message");
        }

        media.Tell();
    }

    /// <summary>The socket is gone, not by our doing. A session whose client said goodbye ends; any other can be resumed.</summary>
    /// <param name="closeCode">The client's, if it sent one.</param>
    public void Lost(TimeSpan now, long socket, int? closeCode)
    {
        if (!connections.Remove(socket, out var connection) || connection.Session is not { } session) return;
        if (closeCode is 1000 or 1001)
        {
            End(session);
        }
        else
        {
            session.Sever(now + ResumeWindow);
            severed.Add(session);
            Announce(session, VoiceSessionState.Severed);
        }

        media.Tell();
    }

    /// <summary>The node is being stopped. 4015 makes a client resume, and join again when there is nobody to resume with.</summary>
    public void Stop()
    {
        stopped = true;
        foreach (var connection in connections.Values) outbox.Add(new CloseSocket(connection.Socket, VoiceCloseCode.VoiceServerCrashed, "the node stops"));
        connections.Clear();
    }

    /// <summary>Call a few times a second.</summary>
    public void Tick(TimeSpan now)
    {
        foreach (var connection in connections.Values.Where(connection => connection.Deadline <= now).ToArray())
            Close(connection, VoiceCloseCode.SessionTimedOut, connection.Session is null ? "no identify" : "no heartbeat");
        foreach (var session in severed.Where(session => session.GivenUpAt <= now).ToArray()) End(session);
        foreach (var moved in guilds.Tick(now)) EndAll(moved, VoiceCloseCode.Disconnected);
        rooms.Tick(now);
        probes.Tick(now, media);
        media.Tell();
    }

    // ---- gateways

    /// <summary>Voice states pushed by a gateway; running sessions follow them.</summary>
    /// <param name="link">The gateway it came from; answers go there.</param>
    public void Update(TimeSpan now, long link, GuildUpdate update)
    {
        var taken = guilds.Take(now, update);
        if (taken.Ended is { } ended) EndAll(ended, VoiceCloseCode.Disconnected);
        if (taken.Changed is { } changed)
        {
            changed.Link = link;
            FollowStates(changed);
        }

        outbox.Add(new ToGateway(link, taken.Changed is { } whole && update.Whole ? taken.Answer with { Connected = [.. whole.Sessions.Keys] } : taken.Answer));
        media.Tell();
    }

    public void Drop(TimeSpan now, GuildDrop drop)
    {
        if (guilds.Drop(now, drop) is { } ended) EndAll(ended, drop.Terminated ? VoiceCloseCode.CallTerminated : VoiceCloseCode.Disconnected);
        media.Tell();
    }

    /// <summary>A gateway wants to see for itself that media is forwarded.</summary>
    public void OpenProbe(TimeSpan now, long link, string id)
    {
        var opened = probes.Open(now, link, id, media);
        media.Tell(); // before the gateway begins to send
        outbox.Add(new ToGateway(link, opened));
    }

    public void CloseProbe(string id)
    {
        probes.Close(id, media);
        media.Tell();
    }

    // ---- media process

    public void Media(TimeSpan now, MediaEvent happened)
    {
        switch (happened)
        {
            case MediaReport report:
                placement.Report(now, report.Workers);
                break;
            case MediaReady { HasDraft: true }:
                EndAll(media.MissedByDraft(), "media process replaced");
                break;
            case MediaReady ready:
                if (!ready.CanResume) EndAll(media.Served(), "media cannot be resumed");
                media.Start();
                break;
            case TransportConnected connected:
                media.Connected(connected);
                break;
            case TransportReady ready:
                media.Ready(ready.Id);
                break;
            case TransportClosed closed when media.Owner(closed.Id) is { } session:
                MediaClosed(session, closed.Reason);
                break;
            case TransportClosed closed when probes.Closed(closed.Id, media) is { } told:
                outbox.Add(told);
                break;
        }

        media.Tell();
    }

    /// <summary>Another media process waits to take over from the one that serves.</summary>
    public void MediaWaits() => media.Draft();

    /// <summary>The media process is gone. Another is told what it knew and goes on, so that nobody notices, but for those with a handshake under way:
    /// they join again.</summary>
    public void MediaLost(TimeSpan now)
    {
        if (media.IsReady) replacedBy = now + MediaReplaceTime;
        EndAll(media.Lose(), "media process lost");
    }

    // ---- sessions

    private void Beat(TimeSpan now, Connection connection, Heartbeat heartbeat)
    {
        if (connection.Session is { } session)
        {
            connection.Deadline = now + HeartbeatTimeout;
            if (heartbeat.SeqAck is { } seq) session.Confirm(seq);
        }

        outbox.Add(new SendFrame(connection.Socket, ServerFrame.Ack(heartbeat)));
    }

    private void Identified(TimeSpan now, Connection connection, Identify identify)
    {
        var token = node.ReadToken(identify.Token);
        var guild = token is null ? null : guilds.Find(new GuildSlot(token.Guild, token.Slot));
        if (Admission.Refusal(identify, node.NodeId, token, guild, out var member) is { } code)
        {
            Close(connection, code, "identify refused");
            return;
        }

        // A client that comes anew instead of resuming: what it had is over. So is what it has in another of the guild's slots, if the channel
        // went from one to the other and both are here: it would hear itself.
        if (guild!.Sessions.TryGetValue(member!.User, out var before) || byId.TryGetValue((guild.Key.Guild, member.SessionId), out before))
            End(before, VoiceCloseCode.Disconnected, "replaced");

        var room = rooms.Get(new RoomId(guild.Key.Guild, member.Channel));
        var session = new VoiceSession(guild, member, identify.Token, room, placement.Enter(room.Id), numbers.NextSsrc(), outbox);
        guild.Sessions.Add(session.User, session);
        byId[session.Key] = session;
        Attach(now, connection, session);

        var address = node.Workers[session.Worker][0];
        var ready = new VoiceReady(session.Ssrc, address.Address.ToString(), address.Port, [.. node.Modes]);
        session.SendOnce(ServerFrame.Ready(ready with { Node = node.NodeId, Region = node.Region }));
        rooms.Enter(session);
        Announce(session, VoiceSessionState.Connected);
    }

    private void Resumed(TimeSpan now, Connection connection, Resume resume)
    {
        if (!byId.TryGetValue((resume.ServerId.Value, resume.SessionId), out var session))
        {
            Close(connection, VoiceCloseCode.SessionNoLongerValid, "no such session");
            return;
        }

        // The token may be over by now, the session is not: it counts that its client has the one that opened it.
        if (!session.IsOpenedBy(resume.Token))
        {
            Close(connection, VoiceCloseCode.AuthenticationFailed, "resume refused");
            return;
        }

        if (resume.ChannelId is { } channel && channel.Value != session.Room.Id.Channel)
        {
            Close(connection, VoiceCloseCode.SessionNoLongerValid, "the session is in another channel");
            return;
        }

        var old = session.Socket;
        if (!session.TryResume(connection.Socket, resume.SeqAck, numbered: connection.Version >= 8))
        {
            // It will ask the gateway for a new one, and the gateway must know that it has none.
            End(session, VoiceCloseCode.SessionNoLongerValid, "missed messages are gone");
            Close(connection, VoiceCloseCode.SessionNoLongerValid, "missed messages are gone");
            return;
        }

        // The client noticed before we did that its old socket is dead.
        if (old is { } socket && connections.Remove(socket)) outbox.Add(new CloseSocket(socket, VoiceCloseCode.Disconnected, "resumed"));
        Attach(now, connection, session);
        Announce(session, VoiceSessionState.Connected);
    }

    private void Attach(TimeSpan now, Connection connection, VoiceSession session)
    {
        connection.Session = session;
        connection.Deadline = now + HeartbeatTimeout;
        session.Attach(connection.Socket);
        severed.Remove(session);
    }

    private void Selected(TimeSpan now, Connection connection, VoiceSession session, SelectProtocol select)
    {
        var refusal = session.Selections.TryTake(now)
            ? media.Select(session, select, connection.From)
            : new Refused(VoiceCloseCode.RateLimited, "too many selections");
        if (refusal is { } refused) Close(connection, refused.Code, refused.Reason);
    }

    private void Speaks(TimeSpan now, VoiceSession session, SpeakingFlags flags)
    {
        session.Room.Speaks(now, session, flags);
        media.SetFlags(session);
    }

    private void MediaClosed(VoiceSession session, TransportCloseReason reason)
    {
        switch (reason)
        {
            case TransportCloseReason.FingerprintMismatch: End(session, VoiceCloseCode.BadRequest, "not the certificate that was signalled"); break;
            case TransportCloseReason.KeyExhausted or TransportCloseReason.NotResumed:
                End(session, VoiceCloseCode.SessionNoLongerValid, reason.ToString());
                break;
            case TransportCloseReason.PeerClosed: media.Stop(session); break; // it may select again, or leave
            default: End(session, VoiceCloseCode.WebRtcCrashed, reason.ToString()); break;
        }
    }

    // ---- guilds

    private void FollowStates(ServedGuild guild)
    {
        foreach (var session in guild.Sessions.Values.ToArray())
        {
            if (guild.Member(session.User) is not { } member || member.SessionId != session.Id || member.Channel != session.Room.Id.Channel)
                End(session, VoiceCloseCode.Disconnected, "left or moved");
            else
                SetFlags(session, VoiceSession.FlagsOf(member));
        }
    }

    private void SetFlags(VoiceSession session, VoiceFlags flags)
    {
        if (session.Flags == flags) return;
        session.Flags = flags;
        media.SetFlags(session);
    }

    private void EndAll(ServedGuild guild, VoiceCloseCode code)
    {
        foreach (var session in guild.Sessions.Values.ToArray()) End(session, code, "assignment ended");
    }

    // ---- ends

    /// <summary>4006 makes every client join again.</summary>
    private void EndAll(VoiceSession[] sessions, string reason)
    {
        foreach (var session in sessions) End(session, VoiceCloseCode.SessionNoLongerValid, reason);
    }

    /// <summary>Server side close: what the socket carried is over too.</summary>
    private void Close(Connection connection, VoiceCloseCode code, string reason)
    {
        if (connection.Session is { } session)
        {
            End(session, code, reason);
        }
        else
        {
            connections.Remove(connection.Socket);
            outbox.Add(new CloseSocket(connection.Socket, code, reason));
        }
    }

    /// <summary>The session is gone for good.</summary>
    private void End(VoiceSession session, VoiceCloseCode code = VoiceCloseCode.Disconnected, string reason = "")
    {
        if (session.Socket is { } socket && connections.Remove(socket)) outbox.Add(new CloseSocket(socket, code, reason));
        Announce(session, VoiceSessionState.Ended);
        session.Guild.Sessions.Remove(session.User);
        severed.Remove(session);
        rooms.Leave(session);
        placement.Leave(session.Room.Id, session.Worker);
        byId.Remove(session.Key);
        media.Stop(session);
    }

    private void Announce(VoiceSession session, VoiceSessionState state) => outbox.Add(new ToGateway(
        session.Guild.Link,
        new VoiceSessionChanged(session.Guild.Key.Guild, session.Guild.Key.Slot, session.Guild.Epoch, session.User, session.Id, state)));

    private sealed class Connection(long socket, int version, IPAddress? from, TimeSpan deadline)
    {
        public long Socket => socket;

        public int Version => version;

        public IPAddress? From => from;

        /// <summary>For Identify first, for the next heartbeat then.</summary>
        public TimeSpan Deadline { get; set; } = deadline;

        public VoiceSession? Session { get; set; }
    }
}
