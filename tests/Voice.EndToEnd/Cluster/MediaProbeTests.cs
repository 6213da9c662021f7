using System.Diagnostics;
using System.Globalization;
using Voice.EndToEnd.Harness;
using Xunit;

namespace Voice.EndToEnd.Cluster;

/// <summary>Whether media is forwarded, seen from a gateway: real processes, and one that stands still while its node answers every ping.</summary>
public sealed class MediaProbeTests(ClusterFixture cluster) : IClassFixture<ClusterFixture>
{
    /// <summary>For a machine that does other things too; the drill measures how long it takes.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    [Fact(Timeout = 240_000)]
    public async Task A_node_whose_media_process_stands_still_leaves_allocation_and_returns()
    {
        var grey = await cluster.StartNode("grey", "--workers", "2");
        await cluster.StartNode("well");
        await Until("grey", "healthy");
        await Until("well", "healthy");

        var media = grey.Children();
        await Signal("-STOP", media, TestContext.Current.CancellationToken);
        try
        {
            await Until("grey", "out");
        }
        finally
        {
            await Signal("-CONT", media, CancellationToken.None); // else they would outlive the test
        }

        await Until("grey", "healthy");
        Assert.Equal(media.Order(), grey.Children().Order()); // nobody had to start another
    }

    private Task Until(string node, string state) => Poll.Until(
        async () =>
        {
            TestContext.Current.CancellationToken.ThrowIfCancellationRequested();
            return (await cluster.Administrator.Nodes()).Any(one => one.Id == node && one.State == state && one.Usable == (state == "healthy"));
        },
        $"{node} to be {state}",
        Patience);

    private static async Task Signal(string signal, int[] processes, CancellationToken cancel)
    {
        using var kill = Process.Start("kill", [signal, .. processes.Select(process => process.ToString(CultureInfo.InvariantCulture))]);
        await kill.WaitForExitAsync(cancel);
        Assert.Equal(0, kill.ExitCode);
    }
}
