using Voice.Protocol;
using Voice.Protocol.Gateway;

namespace Voice.Signaling.Gateway.Guilds;

/// <summary>What a member may do in a channel, by Discord's rules: roles first, then the channel's overwrites for everyone,
/// for the member's roles together, and for the member.</summary>
public static class GuildPermissions
{
    /// <summary>Every permission there is or will be: an owner's, an administrator's.</summary>
    public const Permissions All = (Permissions)ulong.MaxValue;
    private const int RoleOverwrite = 0;
    private const int MemberOverwrite = 1;

    public static Permissions Of(GuildData guild, Member member, Channel channel) =>
        guild.Private || member.User.Id == guild.OwnerId ? All : InChannel(guild.Id, InGuild(guild.Id, guild.Roles, member), member, channel);

    /// <param name="inGuild">What <see cref="InGuild"/> says.</param>
    public static Permissions InChannel(Snowflake guild, Permissions inGuild, Member member, Channel channel)
    {
        if (inGuild == All) return All;

        var granted = Overwrite(inGuild, channel, RoleOverwrite, id => id == guild);
        granted = Overwrite(granted, channel, RoleOverwrite, id => id != guild && member.Roles.Contains(id));
        granted = Overwrite(granted, channel, MemberOverwrite, id => id == member.User.Id);

        // Who does not see a channel can do nothing in it.
        return granted.HasFlag(Permissions.ViewChannel) ? granted : Permissions.None;
    }

    /// <summary>What the roles give: everyone's, whose id is the guild's, and the member's own. An administrator may do all.</summary>
    public static Permissions InGuild(Snowflake guild, IEnumerable<Role> roles, Member member)
    {
        var granted = Permissions.None;
        foreach (var role in roles)
        {
            if (role.Id == guild || member.Roles.Contains(role.Id)) granted |= (Permissions)role.Permissions;
        }

        return granted.HasFlag(Permissions.Administrator) ? All : granted;
    }

    private static Permissions Overwrite(Permissions granted, Channel channel, int type, Func<Snowflake, bool> applies)
    {
        var (allow, deny) = (0UL, 0UL);
        foreach (var overwrite in channel.PermissionOverwrites)
        {
            if (overwrite.Type != type || !applies(overwrite.Id)) continue;
            allow |= overwrite.Allow;
            deny |= overwrite.Deny;
        }

        return (granted & ~(Permissions)deny) | (Permissions)allow;
    }
}
