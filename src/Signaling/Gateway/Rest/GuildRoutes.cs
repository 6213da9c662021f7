using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Voice.Protocol;
using Voice.Protocol.Gateway;

namespace Voice.Signaling.Gateway.Rest;

/// <summary>Guilds, their roles, members and voice states: the part of Discord's routes that makes and reads them.</summary>
internal static class GuildRoutes
{
    private const int MaxNameLength = 100;
    private const int MaxRegionLength = 64;

    /// <summary>Guilds that a user who is not an administrator may be in and still make one more.</summary>
    private const int MaxGuilds = 10;

    private static IResult WrongPermissions => RestError.BadRequest("permissions must be a decimal string");

    private sealed record NewGuild(string? Name);

    private sealed record NewRole(string? Name, string? Permissions);

    private sealed record NewMember(string? Username, bool Bot = false);

    public static void MapGuilds(this RouteGroupBuilder api)
    {
        api.MapPost("/guilds", Make).Produces<Guild>(StatusCodes.Status201Created).WithSummary("Makes a guild that the caller owns");
        api.MapGet("/guilds/{guild}", Get).Produces<Guild>().WithSummary("A guild with its roles, channels, members and voice states");
        api.MapPatch("/guilds/{guild}", Change).Produces<Guild>().WithSummary("Changes name or region; region null is automatic. A running call goes there");
        api.MapGet("/guilds/{guild}/roles", Roles).Produces<Role[]>();
        api.MapPost("/guilds/{guild}/roles", MakeRole).Produces<Role>().WithSummary("Makes a role; permissions is a decimal string");
        api.MapGet("/guilds/{guild}/members", Members).Produces<Member[]>();
        api.MapGet("/guilds/{guild}/members/{user}", Member).Produces<Member>();
        api.MapPut("/guilds/{guild}/members/{user}", AddMember).Produces<Member>(StatusCodes.Status201Created).Produces(StatusCodes.Status204NoContent)
            .RequireAuthorization(AccountPolicies.Administrator)
            .WithSummary("Makes the user a member; username names a user who is not known yet");
        api.MapPatch("/guilds/{guild}/roles/{role}", ChangeRole).Produces<Role>().WithSummary("Changes name or permissions");
    }

    public static bool IsName(string? name) => name is { Length: > 0 and <= MaxNameLength } && !name.Any(char.IsControl);

    private static async Task<IResult> Make(NewGuild guild, HttpContext context, Grains grains, Accounts accounts, GatewaySessions sessions, TimeProvider time)
    {
        if (!IsName(guild.Name)) return RestError.BadRequest($"name must be 1 to {MaxNameLength} characters");
        var owner = await accounts.Get(context.Caller());
        if (!context.IsAdministrator() && (await grains.User(owner.Id).Guilds()).Length >= MaxGuilds) return RestError.TooManyGuilds;

        Guild? made;
        do made = await grains.Guild(SnowflakeSource.Next(time.GetUtcNow())).Create(guild.Name!, owner, ["General"]);
        while (made is null);

        await sessions.Joined(owner.Id, made.Id);
        return Results.Json(made, statusCode: StatusCodes.Status201Created);
    }

    private static Task<IResult> Get(Snowflake guild, HttpContext context, Grains grains) => Read(guild, context, grains, g => g);

    private static async Task<IResult> Change(Snowflake guild, JsonElement body, HttpContext context, Grains grains)
    {
        var (access, refusal) = await GuildAccess.Of(grains, context, guild);
        if (access is null) return refusal!;
        if (!Fields.TryRead(body, Read, out var change)) return Fields.Wrong;
        if (change.Name is not null && !IsName(change.Name)) return RestError.BadRequest($"name must be 1 to {MaxNameLength} characters");
        if (change.Region?.To is { Length: 0 or > MaxRegionLength }) return RestError.BadRequest($"region must be 1 to {MaxRegionLength} characters, or null");
        var changed = await grains.Guild(guild).Change(access.By, change);
        return changed.Value is { } now ? Results.Ok(now) : RestError.Of(changed.Refusal);
    }

