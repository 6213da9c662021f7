using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Security.Cryptography;
using Microsoft.Extensions.Logging;
using Voice.Protocol;
using Voice.Protocol.Gateway;

namespace Voice.Signaling.Gateway;

/// <summary>All sessions of this gateway process: opens, resumes and ends them, passes their voice states to the guilds, and the
/// guilds' events to them. Safe for all threads.</summary>
internal sealed class GatewaySessions(Grains grains, TimeProvider time, ILogger<GatewaySessions> log) : IGuildObserver
{
    private static readonly TimeSpan SweepInterval = TimeSpan.FromSeconds(5);

    // A guild forgets a process that has not asked for 60 s (IGuildGrain.Subscribe).
    private static readonly TimeSpan RenewInterval = TimeSpan.FromSeconds(20);
    private const int RenewalsAtOnce = 32;

    /// <summary>Bounds what one token can make us keep.</summary>
    public const int MaxSessionsPerUser = 64;

    private readonly ConcurrentDictionary<string, LiveSession> _sessions = new();
    private readonly ConcurrentDictionary<Snowflake, ImmutableHashSet<LiveSession>> _members = new();
    private readonly Lock _selfLock = new();
    private readonly ConcurrentQueue<(LiveSession Session, Snowflake Guild)> _goodbyes = new();
    private readonly long _start = time.GetTimestamp();
    private int _lost;

    public TimeSpan Now => time.GetElapsedTime(_start);

    public TimeProvider Time => time;

    public int Count => _sessions.Count;

    /// <summary>One reference for all guilds: a guild that saw two would send everything twice.</summary>
    private IGuildObserver Self
    {
        get
        {
            lock (_selfLock) return field ??= grains.Observe(this);
        }
    }

    /// <summary>Ends sessions that were alone too long and keeps the subscriptions alive, until told to stop.</summary>
    public async Task Run(CancellationToken stopping)
    {
        using var timer = new PeriodicTimer(SweepInterval, time);
        var renewed = Now;
        try
        {
            while (await timer.WaitForNextTickAsync(stopping))
            {
                foreach (var live in _sessions.Values.Where(s => s.TryExpire(Now))) await End(live);
                for (var waiting = _goodbyes.Count; waiting > 0 && _goodbyes.TryDequeue(out var goodbye); waiting--) await SayGoodbye(goodbye.Session, goodbye.Guild);
                if (Interlocked.Exchange(ref _lost, 0) == 0 && Now - renewed < RenewInterval) continue;
                renewed = Now;
                await Renew(stopping);
            }
        }
        catch (OperationCanceledException)
        {
            // Stopping. The sessions are not ended: their users stay in voice and come back on another socket.
        }
    }

    /// <summary>A gateway process is gone: the guilds that were on it are elsewhere by now, or soon will be, and tell us what we missed once they
    /// hear of us.</summary>
    public Task ProcessLost(CancellationToken stopping)
    {
        Volatile.Write(ref _lost, 1); // once more a little later, for those that were not elsewhere yet
        return Renew(stopping);
    }

    public void OnEvents(Snowflake guild, GuildEvent[] events)
    {
        if (!_members.TryGetValue(guild, out var sessions)) return;
        foreach (var live in sessions) live.Handle(guild, events);
    }

    /// <summary>A new session on this socket: READY, then a GUILD_CREATE for each of the user's guilds. Null if the user has too many
    /// sessions with a socket; of those without, the new one ends what is too many.</summary>
    public async Task<LiveSession?> Open(User user, Identify identify, int version, string resumeUrl, Outbox outbox)
    {
        var own = _sessions.Values.Where(s => s.User.Id == user.Id).ToList();
        if (own.Count >= MaxSessionsPerUser)
        {
            if (own.Find(s => !s.HasSocket) is not { } lost) return null;
            await End(lost);
        }

        var live = new LiveSession(new GatewaySession(RandomNumberGenerator.GetHexString(32, lowercase: true), user.Id, identify.Intents), user, identify.Shard);
        live.Attach(outbox);
        _sessions[live.Id] = live;
        try
        {
            var ids = (await Patiently(() => grains.User(user.Id).Guilds())).Where(live.HasInShard);
            var guilds = (await Task.WhenAll(ids.Select(id => Fetch(live, id)))).OfType<Guild>().ToArray();
            var channels = live.HasPrivateChannels ? await FetchPrivate(live) : [];
            var ready = new Ready(version, user, [.. guilds.Select(g => new UnavailableGuild(g.Id))], live.Id, resumeUrl, new Application(user.Id))
            {
                PrivateChannels = [.. channels.Select(channel => channel.SeenBy(user.Id))],
                Shard = identify.Shard,
            };
            live.Dispatch("READY", GatewayFrame.Data(ready, GatewayJson.Default.Ready));
            foreach (var channel in channels) live.Introduce(channel.Id, create: null);
            foreach (var guild in guilds) Introduce(live, guild);
            return live;
        }
        catch
        {
            await End(live);
            throw;
        }
        finally
        {
            live.Opened();
        }
    }

