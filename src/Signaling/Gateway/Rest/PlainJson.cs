using Microsoft.AspNetCore.Http;

namespace Voice.Signaling.Gateway.Rest;

/// <summary>Answers `Content-Type: application/json` and nothing after it: discord.py takes anything else for text. JSON is
/// UTF-8 without saying so (RFC 8259 section 8.1; its media type has no charset, section 11).</summary>
internal static class PlainJson
{
    private const string Json = "application/json";

    public static Task Answer(HttpContext context, RequestDelegate next)
    {
        context.Response.OnStarting(Strip, context.Response);
        return next(context);
    }

    private static Task Strip(object state)
    {
        var response = (HttpResponse)state;
        if (response.ContentType?.StartsWith(Json + ";", StringComparison.Ordinal) == true) response.ContentType = Json;
        return Task.CompletedTask;
    }
}
