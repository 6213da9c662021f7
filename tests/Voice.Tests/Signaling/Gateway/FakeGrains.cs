using System.Collections.Concurrent;
using Voice.Protocol;
using Voice.Protocol.Gateway;
using Voice.Signaling.Gateway;
using Voice.VoiceAllocator;

namespace Voice.Tests.Signaling.Gateway;

/// <summary>Guilds and users in memory, without Orleans. Op 4 is answered as a guild would: the state to all, then the server to one.</summary>
internal sealed class FakeGrains
{
    private readonly ConcurrentDictionary<Snowflake, FakeGuild> _guilds = new();
    private readonly ConcurrentDictionary<Snowflake, FakeUser> _users = new();

    public Grains Grains => new(Guild, User, _ => throw new NotSupportedException("no private channels here"), observer => observer, () => Task.FromResult(Nodes));

    public NodeStatus[] Nodes { get; set; } = [];

    public FakeGuild Guild(Snowflake id) => _guilds.GetOrAdd(id, _ => new FakeGuild(this, id));

    public FakeUser User(Snowflake id) => _users.GetOrAdd(id, _ => new FakeUser());

    /// <summary>A guild with one voice channel, whose id is one above the guild's, and these members.</summary>
    public async Task<FakeGuild> MakeGuild(Snowflake id, params Snowflake[] members)
    {
        var guild = Guild(id);
        await guild.Create("guild", new User(1, "owner"), ["Lounge"]);
        foreach (var member in members) await guild.AddMember(new User(member, $"user-{member}"));
        return guild;
    }
}

internal sealed class FakeUser : IUserGrain
{
    private readonly Lock _lock = new();
    private User? _user;
    private Snowflake[] _guilds = [];

    public Task<User?> Get() => Task.FromResult(_user);

    public Task Set(User user)
    {
        _user = user;
        return Task.CompletedTask;
    }

    public Task<Snowflake[]> Guilds() => Task.FromResult(_guilds);

    public Task<Snowflake[]> PrivateChannels() => Task.FromResult<Snowflake[]>([]);

    public Task<bool> AddPrivateChannel(Snowflake channel, bool made) => throw new NotSupportedException();

    public Task RemovePrivateChannel(Snowflake channel) => throw new NotSupportedException();

    public Task<Snowflake> DirectChannel(Snowflake other, Snowflake proposed) => throw new NotSupportedException();

    public Task AddGuild(Snowflake guild)
    {
        lock (_lock) _guilds = [.. _guilds.Append(guild).Distinct()];
        return Task.CompletedTask;
    }
}

internal sealed class FakeGuild(FakeGrains grains, Snowflake id) : IGuildGrain
{
    private readonly Lock _lock = new();
    private readonly HashSet<IGuildObserver> _observers = [];
    private Guild? _guild;
    private ulong _next = id.Value;

    public ConcurrentQueue<(Snowflake User, string Session, VoiceStateUpdate Update)> Updates { get; } = new();

    public ConcurrentQueue<Snowflake> Pings { get; } = new();

    public ConcurrentQueue<string> EndedSessions { get; } = new();

