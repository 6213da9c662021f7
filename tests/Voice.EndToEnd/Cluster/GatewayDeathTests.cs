using System.Buffers.Binary;
using System.Diagnostics;
using Voice.Client;
using Voice.EndToEnd.Harness;
using Voice.Protocol;
using Voice.Protocol.Gateway;
using Voice.Protocol.Ogg;
using Voice.Signaling.Gateway.Guilds;
using Xunit;

namespace Voice.EndToEnd.Cluster;

/// <summary>Gateways are killed while people talk, and nobody hears it.</summary>
public sealed class GatewayDeathTests(ThreeGateways cluster) : IClassFixture<ThreeGateways>
{
    private static readonly TimeSpan BackWithin = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan Outage = TimeSpan.FromSeconds(15);

    /// <summary>Both clients are on the first gateway, which was there first: the allocator is on it too.</summary>
    [Fact(Timeout = 120_000)]
    public async Task A_killed_gateway_costs_no_frame_no_voice_state_and_few_seconds_of_its_sessions()
    {
        var cancel = TestContext.Current.CancellationToken;
        await cluster.StartNode("node-1");
        Snowflake[] users = [Accounts.NewUser(), Accounts.NewUser()];
        var (guild, channel) = await cluster.CreateGuild(gateway: 1, users);
        await using var ann = await Caller.Join(cluster, users[0], first: 0, guild, channel, cancel);
        await using var bob = await Caller.Join(cluster, users[1], first: 0, guild, channel, cancel);
        var before = await VoiceStates(guild, gateway: 1, users[0], cancel);
        Assert.Equal(2, before.Count);

        var heard = Hear(bob, ann, cancel);
        var talking = Talk(ann, seconds: 15, cancel);
        await Task.Delay(TimeSpan.FromSeconds(2), cancel); // a conversation that is under way
        var clock = Stopwatch.StartNew();
        cluster.Gateways[0].Kill();
        await Task.WhenAll(ann.Ready(2, cancel), bob.Ready(2, cancel));
        var back = clock.Elapsed;

        var sent = await talking;
        Assert.Equal(Enumerable.Range(0, sent), await heard);
        Assert.Equal(before, await VoiceStates(guild, gateway: 2, users[0], cancel));
        Assert.All([ann, bob], caller => Assert.Equal(1, caller.Connected));
        Assert.True(back < BackWithin, $"back after {back.TotalSeconds:0.0} s");

        // And the call is not only kept but alive: what is changed now reaches the node and the others.
        await bob.Gateway.SetVoiceState(guild, channel, selfMute: true, cancellation: cancel);
        await Poll.Until(async () => (await VoiceStates(guild, 2, users[0], cancel)).Any(state => state.SelfMute), "the mute", TimeSpan.FromSeconds(10));
        await bob.Gateway.SetVoiceState(guild, null, cancellation: cancel);
        await Poll.Until(() => ann.Voice.Users.Count == 0, "the leave", TimeSpan.FromSeconds(10));
    }

    [Fact(Timeout = 180_000)]
    public async Task Calls_go_on_while_no_gateway_is_there_and_are_adopted_when_they_return()
    {
        var cancel = TestContext.Current.CancellationToken;
        foreach (var dead in Enumerable.Range(0, cluster.Gateways.Length).Where(index => cluster.Gateways[index].HasExited)) await cluster.StartGateway(dead); // another test's
        await cluster.StartNode("node-2");
        Snowflake[] users = [Accounts.NewUser(), Accounts.NewUser()];
        var (guild, channel) = await cluster.CreateGuild(gateway: 1, users);
        await using var ann = await Caller.Join(cluster, users[0], first: 0, guild, channel, cancel);
        await using var bob = await Caller.Join(cluster, users[1], first: 1, guild, channel, cancel);
        var before = await VoiceStates(guild, gateway: 2, users[0], cancel);

        using var enough = new CancellationTokenSource();
        var heard = Hear(bob, ann, cancel);
        var talking = Talk(ann, seconds: 120, cancel, enough.Token);
        foreach (var gateway in cluster.Gateways) gateway.Kill();
        await Task.Delay(Outage, cancel);
        await Task.WhenAll(Enumerable.Range(0, cluster.Gateways.Length).Select(cluster.StartGateway));
        await Task.WhenAll(ann.Ready(2, cancel), bob.Ready(2, cancel));
        var after = await VoiceStates(guild, gateway: 2, users[0], cancel);
        await Task.Delay(GuildVoice.OrphanGrace + TimeSpan.FromSeconds(7), cancel); // nobody is taken for somebody who never came back
        await enough.CancelAsync();

        var sent = await talking;
        Assert.Equal(Enumerable.Range(0, sent), await heard);
        Assert.Equal(before, after);
        Assert.Equal(before, await VoiceStates(guild, gateway: 0, users[0], cancel));
        Assert.All([ann, bob], caller => Assert.Equal(1, caller.Connected));
    }

    private static async Task<int> Talk(Caller talker, int seconds, CancellationToken cancel, CancellationToken enough = default)
    {
        var number = 0;
        await OpusPlayer.PlayAsync(talker.Voice, Packets(), cancellation: cancel);
        return number;

        async IAsyncEnumerable<OpusPacket> Packets()
        {
            while (number < seconds * 50 && !enough.IsCancellationRequested)
            {
                var frame = new byte[60];
                frame[0] = 0xF8; // CELT, 20 ms
                BinaryPrimitives.WriteInt32BigEndian(frame.AsSpan(1), number++);
                yield return new(frame, 960);
            }

            await Task.CompletedTask;
        }
    }

    /// <summary>The numbers of what came of one talker until the first frame of silence.</summary>
    private static async Task<List<int>> Hear(Caller listener, Caller talker, CancellationToken cancel)
    {
        List<int> heard = [];
        await foreach (var frame in listener.Voice.ReadFramesAsync(cancel))
        {
            if (frame.User != talker.User) continue;
            if (frame.Payload.Span.SequenceEqual(OpusToc.SilenceFrame)) break;
            heard.Add(BinaryPrimitives.ReadInt32BigEndian(frame.Payload.Span[1..]));
        }

        return heard;
    }

    /// <summary>As a gateway shows them, session ids and all.</summary>
    private async Task<List<VoiceState>> VoiceStates(Snowflake guild, int gateway, Snowflake member, CancellationToken cancel)
    {
        var seen = new TaskCompletionSource<List<VoiceState>>(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var client = await GatewayClient.ConnectAsync(
            cluster.AddressOf(gateway), cluster.Token(member), new GatewayClientOptions { OnEvent = Take }, cancel);
        return await seen.Task.WaitAsync(cancel);

        void Take(GatewayEvent e)
        {
            if (e is GatewayEvent.GuildCreate { Guild: var created } && created.Id == guild)
                seen.TrySetResult([.. created.VoiceStates.OrderBy(state => state.UserId)]);
        }
    }
}
