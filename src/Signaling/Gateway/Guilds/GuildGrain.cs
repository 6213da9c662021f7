using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization.Metadata;
using Microsoft.Extensions.Logging;
using Orleans.Concurrency;
using Orleans.Utilities;
using Voice.Protocol;
using Voice.Protocol.Gateway;
using Voice.Protocol.Links;
using Voice.VoiceAllocator;

namespace Voice.Signaling.Gateway.Guilds;

/// <summary>A shell: stores <see cref="GuildData"/>, hands calls to <see cref="GuildVoice"/> and lets <see cref="CallPump"/>
/// carry out what follows. Reentrant, so that calls which come while a round waits for a node join the next round.</summary>
[GrainType("guild")]
[Reentrant]
public sealed partial class GuildGrain(
    [PersistentState("guild", GuildServices.Storage)] IPersistentState<GuildRecord> guildState,
    [PersistentState("epoch", GuildServices.Storage)] IPersistentState<EpochRecord> epochState,
    [PersistentState("voice", GuildServices.Storage)] IPersistentState<VoiceRecord> voiceState,
    GatewayProcesses gateways,
    VoiceTokenKey tokens,
    TimeProvider time,
    ILogger<GuildGrain> log) : Grain, IGuildGrain, IAssignedGuild, IHostedGuild, IExternalGuild, IPrivateChannelGrain
{
    private const int MaxChannels = 500;
    private const int MaxRoles = 250;
    private const int MaxMembers = 10_000;

    private readonly GuildVoice voice = new(() => RandomNumberGenerator.GetHexString(32, lowercase: true));
    private readonly ObserverManager<IGuildObserver> observers = new(TimeSpan.FromSeconds(60), log);
    private readonly StoredState<GuildRecord> stored = new(guildState);
    private readonly HashSet<Snowflake> arrived = [];
    private CallPump pump = null!;

    /// <summary>The guild; null if there is none, or if this is a private channel.</summary>
    private GuildData? Guild => voice.Data is { Private: false } guild ? guild : null;

    private Snowflake Id => unchecked((ulong)this.GetPrimaryKeyLong());

    public override Task OnActivateAsync(CancellationToken cancellationToken)
    {
        voice.Data = stored.Value.Guild;
        var epochs = new Epochs(new StoredState<EpochRecord>(epochState));
        pump = new CallPump(Id.Value, voice, epochs, GrainFactory.GetGrain<IAllocatorGrain>(0), tokens, Tell, time, log);
        TakeUp();
        return base.OnActivateAsync(cancellationToken);
    }

    /// <summary>Also when the silo is lost that knew where this grain is. A call goes on in the next activation, which nobody else may ask for soon.</summary>
    public override async Task OnDeactivateAsync(DeactivationReason reason, CancellationToken cancellationToken)
    {
        pump.Stop();
        if (!voice.IsIdle) await GrainFactory.GetGrain<IAssignedGuild>(this.GetPrimaryKeyLong()).NodesArrived();
        await base.OnDeactivateAsync(reason, cancellationToken);
    }

    public async Task<Guild?> Create(string name, User owner, string[] voiceChannels)
    {
        if (voice.Data is not null || voice.External) return null;
        var guild = new GuildData { Id = Id, Name = name, OwnerId = owner.Id, CreatedAt = time.GetUtcNow() };
        guild.Roles.Add(new Role(Id, "@everyone"));
        guild.Channels.AddRange(voiceChannels.Select((channel, index) =>
            new Channel(NewId(), ChannelType.Voice, channel) { GuildId = Id, Position = index }));
        guild.Members[owner.Id] = new Member(owner) { JoinedAt = time.GetUtcNow() };
        voice.Data = stored.Value.Guild = guild;
        await stored.Save();
        await User(owner.Id).AddGuild(Id);
        return guild.ToPayload([]);
    }

    public Task<Guild?> Get() => Task.FromResult(Guild?.ToPayload(voice.Participants.Select(one => one.ToState())));

    public async Task<Changed<Guild>> Change(Snowflake? by, GuildChange change)
    {
        if (Guild is not { } guild) return Refusal.UnknownGuild;
        if (new Moderation(guild, voice, by).JudgeGuildChange() is not Refusal.None and var refusal) return refusal;
        guild.Name = change.Name ?? guild.Name;
        if (change.Region is { } region) guild.Region = region.To;
        await stored.Save();
        var now = guild.ToPayload([]);
        Publish([new GuildEvent("GUILD_UPDATE", GuildUpdate(now), null)]);
        voice.RegionChanged();
        voice.Refresh();
        _ = Proceed();
        return now;
    }

    public async Task<Changed<Channel>> CreateChannel(Snowflake? by, string name, ChannelType type, string? rtcRegion, int userLimit)
    {
        if (Guild is not { } guild) return Refusal.UnknownGuild;
        if (new Moderation(guild, voice, by).JudgeNewChannel() is not Refusal.None and var refusal) return refusal;
        if (guild.Channels.Count >= MaxChannels) return Refusal.TooManyChannels;
        var channel = new Channel(NewId(), type, name)
        {
            GuildId = Id,
            Position = guild.Channels.Count,
            RtcRegion = rtcRegion,
            UserLimit = userLimit,
        };
        guild.Channels.Add(channel);
        await stored.Save();
        Publish([Event("CHANNEL_CREATE", channel, GatewayJson.Default.Channel)]);
        return channel;
    }

    public async Task<Changed<Channel>> ChangeChannel(Snowflake? by, Snowflake channel, ChannelChange change)
    {
        if (Guild is not { Channels: var channels } guild) return Refusal.UnknownGuild;
        if (channels.FindIndex(one => one.Id == channel) is not (>= 0 and var index)) return Refusal.UnknownChannel;
        if (new Moderation(guild, voice, by).Judge(channels[index], change) is not Refusal.None and var refusal) return refusal;
        channels[index] = change.ApplyTo(channels[index]);
        await stored.Save();
        Publish([Event("CHANNEL_UPDATE", channels[index], GatewayJson.Default.Channel)]);
        voice.Refresh();
        _ = Proceed();
        return channels[index];
    }

    public async Task<Changed<Role>> CreateRole(Snowflake? by, string name, ulong permissions)
    {
        if (Guild is not { } guild) return Refusal.UnknownGuild;
        if (new Moderation(guild, voice, by).JudgeNewRole(permissions) is not Refusal.None and var refusal) return refusal;
        if (guild.Roles.Count >= MaxRoles) return Refusal.TooManyRoles;
        var role = new Role(NewId(), name) { Permissions = permissions, Position = 1 }; // of the same position the older is higher
        guild.Roles.Add(role);
        await stored.Save();
        Publish([RoleEvent("GUILD_ROLE_CREATE", role)]);
        return role;
    }

    public async Task<Changed<Role>> ChangeRole(Snowflake? by, Snowflake role, string? name, ulong? permissions)
    {
        if (Guild is not { Roles: var roles } guild) return Refusal.UnknownGuild;
        if (roles.FindIndex(one => one.Id == role) is not (>= 0 and var index)) return Refusal.UnknownRole;
        if (new Moderation(guild, voice, by).Judge(roles[index], permissions) is not Refusal.None and var refusal) return refusal;
        roles[index] = roles[index] with { Name = name ?? roles[index].Name, Permissions = permissions ?? roles[index].Permissions };
        await stored.Save();
        Publish([RoleEvent("GUILD_ROLE_UPDATE", roles[index])]);
        voice.Refresh();
        _ = Proceed();
        return roles[index];
    }

    public async Task<Member?> AddMember(User user)
    {
        if (Guild is not { } guild) return null;
        var known = guild.Members.GetValueOrDefault(user.Id);
        if (known is null && guild.Members.Count >= MaxMembers) return null;
        var changed = known?.User != user;
        if (changed) guild.Members[user.Id] = known is null ? new Member(user) { JoinedAt = time.GetUtcNow() } : known with { User = user };
        if (known is null) arrived.Add(user.Id);
        await stored.Save(changed);

        // Also when it was an earlier call that added the member, and its write failed.
        var isNew = arrived.Remove(user.Id);
        if (isNew || changed) Publish([Event(isNew ? "GUILD_MEMBER_ADD" : "GUILD_MEMBER_UPDATE", guild.Members[user.Id], GatewayJson.Default.Member)]);
        await User(user.Id).AddGuild(Id);
        return guild.Members[user.Id];
    }

    public async Task<Changed<Member>> ChangeMember(Snowflake? by, Snowflake user, MemberChange change)
    {
        if (Guild is not { } guild) return Refusal.UnknownGuild;
        if (new Moderation(guild, voice, by).Judge(user, change) is not Refusal.None and var refusal) return refusal;
        var before = guild.Members[user];
        var member = guild.Members[user] = change.ApplyTo(before);
        var changed = member != before;
        await stored.Save(changed);
        if (changed) Publish([Event("GUILD_MEMBER_UPDATE", member, GatewayJson.Default.Member)]);
        if (change.Move is { } move) voice.Move(user, move.To);
        voice.Refresh();
        _ = Proceed();
        return member;
    }

    public Task<Refusal> ChangeVoiceState(Snowflake? by, Snowflake user, VoiceStateChange change)
    {
        if (Guild is not { } guild) return Task.FromResult(Refusal.UnknownGuild);
        var refusal = new Moderation(guild, voice, by).Judge(user, change);
        if (refusal != Refusal.None) return Task.FromResult(refusal);
        voice.ChangeStage(user, change, own: user == by, time.GetUtcNow());
        _ = Proceed();
        return Task.FromResult(Refusal.None);
    }

    public Task Subscribe(IGuildObserver observer)
    {
        observers.Subscribe(observer, observer);
        Welcome(observer);
        return Task.CompletedTask;
    }

    public Task<bool> UpdateVoiceState(Snowflake user, string gatewaySession, VoiceStateUpdate update, string? gateway)
    {
        voice.Update(pump.Now, user, gatewaySession, update, gateway);
        _ = Proceed();
        return Task.FromResult(voice.Find(user) is { } one && one.GatewaySession == gatewaySession && one.Channel == update.ChannelId);
    }

    public async Task VoiceServerPing(Snowflake user)
    {
        if (voice.Find(user) is { } one && voice.Slot(one.Slot)?.Assignment is { } at)
            await GrainFactory.GetGrain<IAllocatorGrain>(0).Probe(at.NodeId);
    }

    public Task SessionEnded(Snowflake user, string gatewaySession)
    {
        voice.SessionEnded(user, gatewaySession);
        _ = Proceed();
        return Task.CompletedTask;
    }

    public Task NodesArrived()
    {
        voice.Touch();
        _ = Proceed();
        return Task.CompletedTask;
    }

    public Task NodeLost(string slot, long epoch, Placed? next)
    {
        pump.NodeLost(slot, epoch, next);
        _ = Proceed();
        return Task.CompletedTask;
    }

    public Task Move(string slot, long epoch)
    {
        pump.Move(slot, epoch);
        _ = Proceed();
        return Task.CompletedTask;
    }

    public Task Relinked(string slot, long epoch, INodeLink link)
    {
        pump.Relinked(slot, epoch, link);
        _ = Proceed();
        return Task.CompletedTask;
    }

    public Task Hosted(HostedGuild hosted, string nodeId, INodeLink link) => pump.Hosted(hosted, nodeId, link);

    public Task Acknowledged(GuildAck ack)
    {
        pump.Acknowledged(ack);
        _ = Proceed();
        return Task.CompletedTask;
    }

    public Task ConnectionChanged(VoiceSessionChanged change)
    {
        voice.ConnectionChanged(pump.Now, change);
        _ = Proceed();
        return Task.CompletedTask;
    }

    public async Task<ExternalCall> Hold(string? region, VoiceMember[]? members)
    {
        if (voice.Data is not null) return new ExternalCall(true, null, []);
        voice.HoldExternal(region, members);
        await Proceed();
        if (voice.Slot("") is not { Assignment: { } at } slot) return new ExternalCall(false, null, []);
        return new ExternalCall(
            false, at, voice.Participants.Where(slot.Holds).ToDictionary(one => one.SessionId, one => pump.TokenFor(one, at)));
    }

    public async Task<bool> LetGo()
    {
        if (!voice.LetGo()) return false;
        await Proceed();
        return true;
    }

    /// <summary>Carries out what changed. The activation stays while anybody is in voice.</summary>
    private async Task Proceed()
    {
        DelayDeactivation(Timeout.InfiniteTimeSpan);
        Watch();
        await pump.Run();
        if (!voice.IsIdle || unstored) return;
        DelayDeactivation(TimeSpan.Zero);
        Watch();
    }

    private void Publish(GuildEvent[] events)
    {
        if (events.Length > 0) observers.Notify(observer => observer.OnEvents(Id, events));
    }

    /// <summary>A resource as an event carries it: with the guild's id.</summary>
    private GuildEvent Event<T>(string type, T resource, JsonTypeInfo<T> shape)
    {
        var data = JsonSerializer.SerializeToNode(resource, shape)!;
        data["guild_id"] = Id.ToString();
        return new GuildEvent(type, JsonSerializer.SerializeToUtf8Bytes(data), null);
    }

    /// <summary>Without what GUILD_CREATE alone carries.</summary>
    private static byte[] GuildUpdate(Guild guild)
    {
        var data = JsonSerializer.SerializeToNode(guild, GatewayJson.Default.Guild)!.AsObject();
        foreach (var name in new[] { "channels", "members", "member_count", "voice_states", "joined_at" }) data.Remove(name);
        return JsonSerializer.SerializeToUtf8Bytes(data);
    }

    private GuildEvent RoleEvent(string type, Role role)
    {
        var data = new JsonObject { ["guild_id"] = Id.ToString(), ["role"] = JsonSerializer.SerializeToNode(role, GatewayJson.Default.Role) };
        return new GuildEvent(type, JsonSerializer.SerializeToUtf8Bytes(data), null);
    }

    private Snowflake NewId() => Snowflake.At(time.GetUtcNow(), (uint)RandomNumberGenerator.GetInt32(1 << 22));

    private IUserGrain User(Snowflake id) => GrainFactory.GetGrain<IUserGrain>(unchecked((long)id.Value));
}
