using System.Threading.RateLimiting;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.RateLimiting;
using Microsoft.AspNetCore.Routing;
using Voice.Protocol;
using Voice.Protocol.Gateway;

namespace Voice.Signaling.Gateway.Rest;

/// <summary>Login by name alone, for the page: on only while bound to loopback or when asked for.</summary>
internal static class GuestLogin
{
    private const string RatePolicy = "guest";
    private const int LoginsPerMinute = 100;
    private const int MaxNameLength = 32;

    private static readonly TimeSpan TokenLifetime = TimeSpan.FromDays(90);

    private sealed record Guest(string? Username, Snowflake? GuildId);

    private sealed record Welcome(string Token, User User, Snowflake GuildId);

    public static void MapGuestLogin(this RouteGroupBuilder api) =>
        api.MapPost("/auth/guest", Login)
            .RequireRateLimiting(RatePolicy)
            .Produces<Welcome>()
            .WithSummary("Makes a guest and a token for them, as a member of the first guild; with a token, the guest it names gets the name and joins");

    public static void LimitRate(RateLimiterOptions limits)
    {
        limits.AddPolicy(RatePolicy, context => RateLimitPartition.GetTokenBucketLimiter(
            ClientNetwork.Of(context.Connection.RemoteIpAddress),
            _ => new TokenBucketRateLimiterOptions
            {
                TokenLimit = LoginsPerMinute,
                TokensPerPeriod = LoginsPerMinute,
                ReplenishmentPeriod = TimeSpan.FromMinutes(1),
            }));
    }

    private static async Task<IResult> Login(
        Guest guest, HttpContext context, GatewayOptions options, Grains grains, Accounts accounts, AccountTokens tokens, GatewaySessions sessions, TimeProvider time)
    {
        if (!options.LetsGuestsIn) return RestError.Forbidden("Guest login is off");
        var name = guest.Username?.Trim() ?? "";
        if (name.Length is 0 or > MaxNameLength || name.Any(char.IsControl)) return RestError.BadRequest($"username must be 1 to {MaxNameLength} characters");

        if (guest.GuildId is { } wanted && wanted != DefaultGuild.Id) return RestError.MissingAccess;

        var returning = context.User.Identity is { IsAuthenticated: true };
        var user = returning ? await accounts.Rename(context.Caller(), name, context.IsBot()) : await accounts.MakeGuest(name, time.GetUtcNow());
        if (await grains.Guild(DefaultGuild.Id).AddMember(user) is null) return RestError.TooManyMembers;
        await sessions.Joined(user.Id, DefaultGuild.Id);
        var token = returning ? AccountTokens.Bare(context.Request.Headers.Authorization.ToString()) : tokens.Mint(user.Id, TokenLifetime);
        return Results.Ok(new Welcome(token, user, DefaultGuild.Id));
    }
}
