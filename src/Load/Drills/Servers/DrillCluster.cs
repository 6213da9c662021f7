using System.Globalization;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json;
using Voice.Client;
using Voice.Load.Linux;
using Voice.Protocol;
using Voice.Protocol.Gateway;
using Voice.Signaling;
using Voice.Signaling.Gateway;

namespace Voice.Load.Drills.Servers;

/// <summary>Gateways, nodes and what they need, each a process of its own on this machine, with all data in a folder that goes with them.</summary>
internal sealed class DrillCluster : IAsyncDisposable
{
    private static readonly TimeSpan ReadyTimeout = TimeSpan.FromSeconds(60);

    private readonly string folder = Directory.CreateTempSubdirectory("voice-drill-").FullName;
    private readonly string logs;
    private readonly List<GatewayServer> gateways = [];
    private readonly List<NodeServer> nodes = [];
    private readonly string[] voice;
    private readonly AccountTokens tokens;
    private readonly string secretFolder;
    private readonly EventHandler atExit;
    private ServerProcess? redis;
    private uint users;
    private bool disposed;

    private DrillCluster(DrillOptions options)
    {
        logs = options.Logs ?? Path.Combine(folder, "logs");
        Directory.CreateDirectory(logs);
        voice = options.VoiceCommand;

        // What all of them share, made once.
        secretFolder = Path.Combine(folder, "shared");
        tokens = AccountTokens.Open(secretFolder);
        ClusterSecret.Open(secretFolder, null);
        var token = tokens.Mint(NewUser(), TimeSpan.FromHours(12), administrator: true);
        Administrator = new HttpClient { Timeout = TimeSpan.FromSeconds(20), DefaultRequestHeaders = { Authorization = new AuthenticationHeaderValue("Bearer", token) } };
        atExit = (_, _) => End();
        AppDomain.CurrentDomain.ProcessExit += atExit;
    }

    public IReadOnlyList<GatewayServer> Gateways => gateways;

    public IReadOnlyList<NodeServer> Nodes => nodes;

    /// <summary>Where the first node is, if it is apart.</summary>
    public NetworkNamespace? Network { get; private set; }

    public HttpClient Administrator { get; }

    /// <exception cref="LoadException">Something does not start.</exception>
    public static async Task<DrillCluster> Start(DrillOptions options, Plan plan, Action<string> progress, CancellationToken cancel)
    {
        var cluster = new DrillCluster(options);
        try
        {
            var gatewayCount = options.Gateways ?? plan.Gateways;
            progress("starts the gateways");
            if (gatewayCount > 1) await cluster.StartRedis(cancel);
            if (plan.CutsOff) cluster.Network = NetworkNamespace.Create();
            for (var i = 0; i < gatewayCount; i++) cluster.AddGateway();
            await Task.WhenAll(cluster.gateways.Select(gateway => gateway.Start(cancel)));
            progress("starts the nodes");
            var nodeCount = options.Nodes ?? plan.Nodes;
            for (var i = 0; i < nodeCount; i++) cluster.AddNode(plan, i);
            await Task.WhenAll(cluster.nodes.Select(node => node.Start(cancel)));
            await cluster.Ready(nodeCount, cancel);
            return cluster;
        }
        catch
        {
            await cluster.DisposeAsync();
            throw;
        }
    }

    public Snowflake NewUser() => Snowflake.At(DateTimeOffset.UtcNow, Interlocked.Increment(ref users));

    public string Token(Snowflake user) => tokens.Mint(user, TimeSpan.FromHours(12));

    /// <param name="first">Where it tries first; when that is lost, it goes on to the others.</param>
    public Task<GatewayClient> Connect(Snowflake user, int first, GatewayClientOptions options, CancellationToken cancel)
    {
        var turn = first % gateways.Count;
        Uri[] others = [.. gateways[(turn + 1)..].Concat(gateways[..turn]).Select(gateway => gateway.Socket)];
        return GatewayClient.ConnectAsync(gateways[turn].Socket, Token(user), options with { Others = others }, cancel);
    }

