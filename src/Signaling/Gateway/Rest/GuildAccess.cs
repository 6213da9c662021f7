using Microsoft.AspNetCore.Http;
using Voice.Protocol;
using Voice.Protocol.Gateway;

namespace Voice.Signaling.Gateway.Rest;

/// <summary>A guild as one caller may see and change it over REST.</summary>
internal sealed record GuildAccess(Guild Guild, Permissions Permissions)
{
    private const Permissions All = (Permissions)ulong.MaxValue;

    /// <summary>The guild, or why the caller does not get it.</summary>
    public static async Task<(GuildAccess? Access, IResult? Refusal)> Of(Grains grains, HttpContext context, Snowflake id, Permissions needed = Permissions.None)
    {
        if (await grains.Guild(id).Get() is not { } guild) return (null, RestError.UnknownGuild);
        var caller = context.Caller();
        if (context.IsAdministrator() || guild.OwnerId == caller) return (new GuildAccess(guild, All), null);
        if (guild.Members.FirstOrDefault(m => m.User.Id == caller) is not { } member) return (null, RestError.MissingAccess);
        var access = new GuildAccess(guild, PermissionsOf(guild, member));
        return access.May(needed) ? (access, null) : (null, RestError.MissingPermissions);
    }

    public bool May(Permissions needed) => (Permissions & needed) == needed;

    /// <summary>The guild-wide permissions: everyone's, whose role id is the guild's id, and those of the member's roles.</summary>
    private static Permissions PermissionsOf(Guild guild, Member member)
    {
        var bits = guild.Roles
            .Where(r => r.Id == guild.Id || member.Roles.Contains(r.Id))
            .Aggregate(Permissions.None, (sum, role) => sum | (Permissions)role.Permissions);
        return bits.HasFlag(Permissions.Administrator) ? All : bits;
    }
}
