using Voice.Load.Linux;
using Voice.Protocol.Gateway;

namespace Voice.Load.Drills;

/// <summary>Everything that is broken, by name.</summary>
internal static class Breaks
{
    private const string North = "north";
    private const string South = "south";

    private static readonly TimeSpan Frozen = TimeSpan.FromSeconds(2);

    /// <summary>A fifth of each round.</summary>
    private static readonly TimeSpan Flap = TimeSpan.FromMilliseconds(200);

    private static readonly TimeSpan BetweenFlaps = TimeSpan.FromMilliseconds(800);

    /// <summary>In the order in which they run.</summary>
    public static IReadOnlyList<Plan> All { get; } =
    [
        new("sfu-crash", SfuCrash) { KeepsSessions = true },
        new("sfu-reload", SfuReload) { KeepsSessions = true },
        new("node-kill", NodeKill) { Moves = true },
        new("node-freeze", NodeFreeze) { Moves = true, Mend = Thaw },
        new("black-hole", BlackHole) { Moves = true, CutsOff = true, Mend = Reach },
        new("grey-node", GreyNode) { Moves = true, Faults = true },
        new("drain", Drain) { Moves = true, Nodes = 2, Seconds = 30 },
        new("region-change", RegionChange) { Moves = true, Regions = [North, South], Seconds = 20 },
        new("gateway-kill", GatewayKill) { Concern = Concern.Everybody, KeepsSessions = true, Gateways = 3 },
        new("control-outage", ControlOutage) { Concern = Concern.Everybody, KeepsSessions = true, Gateways = 3, Seconds = 60 },
        new("flapping", Flapping) { Concern = Concern.Everybody, Gateways = 3, Faults = true, Seconds = 60 },
        new("storm", Storm) { Concern = Concern.Everybody, KeepsSessions = true },
    ];

    private static Task SfuCrash(Scene scene, CancellationToken cancel)
    {
        var media = scene.Node.MediaProcess;
        scene.Mark($"SIGKILL to the media process of {scene.Node.Id}");
        Libc.Signal(media, Libc.Kill);
        return Task.CompletedTask;
    }

    private static async Task SfuReload(Scene scene, CancellationToken cancel)
    {
        scene.Mark($"{scene.Node.Id} reloads its media process");
        await scene.Cluster.Run(["node", "reload", "--data", scene.Node.DataFolder, "--id", scene.Node.Id], cancel);
    }

    private static Task NodeKill(Scene scene, CancellationToken cancel)
    {
        scene.Mark($"SIGKILL to {scene.Node.Id} and its media process");
        scene.Node.SignalAll(Libc.Kill);
        return Task.CompletedTask;
    }

    private static Task NodeFreeze(Scene scene, CancellationToken cancel)
    {
        scene.Mark($"SIGSTOP to {scene.Node.Id} and its media process");
        scene.Node.SignalAll(Libc.Stop);
        return Task.CompletedTask;
    }

    private static Task Thaw(Scene scene, CancellationToken cancel)
    {
        scene.Mark($"SIGCONT to {scene.Node.Id}");
        scene.Node.SignalAll(Libc.Continue);
        return Task.CompletedTask;
    }

    private static Task BlackHole(Scene scene, CancellationToken cancel)
    {
        scene.Mark($"no packet comes from or to {scene.Node.Id}");
        scene.Cluster.Network!.CutOff();
        return Task.CompletedTask;
    }

    private static Task Reach(Scene scene, CancellationToken cancel)
    {
        scene.Mark($"{scene.Node.Id} is reached again");
        scene.Cluster.Network!.Reconnect();
        return Task.CompletedTask;
    }

    private static Task GreyNode(Scene scene, CancellationToken cancel)
    {
        scene.Mark($"{scene.Node.Id} answers everything and forwards nothing");
        scene.Node.SignalMedia(Libc.User1);
        return Task.CompletedTask;
    }

    private static async Task Drain(Scene scene, CancellationToken cancel)
    {
        scene.Mark($"{scene.Node.Id} drains");
        await scene.Cluster.Run(["node", "drain", scene.Node.Id, "--url", scene.Cluster.Gateways[0].Address.ToString(), "--token", scene.Cluster.AdministratorToken], cancel);
        scene.Mark("the command returned");
    }

    private static async Task RegionChange(Scene scene, CancellationToken cancel)
    {
        var guilds = scene.Crowd.Guilds.Where(guild => guild.NodeAt(long.MaxValue) == scene.Node.Id).ToArray();
        scene.Mark($"{guilds.Length} guilds go {South}");
        foreach (var guild in guilds)
            await scene.Cluster.Call<Channel>(HttpMethod.Patch, $"api/v10/channels/{guild.Channel}", new { rtc_region = South }, scene.Cluster.Token(guild.People[0].User), cancel);
    }

    private static async Task GatewayKill(Scene scene, CancellationToken cancel)
    {
        scene.Mark($"SIGKILL to {scene.Cluster.Gateways[0].Name}");
        await scene.Cluster.Gateways[0].Kill();
    }

    private static async Task ControlOutage(Scene scene, CancellationToken cancel)
    {
        scene.Mark("SIGKILL to every gateway");
        foreach (var gateway in scene.Cluster.Gateways) gateway.Signal(Libc.Kill);
        await Task.Delay(TimeSpan.FromSeconds(scene.Options.Seconds ?? 60), cancel);
        scene.Mark("the gateways return");
        foreach (var gateway in scene.Cluster.Gateways) await gateway.Kill();
        await Task.WhenAll(scene.Cluster.Gateways.Select(gateway => gateway.Start(cancel)));
        scene.Mark("they are back");
    }

    /// <summary>Every media process loses a fifth of what it sends, every node stands still for a fifth of the time, and an observer for 2 s.</summary>
    private static async Task Flapping(Scene scene, CancellationToken cancel)
    {
        scene.Mark("20 % loss, and nodes that stand still now and then");
        foreach (var node in scene.Cluster.Nodes) node.SignalMedia(Libc.User2);
        var rounds = (int)((scene.Options.Seconds ?? 60) / (Flap + BetweenFlaps).TotalSeconds);
        for (var round = 0; round < rounds; round++)
        {
            var node = scene.Cluster.Nodes[round % scene.Cluster.Nodes.Count];
            node.Signal(Libc.Stop);
            await Task.Delay(Flap, cancel);
            node.Signal(Libc.Continue);
            await Task.Delay(BetweenFlaps, cancel);
            if (round != rounds / 2) continue;
            var observer = scene.Cluster.Gateways[^1];
            scene.Mark($"{observer.Name} stands still for 2 s");
            observer.Signal(Libc.Stop);
            await Task.Delay(Frozen, cancel);
            observer.Signal(Libc.Continue);
        }

        foreach (var node in scene.Cluster.Nodes) node.SignalMedia(Libc.User2);
        scene.Mark("all is well");
    }

    private static Task Storm(Scene scene, CancellationToken cancel)
    {
        scene.Mark("every client loses both its sockets");
        foreach (var person in scene.Crowd.People)
        {
            person.Gateway!.Drop();
            person.Voice!.DropSocket();
        }

        return Task.CompletedTask;
    }
}
