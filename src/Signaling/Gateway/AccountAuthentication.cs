using System.Security.Claims;
using System.Text.Encodings.Web;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Voice.Protocol;

namespace Voice.Signaling.Gateway;

/// <summary>Lets requests in by the header `Authorization: &lt;token&gt;`, optionally after "Bot " or "Bearer ".</summary>
internal sealed class AccountAuthentication(
    IOptionsMonitor<AuthenticationSchemeOptions> options, ILoggerFactory loggers, UrlEncoder encoder, AccountTokens tokens)
    : AuthenticationHandler<AuthenticationSchemeOptions>(options, loggers, encoder)
{
    public const string SchemeName = "account";

    protected override async Task<AuthenticateResult> HandleAuthenticateAsync()
    {
        if (Request.Headers.Authorization is not [{ Length: > 0 } header]) return AuthenticateResult.NoResult();
        if (await tokens.Read(header) is not { } account) return AuthenticateResult.Fail("not a valid token");

        var identity = new ClaimsIdentity(Scheme.Name);
        identity.AddClaim(new Claim(ClaimTypes.NameIdentifier, account.User.ToString()));
        if (account.Bot) identity.AddClaim(new Claim(ClaimTypes.Role, AccountPolicies.Bot));
        if (account.Administrator) identity.AddClaim(new Claim(ClaimTypes.Role, AccountPolicies.Administrator));
        return AuthenticateResult.Success(new AuthenticationTicket(new ClaimsPrincipal(identity), Scheme.Name));
    }
}

/// <summary>Authorization policies of the gateway's HTTP routes.</summary>
public static class AccountPolicies
{
    /// <summary>Name of the policy that asks for an administrator's token.</summary>
    public const string Administrator = "administrator";

    /// <summary>Role of a program's token.</summary>
    internal const string Bot = "bot";

    internal static void AddAccountAuthentication(this IServiceCollection services)
    {
        // Not AddAuthentication: it brings data protection, which keeps keys of its own in the user's home.
        services.AddWebEncoders();
        services.AddTransient<AccountAuthentication>();
        services.AddAuthenticationCore(authentication =>
        {
            authentication.AddScheme<AccountAuthentication>(AccountAuthentication.SchemeName, null);
            authentication.DefaultScheme = AccountAuthentication.SchemeName;
        });
        services.AddAuthorizationBuilder().AddPolicy(Administrator, policy => policy.RequireRole(Administrator));
    }

    /// <summary>The user whose token came with the request.</summary>
    internal static Snowflake Caller(this HttpContext context) =>
        Snowflake.TryParse(context.User.FindFirstValue(ClaimTypes.NameIdentifier), out var id) ? id : throw new InvalidOperationException("not authenticated");

    /// <summary>Whom a guild asks whether they may; null: an administrator of the installation.</summary>
    internal static Snowflake? By(this HttpContext context) => context.IsAdministrator() ? null : context.Caller();

    internal static bool IsBot(this HttpContext context) => context.User.IsInRole(Bot);

    internal static bool IsAdministrator(this HttpContext context) => context.User.IsInRole(Administrator);
}
