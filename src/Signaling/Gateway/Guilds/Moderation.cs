using Voice.Protocol;
using Voice.Protocol.Gateway;

namespace Voice.Signaling.Gateway.Guilds;

/// <summary>What members may do to each other, by Discord's rules: in voice what counts are their permissions in the channel where the
/// other is, overwrites included.</summary>
/// <param name="by">Whoever asks; null is an administrator of the installation, who may do everything.</param>
internal sealed class Moderation(GuildData guild, GuildVoice voice, Snowflake? by)
{
    public Refusal Judge(Snowflake user, MemberChange change)
    {
        if (!guild.Members.TryGetValue(user, out var member)) return Refusal.UnknownMember;
        if (change.Roles is { } roles && JudgeRoles(member.Roles, roles.ApplyTo(member.Roles)) is not Refusal.None and var refusal) return refusal;
        if (!change.IsOfVoice) return Refusal.None;

        var one = voice.Find(user);
        var here = In(one is null ? null : guild.Channel(one.Channel));
        if (change.Mute is not null && !here.HasFlag(Permissions.MuteMembers)) return Refusal.MissingPermissions;
        if (change.Deaf is not null && !here.HasFlag(Permissions.DeafenMembers)) return Refusal.MissingPermissions;
        if (change.Move is not null && !here.HasFlag(Permissions.MoveMembers)) return Refusal.MissingPermissions;
        if (one is null) return Refusal.NotInVoice;
        return change.Move is { To: { } to } ? JudgeTarget(to) : Refusal.None;
    }

    public Refusal Judge(Snowflake user, VoiceStateChange change)
    {
        if (voice.Find(user) is not { } one || guild.Channel(one.Channel) is not { } channel) return Refusal.UnknownVoiceState;
        if (channel.Type != ChannelType.Stage || (change.Channel ?? channel.Id) != channel.Id) return Refusal.WrongChannelType;

        // Anybody may go back to the audience by themselves, and ask to leave it if they may ask.
        var here = In(channel);
        if (here.HasFlag(Permissions.MuteMembers)) return Refusal.None;
        if (user != by || change.Suppress == false) return Refusal.MissingPermissions;
        return change.Request is { At: not null } && !here.HasFlag(Permissions.RequestToSpeak) ? Refusal.MissingPermissions : Refusal.None;
    }

    /// <summary>Who moves somebody must be able to go there too; who is moved need not.</summary>
    private Refusal JudgeTarget(Snowflake to)
    {
        if (guild.Channel(to) is not { } target) return Refusal.UnknownChannel;
        if (target.Type is not (ChannelType.Voice or ChannelType.Stage)) return Refusal.WrongChannelType;
        return In(target).HasFlag(Permissions.Connect) ? Refusal.None : Refusal.MissingPermissions;
    }

    public Refusal JudgeGuildChange() => May(Permissions.ManageGuild, In(null));

    public Refusal JudgeNewChannel() => May(Permissions.ManageChannels, In(null));

    /// <summary>Nobody allows or denies in a channel what they may not do there themselves.</summary>
    public Refusal Judge(Channel channel, ChannelChange change)
    {
        if ((change.RemoveOverwrite ?? change.Overwrite?.Id) is not { } id) return JudgeNewChannel();
        if (change.Overwrite is { Type: 0 } && !guild.Roles.Exists(role => role.Id == id)) return Refusal.UnknownRole;
        if (change.Overwrite is { Type: 1 } && !guild.Members.ContainsKey(id)) return Refusal.UnknownMember;
        var before = Array.Find(channel.PermissionOverwrites, one => one.Id == id);
        if (change.RemoveOverwrite is not null && before is null) return Refusal.UnknownOverwrite;
        return May(Permissions.ManageRoles | Bits(before) | Bits(change.Overwrite), In(channel));
    }

    public Refusal JudgeNewRole(ulong permissions) => May(Permissions.ManageRoles | (Permissions)permissions, In(null));

    /// <param name="permissions">What it is to allow then; null: as it is.</param>
    public Refusal Judge(Role role, ulong? permissions) =>
        Outranks(role) ? JudgeNewRole((permissions ?? role.Permissions) ^ role.Permissions) : Refusal.MissingPermissions;

    private static Permissions Bits(PermissionOverwrite? overwrite) => overwrite is null ? Permissions.None : (Permissions)(overwrite.Allow | overwrite.Deny);

    private static Refusal May(Permissions needed, Permissions own) => (own & needed) == needed ? Refusal.None : Refusal.MissingPermissions;

    /// <summary>Whoever is not the owner manages only roles below their highest one, an administrator of the guild too.</summary>
    private bool Outranks(Role role)
    {
        if (by is not { } id || id == guild.OwnerId) return true;
        return guild.Members.TryGetValue(id, out var member) && guild.Roles.Exists(own => member.Roles.Contains(own.Id) && IsAbove(own, role));
    }

    /// <summary>Everyone's role is the lowest; of those with one position the older is higher.</summary>
    private bool IsAbove(Role one, Role other) =>
        other.Id == guild.Id || one.Position > other.Position || (one.Position == other.Position && one.Id < other.Id);

    /// <summary>Nobody gives or takes a role that is not below theirs, or what they do not have.</summary>
    private Refusal JudgeRoles(Snowflake[] before, Snowflake[] after)
    {
        var own = In(null);
        if (!own.HasFlag(Permissions.ManageRoles)) return Refusal.MissingPermissions;
        foreach (var id in before.Except(after).Concat(after.Except(before)))
        {
            if (id == guild.Id || guild.Roles.Find(role => role.Id == id) is not { } role) return Refusal.UnknownRole;
            if (!Outranks(role) || !own.HasFlag((Permissions)role.Permissions)) return Refusal.MissingPermissions;
        }

        return Refusal.None;
    }

    /// <param name="channel">Null: in the guild as a whole.</param>
    private Permissions In(Channel? channel)
    {
        if (by is not { } id || id == guild.OwnerId) return GuildPermissions.All;
        if (!guild.Members.TryGetValue(id, out var member)) return Permissions.None;
        return channel is null ? GuildPermissions.InGuild(guild.Id, guild.Roles, member) : GuildPermissions.Of(guild, member, channel);
    }
}
