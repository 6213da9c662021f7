using System.CommandLine;
using System.Net;
using Voice.Signaling.Gateway;
using Voice.Signaling.VoiceServer;

namespace Voice.Commands;

/// <summary>Everything on one machine: a gateway and a node in this process, its media process as a child, and between
/// them the same links as in a cluster.</summary>
internal static class UpCommand
{
    public static Command Create()
    {
        var command = new Command("up", "Run everything on this machine and print the page's address.");
        var settings = new Settings(command);
        var common = new CommonSettings(settings);
        var gatewaySettings = new GatewaySettings(settings, linkPort: 0);
        var nodeSettings = new NodeSettings(settings, "node-port");
        command.SetAction(async (parsed, cancel) =>
        {
            // Whatever clients are served on, the one node is here.
            var gatewayOptions = gatewaySettings.Read(parsed, common) with { LinkBind = IPAddress.Loopback };
            await using var gateway = await GatewayHost.StartAsync(gatewayOptions, cancel);
            var nodeOptions = nodeSettings.Read(parsed, common, [$"{IPAddress.Loopback}:{gateway.LinkPort}"]);
            await using var node = await NodeHost.StartAsync(nodeOptions, cancel);
            Console.WriteLine($"Voice is up: {gateway.Page}");
            await CommandRunner.UntilStopped(Task.WhenAny(gateway.Completion, node.Completion).Unwrap());
        });
        return command;
    }
}
