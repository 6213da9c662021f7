using System.Text.Json;
using Voice.Protocol;
using Voice.Protocol.Gateway;

namespace Voice.Signaling.Gateway;

/// <summary>One client's session, which outlives its sockets (protocol/gateway.md section 2): numbers the dispatches, keeps the last
/// of them for Resume, holds back a guild's events until the client has the guild, and knows when it has been alone too long.</summary>
public sealed class GatewaySession(string id, Snowflake user, int? intents = null)
{
    /// <summary>How long a session without a socket may be resumed and keeps its place in voice.</summary>
    public static readonly TimeSpan ResumeWindow = TimeSpan.FromSeconds(120);

    /// <summary>What Resume can repeat; a client that missed more starts anew.</summary>
    public const int MaxReplayMessages = 512;
    public const int MaxReplayBytes = 256 * 1024;

    private const int GuildMembersIntent = 1 << 1;
    private const int GuildVoiceStatesIntent = 1 << 7;

    private readonly Queue<byte[]> _replay = new();
    private readonly Dictionary<Snowflake, List<GuildEvent>?> _guilds = [];
    private int _replayBytes;
    private TimeSpan? _detached;

    public string Id => id;

    public Snowflake User => user;

    /// <summary>Number of the last dispatch; 0 before the first.</summary>
    public int Sequence { get; private set; }

    /// <summary>Guilds and private channels that the client knows or is about to be told of.</summary>
    public IReadOnlyCollection<Snowflake> Guilds => _guilds.Keys;

    /// <summary>Guilds and private channels in which this session has asked to be in voice.</summary>
    public HashSet<Snowflake> VoiceGuilds { get; } = [];

    /// <summary>The next message to the client, kept for replay.</summary>
    public byte[] Dispatch(string type, ReadOnlySpan<byte> data)
    {
        var frame = GatewayFrame.Dispatch(type, ++Sequence, data);
        _replay.Enqueue(frame);
        _replayBytes += frame.Length;
        while (_replay.Count > MaxReplayMessages || _replayBytes > MaxReplayBytes) _replayBytes -= _replay.Dequeue().Length;
        return frame;
    }

    /// <summary>What was dispatched after <paramref name="sequence"/>; null when some of it is no longer kept.</summary>
    public IReadOnlyCollection<byte[]>? Missed(int sequence)
    {
        var missed = Sequence - sequence;
        return missed <= _replay.Count ? [.. _replay.Skip(_replay.Count - missed)] : null;
    }

    /// <summary>From now on the guild's events are held back until <see cref="Introduce"/>.</summary>
    /// <returns>False if the client has the guild already.</returns>
    public bool Expect(Snowflake guild) => _guilds.TryAdd(guild, []);

    /// <summary>The guild can not be had; its events are no longer held back.</summary>
    public void Forget(Snowflake guild) => _guilds.Remove(guild);

    /// <summary>GUILD_CREATE or CHANNEL_CREATE, and what happened while it was fetched: repeated, since a state that is already in it does no harm.</summary>
    /// <param name="create">Null: READY told of it.</param>
    public IEnumerable<byte[]> Introduce(Snowflake guild, (string Type, byte[] Data)? create)
    {
        var held = _guilds.GetValueOrDefault(guild) ?? [];
        _guilds[guild] = null;
        byte[][] first = create is { } made ? [Dispatch(made.Type, made.Data)] : [];
        return [.. first, .. held.Select(e => Dispatch(e.Type, e.Data))];
    }

    /// <summary>The message for an event of a guild; null if it is not for this session, or not yet.</summary>
    public byte[]? Handle(Snowflake guild, GuildEvent e)
    {
        if (e.OnlySession is { } only ? only != id : !Wants(e)) return null;
        if (!_guilds.TryGetValue(guild, out var held)) return null;
        if (held is null) return Dispatch(e.Type, e.Data);
        held.Add(e);
        return null;
    }

    public void Attached() => _detached = null;

    public void Detached(TimeSpan now) => _detached = now;

    public bool Expired(TimeSpan now) => now - _detached >= ResumeWindow;

    private bool Wants(GuildEvent e) => e.Type switch
    {
        // Its own voice state is sent to a session whatever its intents, since a bot that forgot the intent would wait for it
        // for ever (protocol/gateway.md section 2).
        "VOICE_STATE_UPDATE" => Intends(GuildVoiceStatesIntent) || VoiceStateOf(e.Data) == user,
        "GUILD_MEMBER_ADD" => Intends(GuildMembersIntent),
        "GUILD_MEMBER_UPDATE" => Intends(GuildMembersIntent) || MemberOf(e.Data) == user,
        _ => true,
    };

    private bool Intends(int intent) => intents is not { } bits || (bits & intent) != 0;

    private static Snowflake? MemberOf(byte[] data) => JsonSerializer.Deserialize(data, GatewayJson.Default.Member)?.User.Id;

    private static Snowflake? VoiceStateOf(byte[] data)
    {
        var json = new Utf8JsonReader(data);
        while (json.Read())
        {
            if (json.TokenType != JsonTokenType.PropertyName || json.CurrentDepth != 1 || !json.ValueTextEquals("user_id"u8)) continue;
            json.Read();
            return Snowflake.TryParse(json.GetString(), out var id) ? id : null;
        }

        return null;
    }
}