    public LiveSession? Find(string sessionId) => _sessions.GetValueOrDefault(sessionId);

    /// <summary>Op 4. What the user may not do is the guild's to decide; a guild that is not theirs is not even asked.</summary>
    public async Task SetVoiceState(LiveSession live, VoiceStateUpdate update)
    {
        // In a private call there is no guild, and the channel is its own place; official clients leave from anywhere with two
        // nulls (protocol/gateway.md section 5).
        if ((update.GuildId ?? update.ChannelId) is not { } guild)
        {
            await LeaveVoice(live, except: null);
            return;
        }

        if (!await Knows(live, guild)) return;
        if (update.ChannelId is not null)
        {
            live.InVoice(guild, joined: true);
        }

        var done = await Patiently(() => grains.Guild(guild).UpdateVoiceState(live.User.Id, live.Id, update, grains.Gateway));
        if (update.ChannelId is null) live.InVoice(guild, joined: false);

        // Users are in one voice channel, bots in one per guild (protocol/gateway.md section 5). Who is refused stays where they are.
        else if (done && !live.User.Bot) await LeaveVoice(live, except: guild);
    }

    /// <summary>Op 8. Who is no member is not answered, nor who asks for all members again at once.</summary>
    public async Task SendMembers(LiveSession live, RequestGuildMembers request)
    {
        if (!await Knows(live, request.GuildId)) return;
        if (MemberChunks.IsLarge(request) && !live.TryList(request.GuildId, Now)) return;
        if (await grains.Guild(request.GuildId).Get() is not { } guild) return;
        foreach (var chunk in MemberChunks.Of(guild, request))
        {
            live.Dispatch("GUILD_MEMBERS_CHUNK", GatewayFrame.Data(chunk, GatewayJson.Default.GuildMembersChunk));
        }
    }

    /// <summary>Op 13: the call in a private channel, if there is one.</summary>
    public async Task SendCall(LiveSession live, Snowflake channel)
    {
        if (!await Knows(live, channel) || await grains.Private(channel).GetCall() is not { } call) return;
        live.Dispatch("CALL_CREATE", GatewayFrame.Data(call, GatewayJson.Default.Call));
    }

    /// <summary>Op 5 does not name a guild: all in which this session is in voice are asked to look.</summary>
    public async Task CheckVoiceServer(LiveSession live)
    {
        foreach (var guild in live.VoiceGuilds) await grains.Guild(guild).VoiceServerPing(live.User.Id);
    }

    /// <summary>The user is a member of this guild, or a recipient of this private channel, from now on: their sessions here learn of it.</summary>
    public async Task Joined(Snowflake user, Snowflake guild)
    {
        foreach (var live in _sessions.Values.Where(s => s.User.Id == user))
        {
            await live.Opening; // READY comes first
            await Knows(live, guild);
        }
    }

    /// <summary>The user has left this private channel: their sessions here learn of it.</summary>
    public void Left(Snowflake user, PrivateChannel channel)
    {
        foreach (var live in _sessions.Values.Where(s => s.User.Id == user && s.Guilds.Contains(channel.Id)))
        {
            live.Dispatch("CHANNEL_DELETE", GatewayFrame.Data(channel, GatewayJson.Default.PrivateChannel));
            live.InVoice(channel.Id, joined: false);
            live.Forget(channel.Id);
            Leave(live, channel.Id);
        }
    }

    /// <summary>The session ends for good: it leaves voice, and can not be resumed.</summary>
    public async Task End(LiveSession live)
    {
        if (!_sessions.TryRemove(live.Id, out _)) return;
        live.Ended();
        foreach (var guild in live.Guilds) Leave(live, guild);
        foreach (var guild in live.VoiceGuilds) await SayGoodbye(live, guild);
    }

