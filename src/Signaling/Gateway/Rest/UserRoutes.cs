using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Voice.Protocol;
using Voice.Protocol.Gateway;

namespace Voice.Signaling.Gateway.Rest;

internal static class UserRoutes
{
    private sealed record PartialGuild(Snowflake Id, string Name, bool Owner, string[] Features);

    public static void MapUsers(this RouteGroupBuilder api)
    {
        api.MapGet("/users/@me", Me).WithSummary("The user that the token names");
        api.MapGet("/users/{user}", Get).Produces<User>();
        api.MapGet("/oauth2/applications/@me", Application).WithSummary("A bot as Discord's libraries ask for it at login");
        api.MapGet("/applications/@me", Application);
        api.MapGet("/users/@me/guilds", Guilds).WithSummary("The guilds that the user is a member of");
    }

    /// <summary>There are no applications here but the bots themselves (protocol/gateway.md section 1).</summary>
    private sealed record OwnApplication(Snowflake Id, string Name, User Owner)
    {
        public string Description { get; } = "";

        public string Summary { get; } = "";

        public string? Icon { get; }

        public bool BotPublic { get; }

        public bool BotRequireCodeGrant { get; }

        public object? Team { get; }

        public int Flags { get; }

        public string VerifyKey { get; } = "";
    }

    private static Task<User> Me(HttpContext context, Accounts accounts) => accounts.Get(context.Caller(), bot: context.IsBot());

    private static async Task<IResult> Get(Snowflake user, Grains grains) =>
        await grains.User(user).Get() is { } known ? Results.Ok(known) : RestError.UnknownUser;

    private static async Task<OwnApplication> Application(HttpContext context, Accounts accounts)
    {
        var user = await Me(context, accounts);
        return new OwnApplication(user.Id, user.Username, user);
    }

    private static async Task<PartialGuild[]> Guilds(HttpContext context, Grains grains)
    {
        var caller = context.Caller();
        var guilds = await Task.WhenAll((await grains.User(caller).Guilds()).Select(id => grains.Guild(id).Get()));
        return [.. guilds.OfType<Guild>().Select(g => new PartialGuild(g.Id, g.Name, g.OwnerId == caller, g.Features))];
    }
}
