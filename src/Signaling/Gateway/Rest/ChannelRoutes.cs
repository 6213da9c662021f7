using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Voice.Protocol;
using Voice.Protocol.Gateway;

namespace Voice.Signaling.Gateway.Rest;

internal static class ChannelRoutes
{
    private const int MaxUserLimit = 10_000;
    private const int MaxRegionLength = 64;
    private const int MinBitrate = 8_000;
    private const int MaxBitrate = 510_000; // RFC 6716 section 2.1.1

    private sealed record NewChannel(string? Name, ChannelType Type = ChannelType.Voice, string? RtcRegion = null, int UserLimit = 0);

    public static void MapChannels(this RouteGroupBuilder api)
    {
        api.MapGet("/guilds/{guild}/channels", All).Produces<Channel[]>();
        api.MapPost("/guilds/{guild}/channels", Make).Produces<Channel>(StatusCodes.Status201Created).WithSummary("Makes a channel; type 2 is voice");
        api.MapGet("/channels/{channel}", Get).Produces<Channel>();
        api.MapPut("/channels/{channel}/permissions/{overwrite}", SetOverwrite).Produces(StatusCodes.Status204NoContent)
            .WithSummary("What a role (type 0) or member (type 1) is allowed and denied in the channel");
        api.MapDelete("/channels/{channel}/permissions/{overwrite}", RemoveOverwrite).Produces(StatusCodes.Status204NoContent);
        api.MapPatch("/channels/{channel}", Change).Produces<Channel>().WithSummary("Changes name, position, bitrate, user_limit or rtc_region");
    }

    private static async Task<IResult> All(Snowflake guild, HttpContext context, Grains grains)
    {
        var (access, refusal) = await GuildAccess.Of(grains, context, guild);
        return access is null ? refusal! : Results.Ok(access.Guild.Channels);
    }

    private static async Task<IResult> Make(Snowflake guild, NewChannel channel, HttpContext context, Grains grains)
    {
        var (access, refusal) = await GuildAccess.Of(grains, context, guild, Permissions.ManageChannels);
        if (access is null) return refusal!;
        if (!Enum.IsDefined(channel.Type) || channel.Type is ChannelType.Dm or ChannelType.GroupDm) return RestError.BadRequest("type is not one of a guild");
        if (Wrong(channel.Name, channel.UserLimit, channel.RtcRegion) is { } wrong) return wrong;
        return await grains.Guild(guild).CreateChannel(channel.Name!, channel.Type, channel.RtcRegion, channel.UserLimit) is { } made
            ? Results.Json(made, statusCode: StatusCodes.Status201Created)
            : RestError.UnknownGuild;
    }

    private static async Task<IResult> Get(Snowflake channel, HttpContext context, Grains grains)
    {
        if (await Find(channel, context, grains) is { } guild) return Results.Ok(guild.Channels.First(c => c.Id == channel));
        return await PrivateChannelRoutes.Find(channel, context, grains) is { } found ? Results.Ok(found) : RestError.UnknownChannel;
    }

    private static async Task<IResult> Change(Snowflake channel, JsonElement body, HttpContext context, Grains grains)
    {
        if (await Find(channel, context, grains) is not { } guild) return RestError.UnknownChannel;
        var (access, refusal) = await GuildAccess.Of(grains, context, guild.Id, Permissions.ManageChannels);
        if (access is null) return refusal!;
        if (!Fields.TryRead(body, Read, out var change)) return Fields.Wrong;
        var changed = change.ApplyTo(access.Guild.Channels.First(c => c.Id == channel));
        if (Wrong(changed.Name, changed.UserLimit, changed.RtcRegion) is { } wrong) return wrong;
        if (changed.Bitrate is < MinBitrate or > MaxBitrate) return RestError.BadRequest($"bitrate must be {MinBitrate} to {MaxBitrate}");
        return await grains.Guild(guild.Id).ChangeChannel(channel, change) is { } stored ? Results.Ok(stored) : RestError.UnknownChannel;
    }

