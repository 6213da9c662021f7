using Voice.Protocol;
using Voice.Protocol.Gateway;

namespace Voice.Signaling.Gateway.Guilds;

[GrainType("user")]
public sealed class UserGrain([PersistentState("user", GuildServices.Storage)] IPersistentState<UserRecord> state) : Grain, IUserGrain
{
    /// <summary>Of those made, and of those that others made: each is fetched at login.</summary>
    public const int MaxPrivateChannels = 200;

    private readonly StoredState<UserRecord> stored = new(state);

    public Task<User?> Get() => Task.FromResult(stored.Value.User);

    public Task Set(User user)
    {
        var changed = stored.Value.User != user;
        stored.Value.User = user;
        return stored.Save(changed);
    }

    public Task<Snowflake[]> Guilds() => Task.FromResult(stored.Value.Guilds.Order().ToArray());

    public Task<Snowflake[]> PrivateChannels() => Task.FromResult(stored.Value.PrivateChannels.Order().ToArray());

    public async Task<bool> AddPrivateChannel(Snowflake channel, bool made)
    {
        var (all, own) = (stored.Value.PrivateChannels, stored.Value.MadeChannels);
        var isNew = !all.Contains(channel);
        if (isNew && made && own.Count >= MaxPrivateChannels) return false;
        if (isNew && made) own.Add(channel);
        if (isNew && !made && all.Except(own).Order().ToArray() is { Length: >= MaxPrivateChannels } received) all.Remove(received[0]);
        all.Add(channel);
        await stored.Save(changed: isNew);
        return true;
    }

    public Task RemovePrivateChannel(Snowflake channel) =>
        stored.Save(changed: stored.Value.PrivateChannels.Remove(channel) | stored.Value.MadeChannels.Remove(channel));

    public async Task<Snowflake> DirectChannel(Snowflake other, Snowflake proposed)
    {
        var added = stored.Value.DirectChannels.TryAdd(other, proposed);
        await stored.Save(changed: added);
        return stored.Value.DirectChannels[other];
    }

    public Task AddGuild(Snowflake guild) => stored.Save(changed: stored.Value.Guilds.Add(guild));
}
