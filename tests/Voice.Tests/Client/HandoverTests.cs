using System.Threading.Channels;
using Microsoft.Extensions.Time.Testing;
using Voice.Client;
using Voice.Protocol;
using Voice.Protocol.Voice;
using Voice.Tests.Fakes;
using Xunit;

namespace Voice.Tests.Client;

/// <summary>The call moves from one voice server to another under a client that is in it. Sockets are real, time is not.</summary>
public sealed class HandoverTests : IAsyncLifetime
{
    private const int Frames = 40;
    private static readonly byte[] Opus = [0xF8, 1, 2, 3];

    private readonly FakeTimeProvider time = new();
    private readonly Channel<VoiceEvent> events = Channel.CreateUnbounded<VoiceEvent>();
    private FakeVoiceService from = null!;
    private FakeVoiceService to = null!;
    private GatewayClient gateway = null!;
    private VoiceClient voice = null!;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        from = await FakeVoiceService.Start();
        to = await FakeVoiceService.Start();
        gateway = await from.Connect();
        var options = from.OptionsWith(to) with { Time = time, OnEvent = e => events.Writer.TryWrite(e) };
        voice = await VoiceClient.JoinAsync(gateway, 500, 501, options, Cancel);
        await Introduce(from);
        await Until(e => e is VoiceEvent.Speaking);
    }

    public async ValueTask DisposeAsync()
    {
        await voice.DisposeAsync();
        await gateway.DisposeAsync();
        await to.DisposeAsync();
        await from.DisposeAsync();
    }

    [Fact]
    public async Task What_comes_over_both_is_heard_once_and_without_a_gap()
    {
        for (ushort i = 1; i <= 10; i++) from.SendRtp(i, 16, Frame(i));
        await HearsTo(10);
        await Move();
        for (ushort i = 11; i <= Frames; i++)
        {
            if (i <= 30) from.SendRtp(i, 16, Frame(i));
            to.SendRtp((ushort)(i + 1000), 24, Frame(i), i * 960u);
            await HearsTo(i);
        }

        Assert.Equal(Enumerable.Range(1, Frames).Select(i => (ulong)i), heard);
        Assert.Equal(VoiceClientState.Connected, voice.State);
        Assert.DoesNotContain(Seen(), e => e is VoiceEvent.StateChanged or VoiceEvent.ClientConnected or VoiceEvent.ClientDisconnected);
    }

    [Fact]
    public async Task What_is_said_goes_out_over_both_with_the_same_timestamps()
    {
        await voice.SendAsync(Opus, Cancel);
        var before = await from.NextPacket();
        await Move();
        await voice.SendAsync(Opus, Cancel);
        var (old, next) = (await from.NextPacket(), await to.NextPacket());

        Assert.Equal(1, (await to.VoiceHears(VoiceOpcode.Speaking)).GetProperty("speaking").GetInt32());
        Assert.Equal(old.Timestamp, next.Timestamp);
        Assert.Equal(0u, (old.Timestamp - before.Timestamp) % 960);
        Assert.Equal(Opus, old.Payload);
        Assert.Equal(Opus, next.Payload);
    }

    [Fact]
    public async Task The_former_server_is_left_when_the_overlap_is_over()
    {
        await Move();
        time.Advance(VoiceSessions.Overlap - TimeSpan.FromMilliseconds(1));
        Assert.False(from.Goodbye.IsCompleted);

        time.Advance(TimeSpan.FromMilliseconds(1));
        await from.Goodbye.WaitAsync(Cancel);

        Assert.True(await voice.SendAsync(Opus, Cancel));
        Assert.Equal(Opus, await to.NextPayload());
        Assert.Equal(VoiceClientState.Connected, voice.State);
    }

    [Fact]
    public async Task A_former_server_that_ends_first_takes_nothing_with_it()
    {
        from.SendRtp(1, 16, Frame(1));
        await HearsTo(1);
        await Move();
        await from.CloseVoice((int)VoiceCloseCode.Disconnected);
        time.Advance(TimeSpan.FromMilliseconds(100));
        for (ushort i = 2; i <= 5; i++) to.SendRtp(i, 24, Frame(i));
        await HearsTo(5);

        Assert.Equal([1, 2, 3, 4, 5], heard);
        Assert.Equal(VoiceClientState.Connected, voice.State);
    }

    [Fact]
    public async Task Between_a_former_server_that_ended_and_the_next_it_says_that_it_is_on_its_way()
    {
        to.LostDiscoveries = int.MaxValue;
        to.TakeOverFrom(from);
        await from.Server(to.Endpoint);
        await to.VoiceHears(VoiceOpcode.Identify);
        Assert.Equal(VoiceClientState.Connected, voice.State);

        await from.CloseVoice((int)VoiceCloseCode.Disconnected);

        await Until(e => e is VoiceEvent.StateChanged { State: VoiceClientState.Connecting });
    }

    [Fact]
    public async Task Whoever_does_not_come_along_has_left_when_the_overlap_is_over()
    {
        await from.Voice(new { op = 11, d = new { user_ids = new[] { "13" } }, seq = 3 });
        await Until(e => e is VoiceEvent.ClientConnected { User.Value: 13 });
        await Move();
        Assert.Equal([12ul, 13ul], voice.Users.Select(user => user.Value).Order());

        time.Advance(VoiceSessions.Overlap);

        await Until(e => e is VoiceEvent.ClientDisconnected { User.Value: 13 });
        Assert.Equal([(Snowflake)12], voice.Users);
    }

    [Fact]
    public async Task Packets_of_nobody_are_left_to_the_former_server()
    {
        await Move();
        to.SendRtp(7, 99, Opus);
        to.SendRtp(8, 24, Frame(8));

        await HearsTo(8);
        Assert.Equal([8], heard);
    }

    private static byte[] Frame(int number) => [0xF8, 1, 2, (byte)number];

    private readonly List<ulong> heard = [];

    private async Task Move()
    {
        to.TakeOverFrom(from);
        await from.Server(to.Endpoint);
        await to.NextEmptyPacket(); // its way back is known
        await Introduce(to, ssrc: 24);
        await Until(e => e is VoiceEvent.Speaking { Ssrc: 24 });
        while (!to.HasPacket)
        {
            await voice.SendAsync(Opus, Cancel);
            await Task.Delay(1, Cancel); // until it goes out over both
        }

        while (to.HasPacket) await to.NextPacket();
        while (from.HasPacket) await from.NextPacket();
    }

    private static async Task Introduce(FakeVoiceService service, uint ssrc = 16)
    {
        await service.Voice(new { op = 11, d = new { user_ids = new[] { "12" } }, seq = 1 });
        await service.Voice(new { op = 5, d = new { user_id = "12", ssrc, speaking = 1 }, seq = 2 });
    }

    private async Task HearsTo(ulong sequence)
    {
        while (heard.Count == 0 || heard[^1] < sequence)
        {
            await foreach (var frame in voice.ReadFramesAsync(Cancel))
            {
                heard.Add(frame.Sequence);
                break;
            }
        }
    }

    private IEnumerable<VoiceEvent> Seen()
    {
        while (events.Reader.TryRead(out var e)) yield return e;
    }

    private async Task Until(Func<VoiceEvent, bool> wanted)
    {
        while (!wanted(await events.Reader.ReadAsync(Cancel)))
        {
        }
    }
}
