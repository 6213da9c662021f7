using System.CommandLine;
using Voice.Signaling.Gateway;

namespace Voice.Commands;

internal static class GatewayCommand
{
    public static Command Create()
    {
        var command = new Command("gateway", "Run a gateway: main WebSocket, REST, guilds, allocator, page.");
        var settings = new Settings(command);
        var common = new CommonSettings(settings);
        var gateway = new GatewaySettings(settings, linkPort: 8081);
        command.SetAction(async (parsed, cancel) =>
        {
            await using var host = await GatewayHost.StartAsync(gateway.Read(parsed, common), cancel);
            Console.WriteLine($"Voice nodes dial port {host.LinkPort}.");
            Console.WriteLine($"The gateway is up: {host.Page}");
            await CommandRunner.UntilStopped(host.Completion);
        });
        return command;
    }
}
