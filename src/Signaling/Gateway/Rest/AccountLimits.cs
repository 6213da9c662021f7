using System.Globalization;
using System.Threading.RateLimiting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.RateLimiting;

namespace Voice.Signaling.Gateway.Rest;

/// <summary>How often one account may ask, and how it is told to wait: as Discord tells it, so that libraries do. An administrator's
/// token is not limited: it is an operator's own programs.</summary>
internal static class AccountLimits
{
    /// <summary>For every route.</summary>
    public const string Requests = "requests";

    /// <summary>For what all members or recipients are told of.</summary>
    public const string Announcements = "announcements";

    public static void Add(RateLimiterOptions limits)
    {
        AddBucket(limits, Requests, perSecond: 50, burst: 100);
        AddBucket(limits, Announcements, perSecond: 2, burst: 20);
        limits.OnRejected = async (rejected, cancellation) => await Refuse(rejected, cancellation);
    }

    private static void AddBucket(RateLimiterOptions limits, string name, int perSecond, int burst) =>
        limits.AddPolicy(name, context => context.IsAdministrator()
            ? RateLimitPartition.GetNoLimiter("administrator")
            : RateLimitPartition.GetTokenBucketLimiter(context.User.Identity is { IsAuthenticated: true } ? context.Caller().ToString() : "", _ => new TokenBucketRateLimiterOptions
            {
                TokenLimit = burst,
                TokensPerPeriod = perSecond,
                ReplenishmentPeriod = TimeSpan.FromSeconds(1),
            }));

    private static Task Refuse(OnRejectedContext rejected, CancellationToken cancellation)
    {
        var response = rejected.HttpContext.Response;
        var wait = rejected.Lease.TryGetMetadata(MetadataName.RetryAfter, out var after) ? Math.Max(1, (int)Math.Ceiling(after.TotalSeconds)) : 1;
        var seconds = wait.ToString(CultureInfo.InvariantCulture);
        response.StatusCode = StatusCodes.Status429TooManyRequests;
        response.Headers.RetryAfter = seconds;
        response.Headers["X-RateLimit-Reset-After"] = seconds;
        response.Headers["X-RateLimit-Remaining"] = "0";
        response.Headers["X-RateLimit-Scope"] = "user";
        response.Headers.Via = "1.1 voice"; // discord.py takes a 429 without it for one of a proxy, and does not try again
        return response.WriteAsJsonAsync(new Limited("You are being rate limited.", wait, Global: false), cancellation);
    }

    private sealed record Limited(string Message, int RetryAfter, bool Global);
}
