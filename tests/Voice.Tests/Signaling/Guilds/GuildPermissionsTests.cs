using Voice.Protocol;
using Voice.Protocol.Gateway;
using Voice.Signaling.Gateway.Guilds;
using Xunit;

namespace Voice.Tests.Signaling.Guilds;

public class GuildPermissionsTests
{
    private static readonly Snowflake GuildId = 1, Owner = 2, User = 3, Mods = 10, Singers = 11;

    private readonly GuildData guild = new()
    {
        Id = GuildId,
        Name = "guild",
        OwnerId = Owner,
        Roles =
        {
            new Role(GuildId, "@everyone") { Permissions = (ulong)(Permissions.ViewChannel | Permissions.Connect) },
            new Role(Mods, "mods") { Permissions = (ulong)Permissions.MuteMembers },
            new Role(Singers, "singers") { Permissions = (ulong)Permissions.None },
        },
    };

    [Fact]
    public void Roles_add_up() =>
        Assert.Equal(Permissions.ViewChannel | Permissions.Connect | Permissions.MuteMembers, Of(User, [Mods]));

    [Fact]
    public void The_owner_may_everything() => Assert.True(Of(Owner, [], Deny(GuildId, 0, Permissions.Connect)).HasFlag(Permissions.Connect));

    [Fact]
    public void An_administrator_may_everything()
    {
        guild.Roles.Add(new Role(12, "admin") { Permissions = (ulong)Permissions.Administrator });
        Assert.True(Of(User, [12], Deny(User, 1, Permissions.Connect)).HasFlag(Permissions.Speak));
    }

    [Fact]
    public void A_role_overwrite_beats_everyones_and_a_members_beats_the_roles()
    {
        var everyone = Deny(GuildId, 0, Permissions.Connect);
        Assert.False(Of(User, [Singers], everyone).HasFlag(Permissions.Connect));
        Assert.True(Of(User, [Singers], everyone, Allow(Singers, 0, Permissions.Connect)).HasFlag(Permissions.Connect));
        Assert.False(Of(User, [Singers], Allow(Singers, 0, Permissions.Connect), Deny(User, 1, Permissions.Connect)).HasFlag(Permissions.Connect));
    }

    [Fact]
    public void Among_a_members_roles_allow_beats_deny() =>
        Assert.True(Of(User, [Mods, Singers], Allow(Mods, 0, Permissions.Speak), Deny(Singers, 0, Permissions.Speak)).HasFlag(Permissions.Speak));

    [Fact]
    public void Overwrites_for_others_do_not_count()
    {
        Assert.True(Of(User, [], Deny(Mods, 0, Permissions.Connect), Deny(Owner, 1, Permissions.Connect)).HasFlag(Permissions.Connect));
        Assert.True(Of(User, [], Deny(User, 0, Permissions.Connect)).HasFlag(Permissions.Connect));
    }

    [Fact]
    public void Who_does_not_see_the_channel_may_nothing() =>
        Assert.Equal(Permissions.None, Of(User, [Mods], Deny(GuildId, 0, Permissions.ViewChannel)));

    private Permissions Of(Snowflake user, Snowflake[] roles, params PermissionOverwrite[] overwrites) => GuildPermissions.Of(
        guild,
        new Member(new User(user, "name")) { Roles = roles },
        new Channel(5, ChannelType.Voice, "voice") { PermissionOverwrites = overwrites });

    private static PermissionOverwrite Allow(Snowflake id, int type, Permissions bits) => new(id, type) { Allow = (ulong)bits };

    private static PermissionOverwrite Deny(Snowflake id, int type, Permissions bits) => new(id, type) { Deny = (ulong)bits };
}
