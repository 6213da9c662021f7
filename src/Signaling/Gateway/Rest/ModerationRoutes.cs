using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Voice.Protocol;
using Voice.Protocol.Gateway;

namespace Voice.Signaling.Gateway.Rest;

/// <summary>What moderators do to members and voice states; the guild decides whether they may.</summary>
internal static class ModerationRoutes
{
    public static void MapModeration(this RouteGroupBuilder api)
    {
        api.MapPatch("/guilds/{guild}/members/{user}", ChangeMember).Produces<Member>()
            .WithSummary("Mutes (mute), deafens (deaf), moves or disconnects (channel_id) a member who is in voice, or sets their roles");
        api.MapPut("/guilds/{guild}/members/{user}/roles/{role}", AddRole).Produces(StatusCodes.Status204NoContent);
        api.MapDelete("/guilds/{guild}/members/{user}/roles/{role}", RemoveRole).Produces(StatusCodes.Status204NoContent);
        api.MapGet("/guilds/{guild}/voice-states/@me", OwnVoiceState).Produces<VoiceState>();
        api.MapGet("/guilds/{guild}/voice-states/{user}", VoiceState).Produces<VoiceState>();
        api.MapPatch("/guilds/{guild}/voice-states/@me", ChangeOwnVoiceState).Produces(StatusCodes.Status204NoContent)
            .RequireRateLimiting(AccountLimits.Announcements)
            .WithSummary("On a stage: suppress, request_to_speak_timestamp");
        api.MapPatch("/guilds/{guild}/voice-states/{user}", ChangeVoiceState).Produces(StatusCodes.Status204NoContent)
            .WithSummary("On a stage: suppress");
    }

    private static async Task<IResult> ChangeMember(Snowflake guild, Snowflake user, JsonElement body, HttpContext context, Grains grains) =>
        Fields.TryRead(body, ReadMember, out var change) ? await Change(guild, user, change, context, grains) : Fields.Wrong;

    private static async Task<IResult> AddRole(Snowflake guild, Snowflake user, Snowflake role, HttpContext context, Grains grains) =>
        NoContent(await Change(guild, user, new MemberChange(Roles: new RolesChange(Add: role)), context, grains));

    private static async Task<IResult> RemoveRole(Snowflake guild, Snowflake user, Snowflake role, HttpContext context, Grains grains) =>
        NoContent(await Change(guild, user, new MemberChange(Roles: new RolesChange(Remove: role)), context, grains));

    private static IResult NoContent(IResult result) => result is IStatusCodeHttpResult { StatusCode: StatusCodes.Status200OK } ? Results.NoContent() : result;

    private static async Task<IResult> Change(Snowflake guild, Snowflake user, MemberChange change, HttpContext context, Grains grains)
    {
        var (access, refusal) = await GuildAccess.Of(grains, context, guild);
        if (access is null) return refusal!;
        var changed = await grains.Guild(guild).ChangeMember(access.By, user, change);
        return changed.Value is { } member ? Results.Ok(member) : RestError.Of(changed.Refusal);
    }

    private static Task<IResult> OwnVoiceState(Snowflake guild, HttpContext context, Grains grains) => VoiceState(guild, context.Caller(), context, grains);

    private static Task<IResult> VoiceState(Snowflake guild, Snowflake user, HttpContext context, Grains grains) =>
        GuildRoutes.Read(guild, context, grains, g => g.VoiceStates.FirstOrDefault(s => s.UserId == user), RestError.UnknownVoiceState);

    private static Task<IResult> ChangeOwnVoiceState(Snowflake guild, JsonElement body, HttpContext context, Grains grains) =>
        ChangeVoiceState(guild, context.Caller(), body, context, grains);

    private static async Task<IResult> ChangeVoiceState(Snowflake guild, Snowflake user, JsonElement body, HttpContext context, Grains grains)
    {
        if (!Fields.TryRead(body, ReadVoiceState, out var change)) return Fields.Wrong;
        var (access, refusal) = await GuildAccess.Of(grains, context, guild);
        if (access is null) return refusal!;
        return await grains.Guild(guild).ChangeVoiceState(access.By, user, change) is not Refusal.None and var refused ? RestError.Of(refused) : Results.NoContent();
    }

    private static MemberChange ReadMember(JsonElement body) => new(
        Fields.Bool(body, "mute"),
        Fields.Bool(body, "deaf"),
        body.TryGetProperty("channel_id", out var channel) ? new VoiceMove(Fields.Id(channel)) : null,
        body.TryGetProperty("roles", out var roles) && roles.ValueKind != JsonValueKind.Null
            ? new RolesChange([.. roles.EnumerateArray().Select(role => Fields.Id(role) ?? throw new FormatException())])
            : null);

    private static VoiceStateChange ReadVoiceState(JsonElement body) => new(
        body.TryGetProperty("channel_id", out var channel) ? Fields.Id(channel) : null,
        Fields.Bool(body, "suppress"),
        body.TryGetProperty("request_to_speak_timestamp", out var at)
            ? new SpeechRequest(at.ValueKind == JsonValueKind.Null ? null : at.GetDateTimeOffset())
            : null);
}
