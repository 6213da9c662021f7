using System.CommandLine;
using Voice.Protocol;
using Voice.Signaling.Gateway;

namespace Voice.Commands;

internal static class TokenCommand
{
    public static Command Create()
    {
        var command = new Command("token", "Mint a token that proves who somebody is, and print it.");
        var user = new Argument<string>("user") { Description = "user id; without it, a new one", Arity = ArgumentArity.ZeroOrOne };
        command.Arguments.Add(user);
        var settings = new Settings(command);
        var data = settings.Text("data", "folder that holds the signing key", "data");
        var key = settings.OptionalText("token-key", "the signing key, instead of the one in the data folder");
        var days = settings.Number("days", "days until it expires", 365, 1, 3650);
        var admin = settings.Switch("admin", "an administrator's token");
        var bot = settings.Switch("bot", "a bot's token: the user is a program, and may be in voice in several guilds at once");
        command.SetAction(parsed =>
        {
            var id = parsed.GetValue(user) switch
            {
                null => Snowflake.At(DateTimeOffset.UtcNow, (uint)Random.Shared.Next()),
                var text when Snowflake.TryParse(text, out var given) => given,
                var text => throw new SettingException($"'{text}' is not a user id: it is a number, such as 1296000000000000000"),
            };
            var tokens = AccountTokens.Open(parsed.GetRequiredValue(data), parsed.GetValue(key));
            Console.WriteLine(tokens.Mint(id, TimeSpan.FromDays(parsed.GetValue(days)), parsed.GetValue(admin) ?? false, parsed.GetValue(bot) ?? false));
        });
        return command;
    }
}
