using System.CommandLine;
using Voice.Commands;
using Voice.Commands.Clients;

// The composition root: one executable with every role. Each command builds its options and hands them to a host.
var root = new RootCommand("Voice: a self-hosted voice backend with Discord's architecture.")
{
    UpCommand.Create(),
    GatewayCommand.Create(),
    NodeCommand.Create(),
    MediaCommand.Create(),
    TokenCommand.Create(),
    JoinCommand.Create(),
    PlayCommand.Create(),
    RecordCommand.Create(),
    JoinsCommand.Create(),
    BenchCommand.Create(),
    DrillCommand.Create(),
    SimulateCommand.Create(),
};
return await CommandRunner.RunAsync(root, args);
