using Voice.Protocol;
using Voice.Protocol.Gateway;

namespace Voice.Signaling.Gateway;

/// <summary>One guild: its roles, channels, members, voice states, its voice server and epoch. Key: the guild id, as a long.
/// Everything a client should see of a change goes out through the observers; methods return when the change is stored.</summary>
public interface IGuildGrain : IGrainWithIntegerKey
{
    /// <summary>Makes the guild with an everyone role and the given voice channels; null if it exists already.</summary>
    Task<Guild?> Create(string name, User owner, string[] voiceChannels);

    /// <summary>The guild with its current voice states; null if there is none.</summary>
    Task<Guild?> Get();

    // Whether `by` may do what is asked is judged here, together with doing it. Null is an administrator of the installation.
    Task<Changed<Guild>> Change(Snowflake? by, GuildChange change);

    Task<Changed<Channel>> CreateChannel(Snowflake? by, string name, ChannelType type, string? rtcRegion, int userLimit);

    Task<Changed<Channel>> ChangeChannel(Snowflake? by, Snowflake channel, ChannelChange change);

    /// <summary>Makes a role below all others.</summary>
    Task<Changed<Role>> CreateRole(Snowflake? by, string name, ulong permissions);

    /// <param name="by">Who asks.</param>
    /// <param name="role">Which.</param>
    /// <param name="name">Null: as it was.</param>
    /// <param name="permissions">Null: as they were.</param>
    Task<Changed<Role>> ChangeRole(Snowflake? by, Snowflake role, string? name, ulong? permissions);

    /// <summary>Mutes, deafens, moves or disconnects a member, or changes their roles, if <paramref name="by"/> may; at once in a running call.</summary>
    /// <param name="by">Who asks, a member; null: an administrator of the installation.</param>
    Task<Changed<Member>> ChangeMember(Snowflake? by, Snowflake user, MemberChange change);

    /// <summary>Lets somebody speak on a stage, or not, or asks for it, if <paramref name="by"/> may.</summary>
    /// <param name="by">As for <see cref="ChangeMember"/>.</param>
    Task<Refusal> ChangeVoiceState(Snowflake? by, Snowflake user, VoiceStateChange change);

    /// <summary>Adds the user, or answers the member that exists (with an updated name); null if there is no such guild or it is full.</summary>
    Task<Member?> AddMember(User user);

    /// <summary>Renews a gateway process's interest in this guild's events for 60 s; call it every 20 s.</summary>
    Task Subscribe(IGuildObserver observer);

    /// <summary>Op 4 from a gateway session. Refusals (no such channel, no permission, full) are silent, as documented.</summary>
    /// <param name="gatewaySession">The main gateway session that asks; VOICE_SERVER_UPDATE goes to it alone.</param>
    /// <param name="gateway">The gateway process that has this session (<see cref="Grains.Gateway"/>); null: never mind when it is gone.</param>
    /// <returns>Whether the session is in the channel then; of no meaning when it leaves.</returns>
    Task<bool> UpdateVoiceState(Snowflake user, string gatewaySession, VoiceStateUpdate update, string? gateway = null);

    /// <summary>Op 5: the user's voice socket broke. Makes the allocator probe; is never believed.</summary>
    Task VoiceServerPing(Snowflake user);

    /// <summary>The gateway session ended for good: its voice state leaves.</summary>
    Task SessionEnded(Snowflake user, string gatewaySession);
}

/// <summary>A gateway process, as a guild sees it.</summary>
public interface IGuildObserver : IGrainObserver
{
    /// <summary>Dispatches in order, in one message so that their order holds (state before server update).</summary>
    void OnEvents(Snowflake guild, GuildEvent[] events);
}

/// <summary>A dispatch for the sessions of a guild's members, or for one session only.</summary>
/// <param name="Type">Event name, such as VOICE_STATE_UPDATE.</param>
/// <param name="Data">The `d`, UTF-8 JSON.</param>
/// <param name="OnlySession">The gateway session it is for; null is all members of the guild.</param>
[GenerateSerializer, Immutable]
public sealed record GuildEvent(string Type, byte[] Data, string? OnlySession);

/// <summary>A user and the guilds they are a member of. Key: the user id, as a long.</summary>
public interface IUserGrain : IGrainWithIntegerKey
{
    Task<User?> Get();

    Task Set(User user);

    Task<Snowflake[]> Guilds();

    Task AddGuild(Snowflake guild);

    Task<Snowflake[]> PrivateChannels();

    /// <summary>Shows the channel to the user. One that they made is refused if they have made too many; one that somebody else made
    /// takes the place of the oldest such one, so that nobody can use up another's.</summary>
    Task<bool> AddPrivateChannel(Snowflake channel, bool made);

    Task RemovePrivateChannel(Snowflake channel);

    /// <summary>The id of the channel between this user and another, always the same. Ask the user whose id is lower.</summary>
    /// <param name="proposed">Its id, if there is none yet.</param>
    Task<Snowflake> DirectChannel(Snowflake other, Snowflake proposed);
}

/// <summary>A private channel and the call in it, which is served like a guild of that id. Key: the channel id, as a long; the call's
/// voice states go through <see cref="IGuildGrain"/>.</summary>
public interface IPrivateChannelGrain : IGrainWithIntegerKey
{
    /// <summary>Makes the channel, or answers the one that exists.</summary>
    /// <param name="owner">Who makes a group; null for two people.</param>
    Task<PrivateChannel> Open(User[] recipients, Snowflake? owner);

    /// <summary>Null if there is none.</summary>
    Task<PrivateChannel?> GetPrivate();

    /// <summary>The call as CALL_CREATE carries it; null while nobody is in it.</summary>
    Task<Call?> GetCall();

    /// <summary>The user leaves the call, and a group for good.</summary>
    Task Leave(Snowflake user);

    /// <summary>Begins or ends the ringing of some of the recipients.</summary>
    Task Ring(Snowflake[] recipients, bool on);
}
