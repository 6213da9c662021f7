using Voice.Protocol;
using Voice.Protocol.Gateway;

namespace Voice.Signaling.Gateway;

/// <summary>Users, by token and by id.</summary>
internal sealed class Accounts(AccountTokens tokens, Grains grains, TimeProvider time)
{
    /// <summary>Whose token this is; null if it is not valid. A user who was minted a token and is not stored yet is stored now.</summary>
    public async Task<User?> Identify(string token) =>
        await tokens.Read(token) is { } account ? await Patience.For(time, () => Get(account.User, bot: account.Bot)) : null;

    /// <param name="name">What a user who is not stored yet is called.</param>
    /// <param name="bot">Known to be a program from now on; false: as stored.</param>
    public async Task<User> Get(Snowflake id, string? name = null, bool bot = false)
    {
        var stored = await grains.User(id).Get();
        if (stored is not null && (stored.Bot || !bot)) return stored;
        var user = stored is null ? new User(id, name ?? $"user-{id.Value % 10_000:0000}") { Bot = bot } : stored with { Bot = true };
        await grains.User(id).Set(user);
        return user;
    }

    /// <summary>A new user who may log in by the token.</summary>
    public async Task<User> MakeGuest(string name, DateTimeOffset now)
    {
        Snowflake id;
        do id = SnowflakeSource.Next(now);
        while (await grains.User(id).Get() is not null);

        var user = new User(id, name);
        await grains.User(id).Set(user);
        return user;
    }

    public async Task<User> Rename(Snowflake id, string name, bool bot)
    {
        var user = await Get(id, bot: bot);
        if (user.Username == name) return user;
        user = user with { Username = name };
        await grains.User(id).Set(user);
        return user;
    }
}
