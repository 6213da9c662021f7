using System.Diagnostics;

namespace Voice.EndToEnd.Harness;

/// <summary>A bridge in our namespace, to which other namespaces are plugged: a small network with one address a host. Needs root.</summary>
public sealed class TestNetwork : IAsyncDisposable
{
    private static int count;

    private readonly string bridge = $"vbr{Environment.ProcessId % 10_000}-{Interlocked.Increment(ref count)}";
    private readonly List<NetworkNamespace> hosts = [];

    private TestNetwork()
    {
    }

    /// <summary>Our own address on it.</summary>
    public string Address => "10.203.7.1";

    public static async Task<TestNetwork> Create()
    {
        var network = new TestNetwork();
        await Ip("link", "add", network.bridge, "type", "bridge");
        await Ip("addr", "add", $"{network.Address}/24", "dev", network.bridge);
        await Ip("link", "set", network.bridge, "up");
        return network;
    }

    public async Task<NetworkNamespace> AddHost()
    {
        var number = hosts.Count + 11;
        var host = new NetworkNamespace($"{bridge}-{number}", $"10.203.7.{number}");
        hosts.Add(host);
        var outside = $"v{bridge[3..]}-{number}";
        await Ip("netns", "add", host.Name);
        await Ip("link", "add", outside, "type", "veth", "peer", "name", "eth0", "netns", host.Name);
        await Ip("link", "set", outside, "master", bridge, "up");
        // An address that becomes usable a second later is a change of network to a browser, which drops what it was loading.
        await Ip("netns", "exec", host.Name, "sh", "-c", "echo 0 > /proc/sys/net/ipv6/conf/eth0/accept_dad");
        await Ip("-n", host.Name, "addr", "add", $"{host.Address}/24", "dev", "eth0");
        await Ip("-n", host.Name, "link", "set", "eth0", "up");
        await Ip("-n", host.Name, "link", "set", "lo", "up");
        return host;
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var host in hosts) await Ip("netns", "delete", host.Name);
        await Ip("link", "delete", bridge);
    }

    internal static async Task<string> Ip(params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo("ip", arguments) { RedirectStandardError = true, RedirectStandardOutput = true })
            ?? throw new InvalidOperationException("ip did not start");
        var output = process.StandardOutput.ReadToEndAsync();
        var error = await process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync();
        return process.ExitCode == 0 ? await output : throw new InvalidOperationException($"ip {string.Join(' ', arguments)}: {error}");
    }
}

/// <summary>A host of a <see cref="TestNetwork"/>.</summary>
public sealed record NetworkNamespace(string Name, string Address)
{
    /// <summary>Every address it has but loopback's, the link-local IPv6 one too.</summary>
    public async Task<string[]> AllAddresses() =>
        [.. (await TestNetwork.Ip("-n", Name, "-o", "addr", "show", "dev", "eth0")).Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .Select(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[3].Split('/')[0])];
}
