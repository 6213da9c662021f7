using Voice.Protocol;
using Voice.Protocol.Gateway;

namespace Voice.Signaling.Gateway.Guilds;

// What is stored, as JSON: a property may be added, not renamed.

public sealed class GuildRecord
{
    public GuildData? Guild { get; set; }
}

/// <summary>Stored apart from the guild, since every assignment writes it, also for guilds that are another gateway's.</summary>
public sealed class EpochRecord
{
    public long Epoch { get; set; }
}

public sealed class UserRecord
{
    public User? User { get; set; }

    public HashSet<Snowflake> Guilds { get; init; } = [];

    public HashSet<Snowflake> PrivateChannels { get; init; } = [];

    /// <summary>Those of <see cref="PrivateChannels"/> that this user made.</summary>
    public HashSet<Snowflake> MadeChannels { get; init; } = [];

    /// <summary>Private channels with one other user whose id is higher than this one's, by that id.</summary>
    public Dictionary<Snowflake, Snowflake> DirectChannels { get; init; } = [];
}