    public TaskCompletionSource Ended { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public Exception? Fault { get; set; }

    public bool IsFull { get; set; }

    public bool RefusesJoins { get; set; }

    public async Task<Guild?> Create(string name, User owner, string[] voiceChannels)
    {
        lock (_lock)
        {
            if (_guild is not null) return null;
            _guild = new Guild(id, name, owner.Id)
            {
                Roles = [new Role(id, "@everyone")],
                Channels = [.. voiceChannels.Select(c => new Channel(++_next, ChannelType.Voice, c) { GuildId = id })],
            };
        }

        await AddMember(owner);
        return _guild;
    }

    public Task<Guild?> Get() => Fault is null ? Task.FromResult(_guild) : Task.FromException<Guild?>(Fault);

    public Task<Changed<Guild>> Change(Snowflake? by, GuildChange change)
    {
        lock (_lock)
        {
            if (!IsOwner(by)) return Task.FromResult<Changed<Guild>>(Refusal.MissingPermissions);
            _guild = _guild! with { Name = change.Name ?? _guild.Name, Region = change.Region is { } region ? region.To : _guild.Region };
            return Task.FromResult<Changed<Guild>>(_guild);
        }
    }

    public Task<Changed<Channel>> CreateChannel(Snowflake? by, string name, ChannelType type, string? rtcRegion, int userLimit)
    {
        lock (_lock)
        {
            if (!IsOwner(by)) return Task.FromResult<Changed<Channel>>(Refusal.MissingPermissions);
            var made = new Channel(++_next, type, name) { GuildId = id, RtcRegion = rtcRegion, UserLimit = userLimit };
            _guild = _guild! with { Channels = [.. _guild.Channels, made] };
            return Task.FromResult<Changed<Channel>>(made);
        }
    }

    public Task<Changed<Channel>> ChangeChannel(Snowflake? by, Snowflake channel, ChannelChange change)
    {
        lock (_lock)
        {
            _guild = _guild! with { Channels = [.. _guild.Channels.Select(c => c.Id == channel ? change.ApplyTo(c) : c)] };
            return Task.FromResult<Changed<Channel>>(_guild.Channels.First(c => c.Id == channel));
        }
    }

    public Task<Changed<Role>> CreateRole(Snowflake? by, string name, ulong permissions)
    {
        lock (_lock)
        {
            if (!IsOwner(by)) return Task.FromResult<Changed<Role>>(Refusal.MissingPermissions);
            var made = new Role(++_next, name) { Permissions = permissions };
            _guild = _guild! with { Roles = [.. _guild.Roles, made] };
            return Task.FromResult<Changed<Role>>(made);
        }
    }

    private bool IsOwner(Snowflake? by) => by is null || by == _guild!.OwnerId;

    // What moderators do is tested against real guilds.
    public Task<Changed<Role>> ChangeRole(Snowflake? by, Snowflake role, string? name, ulong? permissions) => throw new NotSupportedException();

    public Task<Changed<Member>> ChangeMember(Snowflake? by, Snowflake user, MemberChange change) => throw new NotSupportedException();

    public Task<Refusal> ChangeVoiceState(Snowflake? by, Snowflake user, VoiceStateChange change) => throw new NotSupportedException();

    public async Task<Member?> AddMember(User user)
    {
        lock (_lock)
        {
            if (_guild is null || IsFull) return null;
            _guild = _guild with { Members = [.. _guild.Members.Where(m => m.User.Id != user.Id), new Member(user)] };
        }

        await grains.User(user.Id).AddGuild(id);
        return new Member(user);
    }

    public Task Subscribe(IGuildObserver observer)
    {
        lock (_lock) _observers.Add(observer);
        return Task.CompletedTask;
    }

    public Task<bool> UpdateVoiceState(Snowflake user, string gatewaySession, VoiceStateUpdate update, string? gateway)
    {
        Updates.Enqueue((user, gatewaySession, update));
        if (RefusesJoins && update.ChannelId is not null) return Task.FromResult(false);
        var state = new VoiceState(user, "voice-session") { GuildId = id, ChannelId = update.ChannelId, SelfMute = update.SelfMute };
        var events = new List<GuildEvent> { new("VOICE_STATE_UPDATE", GatewayFrame.Data(state, GatewayJson.Default.VoiceState), null) };
        if (update.ChannelId is not null)
        {
            var server = new VoiceServerUpdate("voice-token", id, "127.0.0.1:8090");
            events.Add(new GuildEvent("VOICE_SERVER_UPDATE", GatewayFrame.Data(server, GatewayJson.Default.VoiceServerUpdate), gatewaySession));
        }

        Send([.. events]);
        return Task.FromResult(true);
    }

    public Task VoiceServerPing(Snowflake user)
    {
        Pings.Enqueue(user);
        return Task.CompletedTask;
    }

    public Task SessionEnded(Snowflake user, string gatewaySession)
    {
        EndedSessions.Enqueue(gatewaySession);
        Ended.TrySetResult();
        return Task.CompletedTask;
    }

    public void Send(params GuildEvent[] events)
    {
        IGuildObserver[] observers;
        lock (_lock) observers = [.. _observers];
        foreach (var observer in observers) observer.OnEvents(id, events);
    }
}
