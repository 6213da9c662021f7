using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Voice.Protocol;
using Voice.Protocol.Gateway;

namespace Voice.Signaling.Gateway.Rest;

/// <summary>Private channels of two or a few people, and the ringing of the calls in them.</summary>
internal static class PrivateChannelRoutes
{
    /// <summary>In a group, besides who makes it.</summary>
    private const int MaxRecipients = 9;

    public static void MapPrivateChannels(this RouteGroupBuilder api)
    {
        api.MapGet("/users/@me/channels", All).Produces<PrivateChannel[]>();
        api.MapPost("/users/@me/channels", Open).Produces<PrivateChannel>().RequireRateLimiting(AccountLimits.Announcements)
            .WithSummary("Opens the private channel with recipient_id, or makes a group of recipients; all must share a guild with the caller");
        api.MapDelete("/channels/{channel}", Leave).Produces<PrivateChannel>()
            .WithSummary("Leaves a group for good, or closes the channel with somebody until one of the two opens it again");
        api.MapGet("/channels/{channel}/call", IsRingable).Produces<CallEligibility>();
        api.MapPost("/channels/{channel}/call/ring", Ring).Produces(StatusCodes.Status204NoContent)
            .RequireRateLimiting(AccountLimits.Announcements).WithSummary("Rings recipients, or all others");
        api.MapPost("/channels/{channel}/call/stop-ringing", StopRinging).Produces(StatusCodes.Status204NoContent)
            .RequireRateLimiting(AccountLimits.Announcements).WithSummary("Rings them no longer, or oneself");
    }

    /// <summary>The private channel, as this caller sees it; null if it is not theirs.</summary>
    public static async Task<PrivateChannel?> Find(Snowflake channel, HttpContext context, Grains grains)
    {
        if (!(await grains.User(context.Caller()).PrivateChannels()).Contains(channel)) return null;
        return (await grains.Private(channel).GetPrivate())?.SeenBy(context.Caller());
    }

    private static async Task<PrivateChannel[]> All(HttpContext context, Grains grains)
    {
        var ids = await grains.User(context.Caller()).PrivateChannels();
        var channels = await Task.WhenAll(ids.Select(id => grains.Private(id).GetPrivate()));
        return [.. channels.OfType<PrivateChannel>().Select(channel => channel.SeenBy(context.Caller()))];
    }

    private static async Task<IResult> Open(JsonElement body, HttpContext context, Grains grains, Accounts accounts, GatewaySessions sessions, TimeProvider time)
    {
        if (!Fields.TryRead(body, ReadRecipients, out var wanted)) return Fields.Wrong;
        var self = await accounts.Get(context.Caller(), bot: context.IsBot());
        var ids = wanted.Distinct().Where(id => id != self.Id).ToArray();
        if (ids.Length == 0) return RestError.InvalidRecipient;
        if (ids.Length > MaxRecipients) return RestError.TooManyRecipients;
        var users = await Task.WhenAll(ids.Select(id => Acquaintance(self.Id, id, grains)));
        if (users.Any(user => user is null)) return RestError.InvalidRecipient;

        var id = SnowflakeSource.Next(time.GetUtcNow());
        if (ids is [var other]) id = await (other < self.Id ? grains.User(other).DirectChannel(self.Id, id) : grains.User(self.Id).DirectChannel(other, id));
        if (!await grains.User(self.Id).AddPrivateChannel(id, made: true)) return RestError.TooManyChannels;
        var channel = await grains.Private(id).Open([self, .. users!], owner: ids.Length == 1 ? null : self.Id);
        foreach (var one in channel.Recipients)
        {
            if (one.Id != self.Id) await grains.User(one.Id).AddPrivateChannel(id, made: false);
            await sessions.Joined(one.Id, id);
        }

        return Results.Ok(channel.SeenBy(self.Id));
    }

    private static async Task<IResult> Leave(Snowflake channel, HttpContext context, Grains grains, GatewaySessions sessions)
    {
        var caller = context.Caller();
        if (await Find(channel, context, grains) is not { } found) return RestError.UnknownChannel;
        await grains.User(caller).RemovePrivateChannel(channel);
        await grains.Private(channel).Leave(caller);
        sessions.Left(caller, found);
        return Results.Ok(found);
    }

    /// <summary>A user whom the caller may call: they are in a guild together.</summary>
    private static async Task<User?> Acquaintance(Snowflake self, Snowflake id, Grains grains)
    {
        if (await grains.User(id).Get() is not { } user) return null;
        return (await grains.User(id).Guilds()).Intersect(await grains.User(self).Guilds()).Any() ? user : null;
    }

    private static Task<IResult> Ring(Snowflake channel, Called? called, HttpContext context, Grains grains) =>
        SetRinging(channel, called?.Recipients, on: true, context, grains);

    private static Task<IResult> StopRinging(Snowflake channel, Called? called, HttpContext context, Grains grains) =>
        SetRinging(channel, called?.Recipients ?? [context.Caller()], on: false, context, grains);

    private static async Task<IResult> SetRinging(Snowflake channel, Snowflake[]? recipients, bool on, HttpContext context, Grains grains)
    {
        if (await Find(channel, context, grains) is not { } found) return RestError.UnknownChannel;
        await grains.Private(channel).Ring(recipients ?? [.. found.Recipients.Select(user => user.Id)], on);
        return Results.NoContent();
    }

    private static async Task<IResult> IsRingable(Snowflake channel, HttpContext context, Grains grains) =>
        await Find(channel, context, grains) is null ? RestError.UnknownChannel : Results.Ok(new CallEligibility(Ringable: true));

    private static Snowflake[] ReadRecipients(JsonElement body)
    {
        if (body.TryGetProperty("recipient_id", out var one)) return [Fields.Id(one) ?? throw new FormatException()];
        return [.. body.GetProperty("recipients").EnumerateArray().Select(id => Fields.Id(id) ?? throw new FormatException())];
    }

    private sealed record CallEligibility(bool Ringable);

    private sealed record Called(Snowflake[]? Recipients);
}
