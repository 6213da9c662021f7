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

    public Task AddGuild(Snowflake guild) => stored.Save(changed: stored.Value.Guilds.Add(guild));
}
