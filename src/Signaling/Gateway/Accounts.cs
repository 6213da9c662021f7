using Voice.Protocol;
using Voice.Protocol.Gateway;

namespace Voice.Signaling.Gateway;

/// <summary>Users, by token and by id.</summary>
internal sealed class Accounts(AccountTokens tokens, Grains grains)
{
    /// <summary>Whose token this is; null if it is not valid. A user who was minted a token and is not stored yet is stored now.</summary>
    public async Task<User?> Identify(string token) =>
        await tokens.Read(token) is { } account ? await Get(account.User, name: null, bot: token.StartsWith("Bot ", StringComparison.Ordinal)) : null;

    /// <param name="name">What a user who is not stored yet is called.</param>
    public async Task<User> Get(Snowflake id, string? name = null, bool bot = false)
    {
        if (await grains.User(id).Get() is { } stored) return stored;
        var made = new User(id, name ?? $"user-{id.Value % 10_000:0000}") { Bot = bot };
        await grains.User(id).Set(made);
        return made;
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

    public async Task<User> Rename(Snowflake id, string name)
    {
        var user = await Get(id);
        if (user.Username == name) return user;
        user = user with { Username = name };
        await grains.User(id).Set(user);
        return user;
    }
}