    /// <summary>A REST call to a gateway that runs.</summary>
    /// <param name="token">Null: the administrator's.</param>
    public async Task<T> Call<T>(HttpMethod method, string path, object? body, string? token, CancellationToken cancel)
        where T : class
    {
        using var request = new HttpRequestMessage(method, new Uri(gateways.First(gateway => gateway.IsRunning).Address, path));
        if (body is not null) request.Content = JsonContent.Create(body, body.GetType());
        if (token is not null) request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token);
        using var response = await Administrator.SendAsync(request, cancel);
        var text = await response.Content.ReadAsStringAsync(cancel);
        if (!response.IsSuccessStatusCode) throw new LoadException($"{method} {path} is answered {(int)response.StatusCode}: {text}");
        return text.Length == 0 ? null! : (T)(JsonSerializer.Deserialize(text, typeof(T), GatewayJson.Default) ?? throw new LoadException($"{path} answers null"));
    }

    /// <summary>Runs one of our commands to its end.</summary>
    /// <exception cref="LoadException">It fails.</exception>
    public async Task Run(string[] arguments, CancellationToken cancel)
    {
        var (process, _) = await ServerProcess.Start(arguments[0], [.. voice, .. arguments], Path.Combine(logs, "commands.log"), [], cancel);
        await using (process)
        {
            await process.Ended(cancel);
            if (process.ExitCode != 0) throw new LoadException($"voice {string.Join(' ', arguments)} fails: {string.Join(" / ", File.ReadLines(Path.Combine(logs, "commands.log")).TakeLast(2))}");
        }
    }

    /// <summary>An administrator's token, for commands.</summary>
    public string AdministratorToken => Administrator.DefaultRequestHeaders.Authorization!.Parameter!;

    public async ValueTask DisposeAsync()
    {
        if (disposed) return;
        disposed = true;
        AppDomain.CurrentDomain.ProcessExit -= atExit;
        foreach (var gateway in gateways) await gateway.DisposeAsync();
        foreach (var node in nodes) await node.DisposeAsync();
        if (redis is not null) await redis.DisposeAsync();
        Network?.Dispose();
        Administrator.Dispose();
        try
        {
            Directory.Delete(folder, recursive: true);
        }
        catch (IOException)
        {
            // Something still writes; it is a folder for temporary files.
        }
    }

    private void End() => DisposeAsync().AsTask().Wait(TimeSpan.FromSeconds(5));

    private async Task StartRedis(CancellationToken cancel)
    {
        var data = Directory.CreateDirectory(Path.Combine(folder, "redis")).FullName;
        RedisPort = FreePort.Take(1)[0];
        (redis, _) = await ServerProcess.Start(
            "redis-server",
            ["redis-server", "--port", Text(RedisPort), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", data],
            Path.Combine(logs, "redis.log"),
            ["Ready to accept connections"],
            cancel);
    }

    private int RedisPort { get; set; }

    private void AddGateway()
    {
        var name = $"gateway-{gateways.Count + 1}";
        var ports = FreePort.Take(3);
        string[] command =
        [
            .. voice, "gateway", "--data", Folder(name), "--port", Text(ports[0]), "--link-port", Text(ports[1]),
            .. Network is null ? (string[])[] : ["--bind", "0.0.0.0", "--public-host", "127.0.0.1"],
            .. redis is null ? (string[])[] : ["--redis", $"127.0.0.1:{RedisPort}", "--silo-port", Text(ports[2])],
        ];
        gateways.Add(new GatewayServer(name, command, Path.Combine(logs, name + ".log"), ports[0], ports[1]));
    }

    private void AddNode(Plan plan, int number)
    {
        var id = $"node-{number + 1}";
        var network = number == 0 ? Network : null;
        var region = plan.Regions[number % plan.Regions.Length];
        var dialled = string.Join(',', gateways.Select(gateway => $"{(network is null ? "127.0.0.1" : network.Outside.ToString())}:{gateway.LinkPort}"));
        var data = Folder(id);
        string[] command =
        [
            .. network?.Command ?? [], .. voice, "node", "--id", id, "--region", region, "--data", data, "--gateway", dialled, "--port", "0", "--media-port", "0",
            .. network is null ? (string[])[] : ["--bind", network.Inside.ToString()],
            .. plan.Faults ? (string[])["--faults"] : [],
        ];
        nodes.Add(new NodeServer(id, region, command, data, Path.Combine(logs, id + ".log")));
    }

    /// <summary>Waits until every gateway counts every node as usable.</summary>
    private async Task Ready(int count, CancellationToken cancel)
    {
        using var timeout = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        timeout.CancelAfter(ReadyTimeout);
        try
        {
            while (!await AreUsable(count, timeout.Token)) await Task.Delay(100, timeout.Token);
        }
        catch (OperationCanceledException) when (!cancel.IsCancellationRequested)
        {
            throw new LoadException("the nodes do not become usable");
        }
    }

    private async Task<bool> AreUsable(int count, CancellationToken cancel)
    {
        using var answer = await Administrator.GetAsync(new Uri(gateways[0].Address, "allocator/v1/nodes"), cancel);
        if (!answer.IsSuccessStatusCode) return false;
        using var nodes = JsonDocument.Parse(await answer.Content.ReadAsStreamAsync(cancel));
        return nodes.RootElement.EnumerateArray().Count(node => node.GetProperty("usable").GetBoolean()) == count;
    }

    /// <summary>A data folder with the keys that all share.</summary>
    private string Folder(string name)
    {
        var data = Directory.CreateDirectory(Path.Combine(folder, name)).FullName;
        foreach (var file in Directory.EnumerateFiles(secretFolder))
            File.Copy(file, Path.Combine(data, Path.GetFileName(file))); // its mode too
        return data;
    }

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}
