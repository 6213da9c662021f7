using System.CommandLine;
using Voice.Signaling.VoiceServer;

namespace Voice.Commands;

internal static class NodeCommand
{
    public static Command Create()
    {
        var command = new Command("node", "Run a voice node: voice WebSocket, and the media process that it supervises.");
        var settings = new Settings(command);
        var common = new CommonSettings(settings);
        var node = new NodeSettings(settings, "port");
        var patience = settings.Number("drain-seconds", "how long SIGTERM waits for the node's guilds to move to other nodes", 60, 0, 86_400);
        var gateway = settings.List("gateway", "link ports of all gateways of the cluster: host:port[,host:port]", ["127.0.0.1:8081"]);
        command.Subcommands.Add(CreateReload());
        command.SetAction(async (parsed, cancel) =>
        {
            await using var host = await NodeHost.StartAsync(node.Read(parsed, common, parsed.GetRequiredValue(gateway)), cancel);
            using var signals = new StopSignals();
            Console.WriteLine($"Node {host.NodeId} is up: https://{host.Endpoint}/");
            await await Task.WhenAny(host.Completion, signals.First);
            if (host.Completion.IsCompleted || parsed.GetValue(patience) is not (> 0 and var seconds)) return;

            Console.WriteLine($"Node {host.NodeId} waits up to {seconds} s for its guilds to move away; another signal ends it now.");
            await Task.WhenAny(host.DrainAsync(TimeSpan.FromSeconds(seconds)), signals.Second, host.Completion);
        });
        command.Subcommands.Add(NodeDrainCommand.List());
        command.Subcommands.Add(NodeDrainCommand.Create("drain", "Take a node out of service: its guilds move to others without a gap."));
        command.Subcommands.Add(NodeDrainCommand.Create("undrain", "Put a node back into service."));
        return command;
    }

    private static Command CreateReload()
    {
        var command = new Command("reload", "Let a new media process, of the program on the disk, take over from the running node's: nobody hears it.");
        var settings = new Settings(command);
        var data = settings.Text("data", "the node's data folder", "data");
        var id = settings.OptionalText("id", "name of the node [the one that runs there]");
        command.SetAction(async (parsed, cancel) =>
        {
            var answer = await NodeControl.AskAsync(parsed.GetRequiredValue(data), parsed.GetValue(id), NodeHost.ReloadRequest, cancel);
            if (answer.StartsWith("refused", StringComparison.Ordinal)) throw new Signaling.StartupException(answer);
            Console.WriteLine(answer);
        });
        return command;
    }
}
