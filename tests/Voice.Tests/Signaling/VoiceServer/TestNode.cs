using System.Net;
using System.Text;
using System.Text.Json;
using Voice.Protocol.DiscordUdp;
using Voice.Protocol.Dtls;
using Voice.Protocol.Links;
using Voice.Protocol.Voice;
using Voice.Signaling;
using Voice.Signaling.VoiceServer;
using Voice.Tests.Protocol.Voice;

namespace Voice.Tests.Signaling.VoiceServer;

/// <summary>A node's core in virtual time: tokens are a table, sockets are lists.</summary>
internal sealed class TestNode
{
    public const ulong Guild = 41;
    public const ulong Lobby = 100;
    public const ulong Den = 200;
    public const long Epoch = 5;
    public const string NodeId = "node-1";

    private readonly Outbox outbox = new();
    private MediaFold? draft;
    private readonly Dictionary<string, VoiceToken> tokens = [];
    private readonly Dictionary<long, TestClient> clients = [];
    private readonly Dictionary<ulong, VoiceMember> members = [];
    private long revision;
    private long lastSocket;

    public TestNode(int workers = 1, bool mediaReady = true, IReadOnlyList<string>? modes = null, string announced = "192.0.2.7",
        int loudest = 0, int channelPeople = 400)
    {
        var random = new Random(1);
        var addresses = Enumerable.Range(0, workers).Select(i => new[] { new IPEndPoint(IPAddress.Parse(announced), 50000 + i) });
        var identity = new NodeIdentity(NodeId, text => tokens.GetValueOrDefault(text), Dtls, [.. addresses])
        {
            Modes = modes ?? EncryptionModes.Current,
            Loudest = loudest,
            ChannelPeople = channelPeople,
        };
        Core = new NodeCore(identity, new Numbers(bytes => random.NextBytes(bytes.Span)), outbox);
        if (mediaReady) Media(new MediaReady(1, workers));
    }

    public static DtlsIdentity Dtls { get; } = DtlsIdentity.Make(DateTimeOffset.UnixEpoch);

    public NodeCore Core { get; }

    public TimeSpan Now { get; private set; }

    /// <summary>Whether the media process says at once that it has a UDP transport.</summary>
    public bool MediaAnswers { get; set; } = true;

    public List<MediaCommand> MediaCommands { get; } = [];

    public List<NodeMessage> ToGateways { get; } = [];

    public MediaFold Plan { get; private set; } = new();

    public TestClient Connect(int version = 8, string? from = "198.51.100.9")
    {
        var client = new TestClient(this, ++lastSocket);
        clients.Add(client.Socket, client);
        Core.Accepted(Now, client.Socket, version, from is null ? null : IPAddress.Parse(from));
        Deliver();
        return client;
    }

    /// <summary>Pushes the member, connects, identifies and selects: a participant with media.</summary>
    public TestClient Join(ulong user, ulong channel = Lobby)
    {
        var client = JoinWithoutMedia(user, channel);
        client.Select();
        return client;
    }

    public TestClient JoinWithoutMedia(ulong user, ulong channel = Lobby)
    {
        Push(Member(user, channel));
        var client = Connect();
        client.Identify(user);
        return client;
    }

    public static VoiceMember Member(ulong user, ulong channel = Lobby, string? session = null) =>
        new(user, channel, session ?? $"session-{user}-{channel}", false, false, false, false, false);

    public VoiceMember Pushed(ulong user) => members[user];

    /// <summary>A delta of voice states, the next revision; the first is whole.</summary>
    public void Push(params VoiceMember[] put)
    {
        foreach (var member in put) members[member.User] = member;
        Update(new GuildUpdate(Guild, "", Epoch, ++revision, Whole: revision == 1, put, []));
    }

    public void Remove(ulong user) => Update(new GuildUpdate(Guild, "", Epoch, ++revision, false, [], [user]));

    public void Update(GuildUpdate update)
    {
        Core.Update(Now, link: 0, update);
        Deliver();
    }

    public void Drop(long epoch = Epoch, bool terminated = false)
    {
        Core.Drop(Now, new GuildDrop(Guild, "", epoch, terminated));
        Deliver();
    }

    /// <summary>A gateway asks for its hidden channel, again or for the first time.</summary>
    public ProbeOpened OpenProbe(string id)
    {
        Core.OpenProbe(Now, link: 0, id);
        Deliver();
        return ToGateways.OfType<ProbeOpened>().Last();
    }

