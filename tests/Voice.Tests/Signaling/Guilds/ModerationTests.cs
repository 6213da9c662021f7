using Voice.Protocol;
using Voice.Protocol.Gateway;
using Voice.Signaling.Gateway;
using Voice.Signaling.Gateway.Guilds;
using Xunit;

namespace Voice.Tests.Signaling.Guilds;

/// <summary>User 2 moderates user 1, with the permissions that a test gives.</summary>
public class ModerationTests
{
    private static readonly Snowflake Mods = 50, Admins = 51, Helpers = 52;

    private readonly VoiceWorld world = new();

    public ModerationTests()
    {
        world.Data.Roles.Add(new Role(Mods, "mods") { Permissions = 0, Position = 2 });
        world.Data.Roles.Add(new Role(Helpers, "helpers") { Permissions = 0, Position = 1 });
        world.Data.Roles.Add(new Role(Admins, "admins") { Permissions = (ulong)Permissions.Administrator });
        world.Data.Members[2] = world.Data.Members[2] with { Roles = [Mods] };
        world.Join(1, "s1", VoiceWorld.Lounge);
    }

    public static TheoryData<MemberChange, Permissions> Changes => new()
    {
        { new MemberChange(Mute: true), Permissions.MuteMembers },
        { new MemberChange(Deaf: true), Permissions.DeafenMembers },
        { new MemberChange(Move: new VoiceMove(VoiceWorld.Games)), Permissions.MoveMembers },
        { new MemberChange(Move: new VoiceMove(null)), Permissions.MoveMembers },
        { new MemberChange(Mute: false, Deaf: false), Permissions.MuteMembers | Permissions.DeafenMembers },
    };

    [Theory]
    [MemberData(nameof(Changes))]
    public void Each_change_needs_its_permission(MemberChange change, Permissions needed)
    {
        Give(~needed & ~Permissions.Administrator);
        Assert.Equal(Refusal.MissingPermissions, Judge(change));
        Give(needed);
        Assert.Equal(Refusal.None, Judge(change));
    }

    [Theory]
    [MemberData(nameof(Changes))]
    public void The_channel_where_the_other_is_may_deny_it_and_may_allow_it(MemberChange change, Permissions needed)
    {
        Give(needed);
        Overwrite(VoiceWorld.Lounge, deny: needed);
        Assert.Equal(Refusal.MissingPermissions, Judge(change));
        Give(Permissions.None);
        Overwrite(VoiceWorld.Lounge, allow: needed);
        Assert.Equal(Refusal.None, Judge(change));
    }

    [Theory]
    [MemberData(nameof(Changes))]
    public void Only_of_somebody_who_is_in_voice(MemberChange change, Permissions needed)
    {
        Give(needed);
        Assert.Equal(Refusal.NotInVoice, Judge(change, user: 3));
        Give(Permissions.None);
        Assert.Equal(Refusal.MissingPermissions, Judge(change, user: 3));
        Assert.Equal(Refusal.UnknownMember, Judge(change, user: 99));
    }

    [Theory]
    [MemberData(nameof(Changes))]
    public void Owners_and_administrators_may_and_strangers_may_not(MemberChange change, Permissions needed)
    {
        Assert.NotEqual(Permissions.None, needed);
        Overwrite(VoiceWorld.Lounge, deny: GuildPermissions.All);
        Assert.Equal(Refusal.None, Judge(change, by: VoiceWorld.Owner));
        Assert.Equal(Refusal.None, new Moderation(world.Data, world.Voice, by: null).Judge(1, change));
        Assert.Equal(Refusal.MissingPermissions, Judge(change, by: 99));
        world.Data.Members[3] = world.Data.Members[3] with { Roles = [Admins] };
        Assert.Equal(Refusal.None, Judge(change, by: 3));
    }

    [Fact]
    public void Who_moves_somebody_needs_to_be_let_in_there_themselves()
    {
        Give(Permissions.MoveMembers);
        world.Deny(VoiceWorld.Games, Permissions.Connect);
        Assert.Equal(Refusal.MissingPermissions, Judge(new MemberChange(Move: new VoiceMove(VoiceWorld.Games))));
        Overwrite(VoiceWorld.Games, allow: Permissions.Connect);
        Assert.Equal(Refusal.None, Judge(new MemberChange(Move: new VoiceMove(VoiceWorld.Games))));
    }

    [Fact]
    public void One_is_moved_to_voice_channels_of_the_guild_only()
    {
        Give(Permissions.MoveMembers);
        Assert.Equal(Refusal.UnknownChannel, Judge(new MemberChange(Move: new VoiceMove(999))));
        Assert.Equal(Refusal.WrongChannelType, Judge(new MemberChange(Move: new VoiceMove(VoiceWorld.Text))));
        Assert.Equal(Refusal.None, Judge(new MemberChange(Move: new VoiceMove(VoiceWorld.Stage))));
    }

