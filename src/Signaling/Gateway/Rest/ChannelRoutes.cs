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
        var (access, refusal) = await GuildAccess.Of(grains, context, guild);
        if (access is null) return refusal!;
        if (!Enum.IsDefined(channel.Type) || channel.Type is ChannelType.Dm or ChannelType.GroupDm) return RestError.BadRequest("type is not one of a guild");
        if (Wrong(channel.Name, channel.UserLimit, channel.RtcRegion) is { } wrong) return wrong;
        var made = await grains.Guild(guild).CreateChannel(access.By, channel.Name!, channel.Type, channel.RtcRegion, channel.UserLimit);
        return made.Value is { } now ? Results.Json(now, statusCode: StatusCodes.Status201Created) : RestError.Of(made.Refusal);
    }

    private static async Task<IResult> Get(Snowflake channel, HttpContext context, Grains grains)
    {
        if (await Find(channel, context, grains) is { } guild) return Results.Ok(guild.Channels.First(c => c.Id == channel));
        return await PrivateChannelRoutes.Find(channel, context, grains) is { } found ? Results.Ok(found) : RestError.UnknownChannel;
    }

    private static async Task<IResult> Change(Snowflake channel, JsonElement body, HttpContext context, Grains grains)
    {
        if (await Find(channel, context, grains) is not { } guild) return RestError.UnknownChannel;
        if (!Fields.TryRead(body, Read, out var change)) return Fields.Wrong;
        var changed = change.ApplyTo(guild.Channels.First(c => c.Id == channel));
        if (Wrong(changed.Name, changed.UserLimit, changed.RtcRegion) is { } wrong) return wrong;
        if (changed.Bitrate is < MinBitrate or > MaxBitrate) return RestError.BadRequest($"bitrate must be {MinBitrate} to {MaxBitrate}");
        return await Apply(guild, channel, change, context, grains, Results.Ok);
    }

    private static async Task<IResult> SetOverwrite(Snowflake channel, Snowflake overwrite, JsonElement body, HttpContext context, Grains grains)
    {
        if (!Fields.TryRead(body, b => ReadOverwrite(overwrite, b), out var wanted)) return Fields.Wrong;
        if (wanted.Type is not (0 or 1)) return RestError.BadRequest("type must be 0 (role) or 1 (member)");
        return await ChangeOverwrite(channel, new ChannelChange(Overwrite: wanted), context, grains);
    }

    private static Task<IResult> RemoveOverwrite(Snowflake channel, Snowflake overwrite, HttpContext context, Grains grains) =>
        ChangeOverwrite(channel, new ChannelChange(RemoveOverwrite: overwrite), context, grains);

    private static async Task<IResult> ChangeOverwrite(Snowflake channel, ChannelChange change, HttpContext context, Grains grains) =>
        await Find(channel, context, grains) is { } guild
            ? await Apply(guild, channel, change, context, grains, _ => Results.NoContent())
            : RestError.UnknownChannel;

    private static async Task<IResult> Apply(
        Guild guild, Snowflake channel, ChannelChange change, HttpContext context, Grains grains, Func<Channel, IResult> answer)
    {
        var changed = await grains.Guild(guild.Id).ChangeChannel(context.By(), channel, change);
        return changed.Value is { } now ? answer(now) : RestError.Of(changed.Refusal);
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
