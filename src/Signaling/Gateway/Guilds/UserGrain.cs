using Voice.Protocol;
using Voice.Protocol.Gateway;

namespace Voice.Signaling.Gateway.Guilds;

[GrainType("user")]
public sealed class UserGrain([PersistentState("user", GuildServices.Storage)] IPersistentState<UserRecord> stored) : Grain, IUserGrain
{
    public Task<User?> Get() => Task.FromResult(stored.State.User);

    public Task Set(User user)
    {
        if (stored.State.User == user) return Task.CompletedTask;
        stored.State.User = user;
        return stored.WriteStateAsync();
    }

    public Task<Snowflake[]> Guilds() => Task.FromResult(stored.State.Guilds.Order().ToArray());

    public Task AddGuild(Snowflake guild) => stored.State.Guilds.Add(guild) ? stored.WriteStateAsync() : Task.CompletedTask;
}
