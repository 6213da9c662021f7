using System.ComponentModel;
using System.Diagnostics;
using System.Net;
using Microsoft.Win32.SafeHandles;

namespace Voice.Load.Linux;

/// <summary>A network of its own behind a pair of virtual cards, for servers that do not serve loopback. Needs root and iproute2.</summary>
internal sealed class NetworkNamespace : IDisposable
{
    private const int NewNetwork = 0x4000_0000;

    private readonly string name = $"voice-bench-{Environment.ProcessId}";

    private NetworkNamespace()
    {
    }

    /// <summary>On our side.</summary>
    public IPAddress Outside { get; } = IPAddress.Parse("198.18.0.1"); // RFC 2544: for benchmarks

    /// <summary>On the other.</summary>
    public IPAddress Inside { get; } = IPAddress.Parse("198.18.0.2");

    /// <summary>What starts a program in it.</summary>
    public string[] Command => ["ip", "netns", "exec", name];

    /// <exception cref="LoadException">It cannot be made.</exception>
    public static NetworkNamespace Create()
    {
        var network = new NetworkNamespace();
        try
        {
            var (here, there) = ($"vb{Environment.ProcessId}a", $"vb{Environment.ProcessId}b");
            Ip($"netns add {network.name}");
            Ip($"link add {here} type veth peer name {there} netns {network.name}");
            Ip($"addr add {network.Outside}/30 dev {here}");
            Ip($"link set {here} up");
            Ip($"-n {network.name} addr add {network.Inside}/30 dev {there}");
            Ip($"-n {network.name} link set {there} up");
            Ip($"-n {network.name} link set lo up");
            return network;
        }
        catch
        {
            network.Dispose();
            throw;
        }
    }

    /// <summary>Runs it on a thread that is in the namespace; sockets that it opens stay there.</summary>
    public T Enter<T>(Func<T> action)
    {
        T result = default!;
        Exception? failure = null;
        var thread = new Thread(() =>
        {
            try
            {
                using SafeFileHandle handle = File.OpenHandle($"/run/netns/{name}");
                if (Libc.setns((int)handle.DangerousGetHandle(), NewNetwork) != 0) throw new Win32Exception();
                result = action();
            }
            catch (Exception e)
            {
                failure = e;
            }
        });
        thread.Start();
        thread.Join();
        return failure is null ? result : throw new LoadException($"the network namespace cannot be used: {failure.Message}", failure);
    }

    /// <summary>From now on nothing that is sent on either side arrives, and nobody is told.</summary>
    public void CutOff()
    {
        Ip($"-n {name} route add blackhole {Outside}/32");
        Ip($"-n {name} route flush cache");
    }

    public void Reconnect() => Ip($"-n {name} route delete blackhole {Outside}/32");

    /// <summary>The cards go with it.</summary>
    public void Dispose()
    {
        try
        {
            Ip($"netns delete {name}");
        }
        catch (LoadException)
        {
            // It was not made.
        }
    }

    private static void Ip(string arguments)
    {
        try
        {
            using var ip = Process.Start(new ProcessStartInfo("ip", arguments) { RedirectStandardError = true })!;
            var error = ip.StandardError.ReadToEnd();
            ip.WaitForExit();
            if (ip.ExitCode != 0) throw new LoadException($"a network namespace cannot be made, which needs root: ip {arguments}: {error.Trim()}");
        }
        catch (Win32Exception e)
        {
            throw new LoadException("a network namespace needs iproute2", e);
        }
    }
}
