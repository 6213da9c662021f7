using Microsoft.AspNetCore.Http;

namespace Voice.Signaling.Gateway.Rest;

internal static class Health
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);

    /// <summary>200 when a grain answers, and so the silo and the storage work; 503 otherwise.</summary>
    public static async Task<IResult> Check(Grains grains)
    {
        try
        {
            await grains.User(DefaultGuild.Id).Get().WaitAsync(Patience);
            return Results.Text("ok");
        }
        catch (Exception)
        {
            return Results.Text("guilds do not answer", statusCode: StatusCodes.Status503ServiceUnavailable);
        }
    }
}
