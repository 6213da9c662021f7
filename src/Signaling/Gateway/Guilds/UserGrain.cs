using Voice.Protocol;
using Voice.Protocol.Gateway;

namespace Voice.Signaling.Gateway.Guilds;

[GrainType("user")]
public sealed class UserGrain([PersistentState("user", GuildServices.Storage)] IPersistentState<UserRecord> state) : Grain, IUserGrain
{
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

    public Task AddPrivateChannel(Snowflake channel) => stored.Save(changed: stored.Value.PrivateChannels.Add(channel));

    public async Task<Snowflake> DirectChannel(Snowflake other, Snowflake proposed)
    {
        var added = stored.Value.DirectChannels.TryAdd(other, proposed);
        await stored.Save(changed: added);
        return stored.Value.DirectChannels[other];
    }

    public Task AddGuild(Snowflake guild) => stored.Save(changed: stored.Value.Guilds.Add(guild));
}
