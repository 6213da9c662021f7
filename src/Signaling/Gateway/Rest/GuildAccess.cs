using Microsoft.AspNetCore.Http;
using Voice.Protocol;
using Voice.Protocol.Gateway;

namespace Voice.Signaling.Gateway.Rest;

/// <summary>A guild as one caller may see and change it over REST.</summary>
/// <param name="By">Who asks it to be changed; null: an administrator of the installation. Whether they may is the guild's to say.</param>
internal sealed record GuildAccess(Guild Guild, Snowflake? By)
{
    /// <summary>The guild, or why the caller does not get it.</summary>
    public static async Task<(GuildAccess? Access, IResult? Refusal)> Of(Grains grains, HttpContext context, Snowflake id)
    {
        if (await grains.Guild(id).Get() is not { } guild) return (null, RestError.UnknownGuild);
        var by = context.By();
        return by is null || guild.Members.Any(m => m.User.Id == by) ? (new GuildAccess(guild, by), null) : (null, RestError.MissingAccess);
    }
}
