using Microsoft.AspNetCore.Http;

namespace Voice.Signaling.Gateway.Rest;

/// <summary>The versions of the API that clients may name in a path: 9 and 10, which are the same as far as we go, and none.</summary>
internal static class ApiVersion
{
    public const string Newest = "/api/v10";

    private static readonly PathString Api = "/api";

    /// <summary>Whatever version a path names, it is answered by the routes of the newest; others are 400.</summary>
    public static Task Route(HttpContext context, RequestDelegate next)
    {
        if (!context.Request.Path.StartsWithSegments(Api, out var path)) return next(context);
        if (path.StartsWithSegments("/v9", out var rest) || path.StartsWithSegments("/v10", out rest)) path = rest;
        else if (IsVersion(path.Value)) return RestError.InvalidApiVersion.ExecuteAsync(context);
        context.Request.Path = new PathString(Newest).Add(path);
        return next(context);
    }

    private static bool IsVersion(ReadOnlySpan<char> path) => path is ['/', 'v', >= '0' and <= '9', ..];
}
