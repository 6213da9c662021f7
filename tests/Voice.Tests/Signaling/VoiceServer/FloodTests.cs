using System.Net.Sockets;
using Voice.Protocol.Links;
using Xunit;

namespace Voice.Tests.Signaling.VoiceServer;

/// <summary>A node with a real media process, and a stranger who sends it what nobody's key is behind.</summary>
public class FloodTests
{
    private static readonly TimeSpan Burst = TimeSpan.FromMilliseconds(10);

    [Fact]
    public async Task A_node_that_strangers_flood_asks_to_be_drained()
    {
        await using var node = await RealNode.StartAsync([], options => options with { FloodPackets = 200 });
        Assert.Equal(NodeDrain.None, (await node.Gateway.Next<NodeReport>()).Drain);

        await node.Gateway.SendAsync(new ProbeOpen("where is it?"));
        var media = WireAddress.Read((await node.Gateway.Next<ProbeOpened>()).Workers[0].Addresses[0])!;
        using var stranger = new Socket(media.AddressFamily, SocketType.Dgram, ProtocolType.Udp);
        stranger.Connect(media);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(node.Patience);
        var flood = FloodAsync(stranger, stop.Token);

        // A gateway that says nothing is left.
        while ((await node.Gateway.Next<NodeReport>()).Drain != NodeDrain.Flooded) await node.Gateway.SendAsync(new NodePing(1));
        await stop.CancelAsync();
        await flood;
    }

    private static async Task FloodAsync(Socket stranger, CancellationToken cancel)
    {
        using var timer = new PeriodicTimer(Burst);
        try
        {
            while (await timer.WaitForNextTickAsync(cancel))
            {
                for (byte i = 0; i < 10; i++) stranger.Send([0x80, 120, 0, i, 0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8]);
            }
        }
        catch (OperationCanceledException)
        {
            // It has been enough.
        }
    }
}