    public void CloseProbe(string id)
    {
        Core.CloseProbe(id);
        Deliver();
    }

    /// <summary>The guild has gone to another node.</summary>
    public void Move(int overlapMillis)
    {
        Core.Drop(Now, new GuildDrop(Guild, "", Epoch, OverlapMillis: overlapMillis));
        Deliver();
    }

    public void Stop()
    {
        Core.Stop();
        Deliver();
    }

    /// <summary>There is a media process, and it is told everything.</summary>
    public bool IsTold { get; private set; }

    public void Media(MediaEvent happened)
    {
        IsTold |= happened is MediaReady;
        Core.Media(Now, happened);
        Deliver();
    }

    /// <summary>Another media process waits to take over.</summary>
    public void MediaWaits()
    {
        Core.MediaWaits();
        Deliver();
    }

    /// <summary>If one waits, it serves from now on, and knows what it was told while it waited.</summary>
    public void MediaReplaced()
    {
        if (draft is null) return;
        (Plan, draft) = (draft, null);
        Media(new MediaReady(2, 1, HasDraft: true));
    }

    public void MediaLost()
    {
        IsTold = false;
        draft = null;
        Core.MediaLost(Now);
        Deliver();
    }

    public void Pass(TimeSpan time)
    {
        Now += time;
        Core.Tick(Now);
        Deliver();
    }

    /// <summary>From now on no token is accepted any more.</summary>
    public void ExpireTokens() => tokens.Clear();

    /// <summary>A token for what was pushed, but for what the change says.</summary>
    public string Token(ulong user, Func<VoiceToken, VoiceToken>? change = null)
    {
        var member = members[user];
        var token = new VoiceToken(Guild, member.Channel, user, member.SessionId, NodeId, Epoch, "");
        var text = $"token-{tokens.Count}";
        tokens.Add(text, change is null ? token : change(token));
        return text;
    }

    internal void Receive(long socket, string json)
    {
        Core.Received(Now, socket, ClientMessage.Parse(Encoding.UTF8.GetBytes(json)));
        Deliver();
    }

    internal void Lose(long socket, int? code)
    {
        Core.Lost(Now, socket, code);
        Deliver();
    }

    private void Deliver()
    {
        var put = new List<uint>();
        foreach (var output in outbox.Take())
        {
            switch (output)
            {
                case SendFrame(var socket, var frame): clients[socket].Take(frame); break;
                case CloseSocket(var socket, var code, _): clients[socket].Closed = code; break;
                case ToMedia(var command):
                    MediaCommands.Add(command);
                    if (command is MediaSnapshot { IsDraft: true }) draft = new();
                    else Plan.Apply(command);
                    draft?.Apply(command);
                    put.AddRange(MediaFold.ChangesOf(command).OfType<PutTransport>().Where(transport => transport.Path is UdpPath).Select(transport => transport.Id));
                    break;
                case ToGateway(_, var message): ToGateways.Add(message); break;
            }
        }

        if (!MediaAnswers) return;
        foreach (var transport in put) Media(new TransportReady(transport));
    }
}

/// <summary>One client's socket: sends JSON, keeps what it was sent.</summary>
internal sealed class TestClient(TestNode node, long socket)
{
    private int read;

    public long Socket => socket;

    public ulong User { get; private set; }

    public string Token { get; private set; } = "";

    public List<JsonElement> Frames { get; } = [];

    public VoiceCloseCode? Closed { get; set; }

    public uint Ssrc => Frames.Last(frame => Op(frame) == VoiceOpcode.Ready).GetProperty("d").GetProperty("ssrc").GetUInt32();

    public int LastSeq => Frames.Where(frame => frame.TryGetProperty("seq", out _)).Select(frame => frame.GetProperty("seq").GetInt32()).LastOrDefault();

    public static VoiceOpcode Op(JsonElement frame) => (VoiceOpcode)frame.GetProperty("op").GetInt32();

    public void Send(VoiceOpcode op, object? d) => SendText(JsonSerializer.Serialize(new { op = (int)op, d }));

    public void SendText(string json) => node.Receive(Socket, json);

    public void Identify(ulong user, string? token = null, string? session = null, ulong server = TestNode.Guild, ulong? channel = null)
    {
        User = user;
        Token = token ?? node.Token(user);
        Send(VoiceOpcode.Identify, new
        {
            server_id = server.ToString(),
            channel_id = channel?.ToString(),
            user_id = user.ToString(),
            session_id = session ?? node.Pushed(user).SessionId,
            token = Token,
        });
    }