    [Fact]
    public void Nobody_gives_or_takes_a_role_that_can_do_more_than_they_can()
    {
        Give(Permissions.ManageRoles);
        Assert.Equal(Refusal.None, Judge(new MemberChange(Roles: new RolesChange(Add: Helpers)), user: 3));
        Assert.Equal(Refusal.MissingPermissions, Judge(new MemberChange(Roles: new RolesChange(Add: Admins)), user: 2));
        world.Data.Members[3] = world.Data.Members[3] with { Roles = [Admins] };
        Assert.Equal(Refusal.MissingPermissions, Judge(new MemberChange(Roles: new RolesChange(All: [])), user: 3));
        Assert.Equal(Refusal.UnknownRole, Judge(new MemberChange(Roles: new RolesChange(Add: 999)), user: 3));
        Assert.Equal(Refusal.UnknownRole, Judge(new MemberChange(Roles: new RolesChange(Add: VoiceWorld.GuildId)), user: 3));
        Give(Permissions.None);
        Assert.Equal(Refusal.MissingPermissions, Judge(new MemberChange(Roles: new RolesChange(Add: Mods)), user: 3));
    }

    [Fact]
    public void Only_the_owner_manages_roles_that_are_not_below_their_own()
    {
        Give(Permissions.Administrator);
        var (mods, helpers, everyone) = (Role(Mods), Role(Helpers), Role(VoiceWorld.GuildId));
        foreach (var change in new[] { new RolesChange(Add: Mods), new RolesChange(All: [Mods]) })
        {
            Assert.Equal(Refusal.MissingPermissions, Judge(new MemberChange(Roles: change), user: 3));
            Assert.Equal(Refusal.None, Judge(new MemberChange(Roles: change), user: 3, by: VoiceWorld.Owner));
        }

        Assert.Equal(Refusal.MissingPermissions, Judge(new MemberChange(Roles: new RolesChange(Remove: Mods)), user: 2));
        Assert.Equal(Refusal.None, Judge(new MemberChange(Roles: new RolesChange(Add: Helpers)), user: 3));
        Assert.Equal(Refusal.MissingPermissions, Moderator.Judge(mods, 0));
        Assert.Equal(Refusal.None, Moderator.Judge(helpers, 0));
        Assert.Equal(Refusal.None, Moderator.Judge(everyone, 0));
        Assert.Equal(Refusal.MissingPermissions, Moderator.Judge(helpers with { Id = 49, Position = 2 }, 0)); // as high, and older
        Assert.Equal(Refusal.None, Moderator.Judge(helpers with { Position = 2 }, 0));
    }

    [Fact]
    public void A_role_is_made_or_changed_by_no_more_than_one_has()
    {
        Give(Permissions.ManageRoles | Permissions.Speak);
        Assert.Equal(Refusal.None, Moderator.JudgeNewRole((ulong)Permissions.Speak));
        Assert.Equal(Refusal.MissingPermissions, Moderator.JudgeNewRole((ulong)Permissions.MuteMembers));
        Assert.Equal(Refusal.MissingPermissions, Moderator.Judge(Role(Helpers), (ulong)Permissions.MuteMembers));
        Assert.Equal(Refusal.None, Moderator.Judge(Role(Helpers) with { Permissions = (ulong)Permissions.MuteMembers }, null));
        Assert.Equal(Refusal.MissingPermissions, Moderator.JudgeNewChannel());
    }

    [Fact]
    public void On_a_stage_the_audience_may_ask_and_moderators_let_them_speak()
    {
        var (invite, ask, leave) = (
            new VoiceStateChange(Suppress: false), new VoiceStateChange(Request: new SpeechRequest(DateTimeOffset.UnixEpoch)), new VoiceStateChange(Suppress: true));
        world.Join(1, "s1", VoiceWorld.Stage);

        Assert.Equal(Refusal.None, Judge(ask, by: 1));
        Assert.Equal(Refusal.None, Judge(leave, by: 1));
        Assert.Equal(Refusal.MissingPermissions, Judge(invite, by: 1));
        Assert.Equal(Refusal.MissingPermissions, Judge(invite, by: 2));
        Give(Permissions.MuteMembers);
        Assert.Equal(Refusal.None, Judge(invite, by: 2));
        Assert.Equal(Refusal.WrongChannelType, Judge(invite with { Channel = VoiceWorld.Lounge }, by: 2));
        world.Deny(VoiceWorld.Stage, Permissions.RequestToSpeak);
        Assert.Equal(Refusal.MissingPermissions, Judge(ask, by: 1));
        world.Join(1, "s1", VoiceWorld.Lounge);
        Assert.Equal(Refusal.WrongChannelType, Judge(invite, by: 2));
        Assert.Equal(Refusal.UnknownVoiceState, new Moderation(world.Data, world.Voice, 2).Judge(3, invite));
    }

    private Moderation Moderator => new(world.Data, world.Voice, by: 2);

    private Role Role(Snowflake id) => world.Data.Roles.Single(role => role.Id == id);

    private Refusal Judge(MemberChange change, ulong user = 1, ulong by = 2) => new Moderation(world.Data, world.Voice, by).Judge(user, change);

    private Refusal Judge(VoiceStateChange change, ulong by) => new Moderation(world.Data, world.Voice, by).Judge(1, change);

    private void Give(Permissions bits)
    {
        var index = world.Data.Roles.FindIndex(role => role.Id == Mods);
        world.Data.Roles[index] = world.Data.Roles[index] with { Permissions = (ulong)bits };
    }

    private void Overwrite(Snowflake channel, Permissions allow = Permissions.None, Permissions deny = Permissions.None) =>
        world.Change(channel, it => it with { PermissionOverwrites = [.. it.PermissionOverwrites, new PermissionOverwrite(Mods, 0) { Allow = (ulong)allow, Deny = (ulong)deny }] });
}