    /// <summary>A field that is absent stays; a region of null is automatic.</summary>
    private static GuildChange Read(JsonElement body) => new(
        body.TryGetProperty("name", out var name) ? name.GetString() ?? "" : null,
        body.TryGetProperty("region", out var region) ? new RegionChange(region.GetString()) : null);

    private static Task<IResult> Roles(Snowflake guild, HttpContext context, Grains grains) => Read(guild, context, grains, g => g.Roles);

    /// <summary>All, or the next of them by id: Discord's libraries read a thousand at a time.</summary>
    private static Task<IResult> Members(Snowflake guild, HttpContext context, Grains grains, int? limit = null, Snowflake? after = null) =>
        Read(guild, context, grains, g => g.Members
            .OrderBy(member => member.User.Id)
            .Where(member => after is not { } id || member.User.Id > id)
            .Take(limit ?? int.MaxValue)
            .ToArray());

    private static Task<IResult> Member(Snowflake guild, Snowflake user, HttpContext context, Grains grains) =>
        Read(guild, context, grains, g => g.Members.FirstOrDefault(m => m.User.Id == user), RestError.UnknownMember);

    public static async Task<IResult> Read<T>(Snowflake id, HttpContext context, Grains grains, Func<Guild, T?> part, IResult? unknown = null)
    {
        var (access, refusal) = await GuildAccess.Of(grains, context, id);
        if (access is null) return refusal!;
        return part(access.Guild) is { } found ? Results.Ok(found) : unknown!;
    }

    private static async Task<IResult> MakeRole(Snowflake guild, NewRole role, HttpContext context, Grains grains)
    {
        var (access, refusal) = await GuildAccess.Of(grains, context, guild);
        if (access is null) return refusal!;
        var bits = (ulong)Permissions.Everyone;
        if (role.Permissions is not null && !ulong.TryParse(role.Permissions, out bits)) return WrongPermissions;
        if (!IsName(role.Name)) return RestError.BadRequest($"name must be 1 to {MaxNameLength} characters");
        return Answer(await grains.Guild(guild).CreateRole(access.By, role.Name!, bits));
    }

    private static async Task<IResult> ChangeRole(Snowflake guild, Snowflake role, NewRole change, HttpContext context, Grains grains)
    {
        var (access, refusal) = await GuildAccess.Of(grains, context, guild);
        if (access is null) return refusal!;
        ulong bits = 0;
        if (change.Permissions is not null && !ulong.TryParse(change.Permissions, out bits)) return WrongPermissions;
        if (change.Name is not null && !IsName(change.Name)) return RestError.BadRequest($"name must be 1 to {MaxNameLength} characters");
        return Answer(await grains.Guild(guild).ChangeRole(access.By, role, change.Name, change.Permissions is null ? null : bits));
    }

    private static IResult Answer(Changed<Role> role) => role.Value is { } now ? Results.Ok(now) : RestError.Of(role.Refusal);

    private static async Task<IResult> AddMember(Snowflake guild, Snowflake user, NewMember? member, Grains grains, Accounts accounts, GatewaySessions sessions)
    {
        if (await grains.Guild(guild).Get() is not { } existing) return RestError.UnknownGuild;
        if (existing.Members.Any(m => m.User.Id == user)) return Results.NoContent();
        if (member?.Username is { } name && !IsName(name)) return RestError.BadRequest($"username must be 1 to {MaxNameLength} characters");
        if (await grains.Guild(guild).AddMember(await accounts.Get(user, member?.Username, member?.Bot ?? false)) is not { } added) return RestError.TooManyMembers;
        await sessions.Joined(user, guild);
        return Results.Json(added, statusCode: StatusCodes.Status201Created);
    }
}
