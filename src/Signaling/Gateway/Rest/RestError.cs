using Microsoft.AspNetCore.Diagnostics;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.WebUtilities;

namespace Voice.Signaling.Gateway.Rest;

/// <summary>Refusals in Discord's form: an HTTP status, and JSON with its finer code and a message.</summary>
internal sealed record RestError(int Code, string Message)
{
    public static IResult UnknownChannel { get; } = Answer(StatusCodes.Status404NotFound, 10003, "Unknown Channel");

    public static IResult UnknownGuild { get; } = Answer(StatusCodes.Status404NotFound, 10004, "Unknown Guild");

    public static IResult UnknownMember { get; } = Answer(StatusCodes.Status404NotFound, 10007, "Unknown Member");

    public static IResult UnknownUser { get; } = Answer(StatusCodes.Status404NotFound, 10013, "Unknown User");

    public static IResult UnknownVoiceState { get; } = Answer(StatusCodes.Status404NotFound, 10065, "Unknown Voice State");

    public static IResult TooManyGuilds { get; } = Answer(StatusCodes.Status400BadRequest, 30001, "Maximum number of guilds reached");

    public static IResult TooManyMembers { get; } = Answer(StatusCodes.Status400BadRequest, 30019, "Maximum number of server members reached");

    public static IResult MissingAccess { get; } = Answer(StatusCodes.Status403Forbidden, 50001, "Missing Access");

    public static IResult MissingPermissions { get; } = Answer(StatusCodes.Status403Forbidden, 50013, "Missing Permissions");

    public static IResult UnknownRole { get; } = Answer(StatusCodes.Status404NotFound, 10011, "Unknown Role");

    public static IResult UnknownOverwrite { get; } = Answer(StatusCodes.Status404NotFound, 10009, "Unknown permission overwrite");

    public static IResult NotInVoice { get; } = Answer(StatusCodes.Status400BadRequest, 40032, "Target user is not connected to voice");

    public static IResult WrongChannelType { get; } = Answer(StatusCodes.Status400BadRequest, 50024, "Cannot execute action on this channel type");

    public static IResult TooManyRoles { get; } = Answer(StatusCodes.Status400BadRequest, 30005, "Maximum number of server roles reached");

    public static IResult TooManyGuildChannels { get; } = Answer(StatusCodes.Status400BadRequest, 30013, "Maximum number of server channels reached");

    public static IResult TooManyRecipients { get; } = Answer(StatusCodes.Status400BadRequest, 30004, "Maximum number of recipients reached");

    public static IResult TooManyChannels { get; } = Answer(StatusCodes.Status400BadRequest, 40003, "You have too many private channels");

    public static IResult InvalidRecipient { get; } = Answer(StatusCodes.Status400BadRequest, 50033, "Invalid Recipient(s)");

    public static IResult InvalidApiVersion { get; } = Answer(StatusCodes.Status400BadRequest, 50041, "Invalid API version");

    public static IResult TooManyConnections { get; } = Answer(StatusCodes.Status503ServiceUnavailable, 0, "Too many connections that have not identified");

    public static IResult BadRequest(string message) => Answer(StatusCodes.Status400BadRequest, 50035, message);

    public static IResult Of(Refusal refusal) => refusal switch
    {
        Refusal.UnknownGuild => UnknownGuild,
        Refusal.UnknownChannel => UnknownChannel,
        Refusal.UnknownMember => UnknownMember,
        Refusal.UnknownRole => UnknownRole,
        Refusal.UnknownVoiceState => UnknownVoiceState,
        Refusal.MissingPermissions => MissingPermissions,
        Refusal.UnknownOverwrite => UnknownOverwrite,
        Refusal.TooManyChannels => TooManyGuildChannels,
        Refusal.TooManyRoles => TooManyRoles,
        Refusal.NotInVoice => NotInVoice,
        Refusal.WrongChannelType => WrongChannelType,
        _ => throw new ArgumentOutOfRangeException(nameof(refusal)),
    };

    public static IResult Forbidden(string message) => Answer(StatusCodes.Status403Forbidden, 0, message);

    /// <summary>Gives answers that the framework left without a body one in the same form.</summary>
    public static Task Write(StatusCodeContext context)
    {
        var response = context.HttpContext.Response;
        var message = $"{response.StatusCode}: {ReasonPhrases.GetReasonPhrase(response.StatusCode)}";
        return response.WriteAsJsonAsync(new RestError(0, message));
    }

    private static IResult Answer(int status, int code, string message) => Results.Json(new RestError(code, message), statusCode: status);
}
