using System.Buffers.Binary;
using System.Diagnostics;
using Voice.Client;
using Voice.EndToEnd.Harness;
using Voice.Protocol;
using Xunit;

namespace Voice.EndToEnd.Cluster;

/// <summary>A call moves from one node's process to another's while somebody talks and others listen.</summary>
public sealed class DrainTests(ITestOutputHelper output) : IAsyncLifetime
{
    private const int FramesBefore = 50;
    private const int FramesAfter = 350; // past the overlap
    private static readonly TimeSpan FrameTime = TimeSpan.FromMilliseconds(20);

    private readonly ClusterFixture cluster = new();
    private VoiceProcess first = null!;
    private VoiceProcess second = null!;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        await cluster.InitializeAsync();
        first = await cluster.StartNode("node-a");
    }

    public ValueTask DisposeAsync() => cluster.DisposeAsync();

    [Fact(Timeout = 120_000)]
    public async Task A_numbered_stream_crosses_a_drain_whole_and_once()
    {
        await using var call = await Call.Begin(cluster);
        second = await cluster.StartNode("node-b");

        var cancel = TestContext.Current.CancellationToken;
        await call.Talk(FramesBefore);
        await Drain("drain", cancel);
        await call.Talk(FramesAfter);

        await call.AssertHeard(FramesBefore + FramesAfter, output);
        await Poll.Until(async () => (await cluster.Administrator.Nodes()).Single(node => node.Id == "node-a") is { Usable: false }, "node-a to be out of service", TimeSpan.FromSeconds(5));
        await Drain("undrain", cancel);
        await Poll.Until(async () => (await cluster.Administrator.Nodes()).Single(node => node.Id == "node-a") is { Usable: true }, "node-a to be back", TimeSpan.FromSeconds(5));
    }

    [Fact(Timeout = 120_000)]
    public async Task A_node_that_is_told_to_end_sees_its_guilds_off_first()
    {
        await using var call = await Call.Begin(cluster);
        second = await cluster.StartNode("node-b");

        await call.Talk(FramesBefore);
        first.Terminate();
        await call.Talk(FramesAfter);

        await call.AssertHeard(FramesBefore + FramesAfter, output);
        Assert.Equal(0, await first.Exited().WaitAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken));
    }

    private async Task Drain(string what, CancellationToken cancel)
    {
        using var answer = await cluster.Administrator.PostAsync($"allocator/v1/nodes/node-a/{what}", null, cancel);
        answer.EnsureSuccessStatusCode();
    }

    /// <summary>One who talks, and one listener of each kind.</summary>
    private sealed class Call : IAsyncDisposable
    {
        private readonly List<GatewayClient> gateways = [];
        private readonly List<VoiceClient> clients = [];
        private readonly List<Listener> listeners = [];
        private readonly Stopwatch clock = new();
        private readonly List<long> sent = [];

        public static async Task<Call> Begin(ClusterFixture cluster)
        {
            var call = new Call();
            var (guild, channel) = await ClusterFixture.CreateGuild(cluster.Administrator, "Drained");
            await call.Join(cluster, guild, channel, VoiceTransport.Udp, null);
            foreach (var transport in new[] { VoiceTransport.Udp, VoiceTransport.WebRtc })
            {
                var listener = new Listener(transport);
                call.listeners.Add(listener);
                await call.Join(cluster, guild, channel, transport, listener.Hear);
            }

            return call;
        }

        public async Task Talk(int frames)
        {
            clock.Start();
            for (var i = 0; i < frames; i++)
            {
                var wait = (sent.Count * FrameTime) - clock.Elapsed;
                if (wait > TimeSpan.Zero) await Task.Delay(wait, Cancel);
                var frame = new byte[64];
                frame[0] = 0xF8;
                BinaryPrimitives.WriteInt32BigEndian(frame.AsSpan(1), sent.Count);
                sent.Add(Stopwatch.GetTimestamp());
                Assert.True(await clients[0].SendAsync(frame, Cancel));
            }
        }

        public async Task AssertHeard(int frames, ITestOutputHelper output)
        {
            await Poll.Until(() => listeners.All(listener => listener.Heard() is [.., var last] && last.Number == frames - 1), "the last frame to arrive", TimeSpan.FromSeconds(5));
            foreach (var listener in listeners)
            {
                var heard = listener.Heard();
                var (gap, sentGap) = (LongestGap(heard.Select(one => one.At)), LongestGap(sent));
                output.WriteLine($"{listener.Transport}: {heard.Length} of {frames} frames, longest gap {gap.TotalMilliseconds:0} ms, at the talker {sentGap.TotalMilliseconds:0} ms");
                Assert.Equal(heard.Length, heard.DistinctBy(one => one.Number).Count());
                Assert.Equal(heard.Length, heard.DistinctBy(one => one.Sequence).Count());
                Assert.InRange(heard.Length, frames - 3, frames);
                Assert.All(heard.GroupBy(one => one.Ssrc), stream => Assert.Single(stream.Select(one => one.Sequence - (ulong)one.Number).Distinct()));
                Assert.True(gap - sentGap < TimeSpan.FromSeconds(0.4), $"{gap.TotalMilliseconds:0} ms of silence"); // the bar is 60 ms, on a quiet machine
            }

            Assert.All(clients, client => Assert.Equal(VoiceClientState.Connected, client.State));
        }

        public async ValueTask DisposeAsync()
        {
            foreach (var client in clients) await client.DisposeAsync();
            foreach (var gateway in gateways) await gateway.DisposeAsync();
        }

        private static TimeSpan LongestGap(IEnumerable<long> times) => times.Zip(times.Skip(1), Stopwatch.GetElapsedTime).Max();

        private async Task Join(ClusterFixture cluster, Snowflake guild, Snowflake channel, VoiceTransport transport, FrameHandler? hear)
        {
            var user = Accounts.NewUser();
            await cluster.Administrator.AddMember(guild, user);
            var gateway = await cluster.Connect(user);
            gateways.Add(gateway);
            var options = new VoiceClientOptions { Transport = transport, OnFrame = hear, CheckCertificate = cluster.Trust };
            clients.Add(await VoiceClient.JoinAsync(gateway, guild, channel, options, Cancel));
        }
    }

    private sealed class Listener(VoiceTransport transport)
    {
        private readonly List<(int Number, ulong Sequence, uint Ssrc, long At)> heard = [];

        public VoiceTransport Transport => transport;

        public void Hear(in ReceivedFrame frame, ReadOnlySpan<byte> payload)
        {
            var one = (BinaryPrimitives.ReadInt32BigEndian(payload[1..]), frame.Sequence, frame.Ssrc, frame.Arrival);
            lock (heard) heard.Add(one);
        }

        public (int Number, ulong Sequence, uint Ssrc, long At)[] Heard()
        {
            lock (heard) return [.. heard];
        }
    }
}
