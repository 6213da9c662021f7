using Microsoft.AspNetCore.Http;
using Voice.Protocol;
using Voice.Protocol.Gateway;
using Voice.Signaling.Gateway.Guilds;

namespace Voice.Signaling.Gateway.Rest;

/// <summary>A guild as one caller may see and change it over REST.</summary>
/// <param name="Caller">Null: an administrator of the installation, or the owner.</param>
internal sealed record GuildAccess(Guild Guild, Permissions Permissions, Member? Caller = null)
{
    /// <summary>The guild, or why the caller does not get it.</summary>
    public static async Task<(GuildAccess? Access, IResult? Refusal)> Of(Grains grains, HttpContext context, Snowflake id, Permissions needed = Permissions.None)
    {
        if (await grains.Guild(id).Get() is not { } guild) return (null, RestError.UnknownGuild);
        var caller = context.Caller();
        if (context.IsAdministrator() || guild.OwnerId == caller) return (new GuildAccess(guild, GuildPermissions.All), null);
        if (guild.Members.FirstOrDefault(m => m.User.Id == caller) is not { } member) return (null, RestError.MissingAccess);
        var access = new GuildAccess(guild, GuildPermissions.InGuild(guild.Id, guild.Roles, member), member);
        return access.May(needed) ? (access, null) : (null, RestError.MissingPermissions);
    }

    public bool May(Permissions needed) => (Permissions & needed) == needed;

    public bool May(Permissions needed, Channel channel) =>
        Caller is null || (GuildPermissions.InChannel(Guild.Id, Permissions, Caller, channel) & needed) == needed;
}
