using Voice.Protocol;
using Voice.Signaling.Gateway;

namespace Voice.EndToEnd.Harness;

/// <summary>Mints accounts as the servers of a data folder know them.</summary>
/// <param name="key">The servers' common key; null: the data folder's own.</param>
internal sealed class Accounts(string dataDirectory, string? key = null)
{
    private static uint count;

    private readonly AccountTokens tokens = AccountTokens.Open(dataDirectory, key);

    public static Snowflake NewUser() => Snowflake.At(DateTimeOffset.UtcNow, Interlocked.Increment(ref count));

    public string Token(Snowflake user, bool administrator = false, bool bot = false) => tokens.Mint(user, TimeSpan.FromHours(1), administrator, bot);

    public string NewAdministrator() => Token(NewUser(), administrator: true);
}
