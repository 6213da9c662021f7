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
        api.MapGet("/users/@me/guilds", Guilds).WithSummary("The guilds that the user is a member of");
    }

    private static Task<User> Me(HttpContext context, Accounts accounts) => accounts.Get(context.Caller());

    private static async Task<PartialGuild[]> Guilds(HttpContext context, Grains grains)
    {
        var caller = context.Caller();
        var guilds = await Task.WhenAll((await grains.User(caller).Guilds()).Select(id => grains.Guild(id).Get()));
        return [.. guilds.OfType<Guild>().Select(g => new PartialGuild(g.Id, g.Name, g.OwnerId == caller, g.Features))];
    }
}