    private static async Task<IResult> SetOverwrite(Snowflake channel, Snowflake overwrite, JsonElement body, HttpContext context, Grains grains)
    {
        if (!Fields.TryRead(body, b => ReadOverwrite(overwrite, b), out var wanted)) return Fields.Wrong;
        if (wanted.Type is not (0 or 1)) return RestError.BadRequest("type must be 0 (role) or 1 (member)");
        return await ChangeOverwrite(channel, wanted.Allow | wanted.Deny, new ChannelChange(Overwrite: wanted), context, grains, known: wanted);
    }

    private static Task<IResult> RemoveOverwrite(Snowflake channel, Snowflake overwrite, HttpContext context, Grains grains) =>
        ChangeOverwrite(channel, 0, new ChannelChange(RemoveOverwrite: overwrite), context, grains, known: null);

    /// <summary>Nobody allows or denies what they may not do there themselves.</summary>
    /// <param name="known">Its role or member has to be there.</param>
    private static async Task<IResult> ChangeOverwrite(
        Snowflake channel, ulong bits, ChannelChange change, HttpContext context, Grains grains, PermissionOverwrite? known)
    {
        if (await Find(channel, context, grains) is not { } guild) return RestError.UnknownChannel;
        var (access, refusal) = await GuildAccess.Of(grains, context, guild.Id);
        if (access is null) return refusal!;
        var before = access.Guild.Channels.First(c => c.Id == channel);
        var replaced = before.PermissionOverwrites.FirstOrDefault(one => one.Id == (known?.Id ?? change.RemoveOverwrite));
        if (known is { Type: 0 } && access.Guild.Roles.All(role => role.Id != known.Id)) return RestError.UnknownRole;
        if (known is { Type: 1 } && access.Guild.Members.All(member => member.User.Id != known.Id)) return RestError.UnknownMember;
        if (known is null && replaced is null) return RestError.UnknownOverwrite;
        bits |= (replaced?.Allow | replaced?.Deny) ?? 0;
        if (!access.May(Permissions.ManageRoles | (Permissions)bits, before)) return RestError.MissingPermissions;
        return await grains.Guild(guild.Id).ChangeChannel(channel, change) is null ? RestError.UnknownChannel : Results.NoContent();
    }

    private static PermissionOverwrite ReadOverwrite(Snowflake id, JsonElement body) => new(id, body.GetProperty("type").GetInt32())
    {
        Allow = Bits(body, "allow"),
        Deny = Bits(body, "deny"),
    };

    private static ulong Bits(JsonElement body, string name)
    {
        if (!body.TryGetProperty(name, out var text) || text.ValueKind == JsonValueKind.Null) return 0;
        return ulong.TryParse(text.GetString(), out var bits) ? bits : throw new FormatException();
    }

    /// <summary>A field that is absent stays; null has a meaning of its own for rtc_region: automatic.</summary>
    private static ChannelChange Read(JsonElement body) => new(
        body.TryGetProperty("name", out var name) ? name.GetString() ?? "" : null,
        body.TryGetProperty("position", out var position) ? position.GetInt32() : null,
        body.TryGetProperty("bitrate", out var bitrate) ? bitrate.GetInt32() : null,
        body.TryGetProperty("user_limit", out var limit) ? limit.GetInt32() : null,
        body.TryGetProperty("rtc_region", out var region) ? new RegionChange(region.GetString()) : null);

    private static IResult? Wrong(string? name, int userLimit, string? region)
    {
        if (!GuildRoutes.IsName(name)) return RestError.BadRequest("name must be 1 to 100 characters");
        if (userLimit is < 0 or > MaxUserLimit) return RestError.BadRequest($"user_limit must be 0 to {MaxUserLimit}");
        return region is { Length: 0 or > MaxRegionLength } ? RestError.BadRequest($"rtc_region must be 1 to {MaxRegionLength} characters, or null") : null;
    }

    /// <summary>The guild of a channel, looked for among the caller's own: no other channel is theirs to see.</summary>
    private static async Task<Guild?> Find(Snowflake channel, HttpContext context, Grains grains)
    {
        foreach (var id in await grains.User(context.Caller()).Guilds())
        {
            if (await grains.Guild(id).Get() is { } guild && guild.Channels.Any(c => c.Id == channel)) return guild;
        }

        return null;
    }
}