    /// <summary>A guild that does not hear of it would show the user for ever: it is told again until it does.</summary>
    private async Task SayGoodbye(LiveSession live, Snowflake guild)
    {
        if (!await Guarded("tell the end of a session to", guild, () => grains.Guild(guild).SessionEnded(live.User.Id, live.Id)))
            _goodbyes.Enqueue((live, guild));
    }

    private Task Renew(CancellationToken stopping) => Parallel.ForEachAsync(
        _members.Keys,
        new ParallelOptions { MaxDegreeOfParallelism = RenewalsAtOnce, CancellationToken = stopping },
        async (guild, _) => await Guarded("renew the subscription to", guild, () => grains.Guild(guild).Subscribe(Self)));

    private async Task LeaveVoice(LiveSession live, Snowflake? except)
    {
        foreach (var guild in live.VoiceGuilds.Where(g => g != except))
        {
            await Patiently(() => grains.Guild(guild).UpdateVoiceState(live.User.Id, live.Id, new VoiceStateUpdate(guild, null)));
            live.InVoice(guild, joined: false);
        }
    }

    /// <summary>False if the user is no member, or it is another shard's; a guild or private channel joined since READY is introduced first.</summary>
    private async Task<bool> Knows(LiveSession live, Snowflake guild)
    {
        if (live.Guilds.Contains(guild)) return true;
        var user = grains.User(live.User.Id);
        if ((await Patiently(user.Guilds)).Contains(guild))
        {
            if (live.HasInShard(guild) && await Fetch(live, guild) is { } found) Introduce(live, found);
        }
        else if ((await Patiently(user.PrivateChannels)).Contains(guild))
        {
            if (live.HasPrivateChannels && await FetchPrivate(live, guild) is { } found) live.Introduce(guild, ("CHANNEL_CREATE", GatewayFrame.Data(found.SeenBy(live.User.Id), GatewayJson.Default.PrivateChannel)));
        }

        return live.Guilds.Contains(guild);
    }

    private Task<Guild?> Fetch(LiveSession live, Snowflake guild) => Fetch(live, guild, () => grains.Guild(guild).Get());

    private Task<PrivateChannel?> FetchPrivate(LiveSession live, Snowflake channel) => Fetch(live, channel, () => grains.Private(channel).GetPrivate());

    private async Task<PrivateChannel[]> FetchPrivate(LiveSession live)
    {
        var ids = await Patiently(() => grains.User(live.User.Id).PrivateChannels());
        return [.. (await Task.WhenAll(ids.Select(id => FetchPrivate(live, id)))).OfType<PrivateChannel>()];
    }

    /// <summary>A guild or private channel as it is, with its later events held back for this session; null if there is none.</summary>
    private async Task<T?> Fetch<T>(LiveSession live, Snowflake guild, Func<Task<T?>> get)
        where T : class
    {
        if (!live.Expect(guild)) return null;
        _members.AddOrUpdate(guild, [live], (_, sessions) => sessions.Add(live));
        T? found = null;
        try
        {
            if (!_sessions.ContainsKey(live.Id)) return null; // ended meanwhile: nobody else would take it out again
            await Patiently(() => grains.Guild(guild).Subscribe(Self));
            found = await Patiently(get);
            return found;
        }
        finally
        {
            if (found is null)
            {
                live.Forget(guild);
                Leave(live, guild);
            }
        }
    }

    private static void Introduce(LiveSession live, Guild guild)
    {
        // Here voice states are without guild and member (protocol/gateway.md section 3).
        var states = guild.VoiceStates.Select(s => s with { GuildId = null, Member = null });
        live.Introduce(guild.Id, ("GUILD_CREATE", GatewayFrame.Data(guild with { VoiceStates = [.. states] }, GatewayJson.Default.Guild)));
    }

    private void Leave(LiveSession live, Snowflake guild)
    {
        var left = _members.AddOrUpdate(guild, [], (_, sessions) => sessions.Remove(live));
        if (left.IsEmpty) _members.TryRemove(KeyValuePair.Create(guild, left));
    }

    /// <summary>False: it failed.</summary>
    private async Task<bool> Guarded(string what, Snowflake guild, Func<Task> call)
    {
        try
        {
            await call();
            return true;
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            log.LogWarning(e, "Could not {What} guild {Guild}", what, guild);
            return false;
        }
    }

    private Task<T> Patiently<T>(Func<Task<T>> call) => Patience.For(time, call);

    private Task<bool> Patiently(Func<Task> call) => Patience.For(time, async () =>
    {
        await call();
        return true;
    });
}
