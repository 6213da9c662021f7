using System.CommandLine;
using Voice.Media;

namespace Voice.Commands;

internal static class MediaCommand
{
    /// <summary>How this very program starts a media process.</summary>
    public static string[] CommandLine => [.. Program, "media"];

    /// <summary>How this very program is started; under `dotnet voice.dll` the host comes first.</summary>
    public static string[] Program
    {
        get
        {
            var program = Environment.ProcessPath!;
            return Path.GetFileNameWithoutExtension(program) == "dotnet" ? [program, typeof(MediaCommand).Assembly.Location] : [program];
        }
    }

    public static Command Create()
    {
        var link = new Option<int>("--link") { Description = "descriptor of the connected media link", Required = true };
        var udp = new Option<int[][]>("--udp")
        {
            Description = "descriptors of the UDP sockets, IPv4[,IPv6] a worker: 5,6;7,8",
            Required = true,
            CustomParser = result =>
            {
                if (MediaProcessOptions.TryParseUdp(result.Tokens[0].Value, out var sockets)) return sockets;
                result.AddError($"--udp is '{result.Tokens[0].Value}', and must be descriptors such as 5,6;7,8");
                return null;
            },
        };
        var memory = new Option<int?>("--memory") { Description = "descriptor of the memory in which it leaves its successor how far it went" };
        var faults = new Option<bool>("--faults") { Description = "SIGUSR1 makes it forward nothing, SIGUSR2 lose a fifth, and again ends it; for drills" };
        var command = new Command("media", "The SFU. Started by a voice node with inherited sockets, and ends with it.") { link, udp, memory, faults };
        command.SetAction((parsed, cancel) => MediaProcess.RunAsync(
            new(parsed.GetValue(link), parsed.GetRequiredValue(udp), parsed.GetValue(memory), parsed.GetValue(faults)), Console.Error, cancel));
        return command;
    }
}