    public void Select(string fragment = Samples.Chromium) => Send(VoiceOpcode.SelectProtocol, new { protocol = "webrtc", data = fragment, sdp = fragment });

    public void SelectUdp(string mode = "aead_aes256_gcm_rtpsize", string? address = "203.0.113.7", int port = 50_004) =>
        Send(VoiceOpcode.SelectProtocol, new { protocol = "udp", data = new { address, port, mode } });

    public void Speak(int flags) => Send(VoiceOpcode.Speaking, new { speaking = flags, delay = 5, ssrc = 99 });

    public void Beat(int? seqAck = null) => Send(VoiceOpcode.Heartbeat, new { t = 1, seq_ack = seqAck });

    public void Lose(int? code = null) => node.Lose(Socket, code);

    /// <summary>A new socket that asks to go on with this one's session.</summary>
    public TestClient Resume(int? seqAck, int version = 8, string? token = null, ulong? channel = null)
    {
        var again = node.Connect(version);
        (again.User, again.Token) = (User, token ?? Token);
        again.Send(VoiceOpcode.Resume, new
        {
            server_id = TestNode.Guild.ToString(),
            channel_id = channel?.ToString(),
            session_id = node.Pushed(User).SessionId,
            token = again.Token,
            seq_ack = seqAck,
        });
        return again;
    }

    public void Take(byte[] frame) => Frames.Add(JsonElement.Parse(frame));

    /// <summary>What arrived since the last call, as "op" or "op user", in order.</summary>
    public string[] News()
    {
        var news = Frames.Skip(read).Select(Describe).ToArray();
        read = Frames.Count;
        return news;
    }

    private static string Describe(JsonElement frame)
    {
        var op = Op(frame);
        var d = frame.GetProperty("d");
        return op switch
        {
            VoiceOpcode.Speaking => $"{op} {d.GetProperty("user_id")}={d.GetProperty("speaking")}",
            VoiceOpcode.ClientsConnect => $"{op} {string.Join(',', d.GetProperty("user_ids").EnumerateArray())}",
            VoiceOpcode.ClientDisconnect or VoiceOpcode.ClientFlags or VoiceOpcode.ClientPlatform => $"{op} {d.GetProperty("user_id")}",
            _ => op.ToString(),
        };
    }
}

/// <summary>What a media process knows after the commands it was sent.</summary>
internal sealed class MediaFold
{
    public Dictionary<uint, PutTransport> Transports { get; } = [];

    public Dictionary<uint, PutTrack> Tracks { get; } = [];

    public Dictionary<(uint Track, uint Listener), PutSubscription> Subscriptions { get; } = [];

    public Dictionary<uint, PutGroup> Groups { get; } = [];

    public long Revision { get; private set; }

    public static MediaChange[] ChangesOf(MediaCommand command) => command switch
    {
        MediaSnapshot snapshot => snapshot.Changes,
        MediaDelta delta => delta.Changes,
        _ => [],
    };

    public void Apply(MediaCommand command)
    {
        switch (command)
        {
            case MediaSnapshot snapshot:
                Transports.Clear();
                Tracks.Clear();
                Subscriptions.Clear();
                Groups.Clear();
                Apply(snapshot.Revision, snapshot.Changes);
                break;
            case MediaDelta delta:
                if (delta.Revision != Revision + 1) throw new InvalidOperationException("a delta is missing");
                Apply(delta.Revision, delta.Changes);
                break;
        }
    }

    private void Apply(long revision, MediaChange[] changes)
    {
        Revision = revision;
        foreach (var change in changes)
        {
            switch (change)
            {
                case PutTransport put: Transports[put.Id] = put; break;
                case DropTransport drop: Transports.Remove(drop.Id); break;
                case PutGroup put: Groups[put.Id] = put; break;
                case DropGroup drop: Groups.Remove(drop.Id); break;
                case PutTrack put when put.Group != 0 && !Groups.ContainsKey(put.Group): throw new InvalidOperationException("no such group");
                case PutTrack put: Tracks[put.Ssrc] = put; break;
                case DropTrack drop: Tracks.Remove(drop.Ssrc); break;
                case PutSubscription put: Subscriptions[(put.Track, put.Listener)] = put; break;
                case DropSubscription drop: Subscriptions.Remove((drop.Track, drop.Listener)); break;
            }
        }
    }
}
