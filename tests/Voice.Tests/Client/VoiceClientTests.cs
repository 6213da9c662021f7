using System.Threading.Channels;
using Voice.Client;
using Voice.Protocol;
using Voice.Protocol.Ogg;
using Voice.Protocol.Voice;
using Voice.Tests.Fakes;
using Xunit;

namespace Voice.Tests.Client;

/// <summary>The client against a server that fails it in every way that the protocol documents name.</summary>
public sealed class VoiceClientTests : IAsyncLifetime
{
    private static readonly Snowflake Guild = 500;
    private static readonly Snowflake Lounge = 501;
    private static readonly byte[] Opus = [0xF8, 1, 2, 3];

    private readonly Channel<VoiceEvent> events = Channel.CreateUnbounded<VoiceEvent>();
    private FakeVoiceService service = null!;
    private GatewayClient gateway = null!;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        service = await FakeVoiceService.Start();
        gateway = await service.Connect();
    }

    public async ValueTask DisposeAsync()
    {
        await gateway.DisposeAsync();
        await service.DisposeAsync();
    }

    [Fact]
    public async Task It_joins_talks_and_leaves()
    {
        var voice = await Join();
        Assert.Equal(["127.0.0.1"], [(await service.VoiceHears(VoiceOpcode.SelectProtocol)).GetProperty("data").GetProperty("address").GetString()]);

        Assert.True(await voice.SendAsync(Opus, Cancel));
        Assert.Equal(1, (await service.VoiceHears(VoiceOpcode.Speaking)).GetProperty("speaking").GetInt32());
        Assert.Equal(Opus, await service.NextPayload());

        await voice.PauseAsync(Cancel);
        for (var i = 0; i < 5; i++) Assert.Equal(OpusToc.SilenceFrame.ToArray(), await service.NextPayload());
        Assert.Equal(0, (await service.VoiceHears(VoiceOpcode.Speaking)).GetProperty("speaking").GetInt32());

        await service.GatewayHears(4);
        await voice.DisposeAsync();
        Assert.Null((await service.GatewayHears(4)).GetProperty("channel_id").GetString());
        Assert.Equal(VoiceClientState.Closed, voice.State);
    }

    [Fact]
    public async Task What_is_not_Opus_is_not_sent()
    {
        await using var voice = await Join();

        await Assert.ThrowsAsync<ArgumentException>(async () => await voice.SendAsync(new byte[] { 0xFF, 0 }, Cancel));
    }

    [Fact]
    public async Task Received_frames_carry_who_sent_them_and_replays_and_forgeries_are_refused()
    {
        await using var voice = await Join();
        await service.Voice(new { op = 11, d = new { user_ids = new[] { "12" } }, seq = 1 });
        await service.Voice(new { op = 5, d = new { user_id = "12", ssrc = 16, speaking = 1 }, seq = 2 });
        await Until(e => e is VoiceEvent.Speaking { Ssrc: 16 });

        service.SendRtp(65_535, 16, Opus);
        service.SendRtp(0, 16, Opus);
        service.SendRtp(0, 16, Opus);
        service.SendUdp([0x80, 0x78, 0, 9, 0, 0, 0, 0, 0, 0, 0, 16, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0, 1, 2, 3]);
        service.SendRtp(1, 99, Opus);

        List<ReceivedFrame> frames = [];
        await foreach (var frame in voice.ReadFramesAsync(Cancel))
        {
            frames.Add(frame);
            if (frames.Count == 3) break;
        }

        Assert.Equal([(Snowflake)12, 12, null], frames.Select(frame => frame.User));
        Assert.Equal([65_535ul, 65_536, 1], frames.Select(frame => frame.Sequence));
        Assert.All(frames, frame => Assert.Equal(Opus, frame.Payload.ToArray()));
        Assert.Equal(2, voice.RefusedPackets);
        Assert.Equal([(Snowflake)12], voice.Users);
    }

    [Fact]
    public async Task Who_only_listens_tells_the_server_where_by_RTP()
    {
        await using var voice = await Join();

        await service.NextEmptyPacket();
    }

    [Fact]
    public async Task A_packet_of_its_own_that_comes_back_is_refused()
    {
        await using var voice = await Join();

        service.SendRtp(1, FakeVoiceService.Ssrc, Opus);
        service.SendRtp(1, 16, Opus);

        await foreach (var frame in voice.ReadFramesAsync(Cancel))
        {
            Assert.Equal(16u, frame.Ssrc);
            break;
        }

        Assert.Equal(1, voice.RefusedPackets);
    }

    [Theory]
    [InlineData(VoiceClient.MaxPacketLength)]
    [InlineData(VoiceClient.MaxPacketLength + 1)]
    public async Task A_packet_longer_than_a_datagram_carries_is_refused(int length)
    {
        await using var voice = await Join();
        var opus = new byte[length];
        opus[0] = 0xFB; // packed in code 3, one frame
        opus[1] = 1;

        if (length > VoiceClient.MaxPacketLength) await Assert.ThrowsAsync<ArgumentException>(async () => await voice.SendAsync(opus, Cancel));
        else Assert.True(await voice.SendAsync(opus, Cancel) && (await service.NextPayload()).Length == length);
    }

    [Fact]
    public async Task Lost_discovery_requests_are_sent_again()
    {
        service.LostDiscoveries = 2;

        await using var voice = await Join();

        Assert.Equal(VoiceClientState.Connected, voice.State);
    }

    [Fact]
    public async Task A_lost_socket_is_resumed_with_the_last_sequence_number_and_media_goes_on()
    {
        await using var voice = await Join();
        await voice.SendAsync(Opus, Cancel);
        await service.Voice(new { op = 11, d = new { user_ids = new[] { "12" } }, seq = 7 });
        await Until(e => e is VoiceEvent.ClientConnected);

        service.AbortVoice();
        var resume = await service.VoiceHears(VoiceOpcode.Resume);
        Assert.True(await voice.SendAsync(Opus, Cancel));

        Assert.Equal((7, "session-1"), (resume.GetProperty("seq_ack").GetInt32(), resume.GetProperty("session_id").GetString()));
        await Until(VoiceClientState.Connected);
        Assert.Equal(1, (await service.VoiceHears(VoiceOpcode.Speaking)).GetProperty("speaking").GetInt32()); // it still talks
        Assert.Equal(Opus, await service.NextPayload());
        Assert.Equal(Opus, await service.NextPayload());
    }

    [Theory]
    [InlineData(4006)]
    [InlineData(4009)]
    [InlineData(4004)]
    public async Task A_session_that_is_over_is_joined_anew(int code)
    {
        await using var voice = await Join();
        await service.GatewayHears(4);

        await service.CloseVoice(code);

        Assert.Equal("501", (await service.GatewayHears(4)).GetProperty("channel_id").GetString());
        await Until(VoiceClientState.Joining);
        await Until(VoiceClientState.Connected);
        await voice.SendAsync(Opus, Cancel);
        Assert.Equal(Opus, await service.NextPayload());
    }

    [Fact]
    public async Task After_a_restart_of_the_server_it_is_back_where_it_was()
    {
        await using var voice = await Join();
        await service.GatewayHears(4);

        service.Restart(away: 3);

        Assert.Equal("501", (await service.GatewayHears(4)).GetProperty("channel_id").GetString());
        await Until(VoiceClientState.Joining);
        await Until(VoiceClientState.Connected);
        Assert.False(voice.Completion.IsCompleted);
    }

    [Fact]
    public async Task A_move_asked_for_while_the_gateway_is_away_is_made_when_it_is_back()
    {
        await using var voice = await Join();
        await service.GatewayHears(4);
        service.Away = 1;
        service.AbortGateway();
        while (gateway.IsConnected) await Task.Yield();

        await voice.MoveAsync(502, Cancel);

        Assert.Equal("502", (await service.GatewayHears(4)).GetProperty("channel_id").GetString());
    }

    [Fact]
    public async Task A_frame_that_cannot_be_read_is_passed_over()
    {
        await using var voice = await Join();

        await service.Voice(new { op = 5, d = "?", seq = 1 });
        await service.Voice(new { op = 11, d = new { user_ids = new[] { "12" } }, seq = 2 });

        await Until(e => e is VoiceEvent.ClientConnected);
        Assert.Equal(VoiceClientState.Connected, voice.State);
    }

    [Fact]
    public async Task A_handler_that_throws_ends_the_client_and_says_so()
    {
        await using var voice = await VoiceClient.JoinAsync(
            gateway, Guild, Lounge, service.Options with { OnFrame = (in _, _) => throw new InvalidDataException("mine") }, Cancel);

        service.SendRtp(1, 16, Opus);

        var closed = await Assert.ThrowsAsync<VoiceClosedException>(() => voice.Completion.WaitAsync(Cancel));
        Assert.IsType<InvalidDataException>(closed.InnerException);
    }

    [Theory]
    [InlineData("READY")]
    [InlineData("GUILD_CREATE")]
    [InlineData("VOICE_STATE_UPDATE")]
    [InlineData("VOICE_SERVER_UPDATE")]
    public async Task A_gateway_event_of_another_shape_breaks_the_connection_and_not_the_client(string type)
    {
        var resumed = gateway.Next<GatewayEvent.Resumed>(cancellation: Cancel);

        await service.Gateway(new { op = 0, t = type, s = 2, d = new { guild_id = "500" } });

        await resumed;
    }

    [Fact]
    public async Task Refused_once_it_asks_for_another_assignment()
    {
        service.Refusals.Enqueue(4006);

        await using var voice = await Join();

        await service.GatewayHears(4);
        await service.GatewayHears(4);
    }

    [Fact]
    public async Task Refused_for_good_it_says_why()
    {
        service.Refusals.Enqueue((int)VoiceCloseCode.RateLimited);

        var closed = await Assert.ThrowsAsync<VoiceClosedException>(Join);

        Assert.Equal((int)VoiceCloseCode.RateLimited, closed.Code);
    }

    [Fact]
    public async Task Without_a_voice_server_it_waits_for_one()
    {
        await using var voice = await Join();
        await service.Server(null);
        await Until(VoiceClientState.AwaitingServer);

        await service.Server(service.Endpoint);

        await Until(VoiceClientState.Connected);
    }

    [Fact]
    public async Task Moved_by_somebody_it_goes_to_the_other_channel()
    {
        await using var voice = await Join();

        await service.CloseVoice((int)VoiceCloseCode.Disconnected);
        await service.State("502");
        await service.Server(service.Endpoint);

        await Until(VoiceClientState.Joining);
        await Until(VoiceClientState.Connected);
        Assert.Equal((Snowflake)502, voice.Channel);

        await service.GatewayHears(4);
        await service.CloseVoice(4006);
        Assert.Equal("502", (await service.GatewayHears(4)).GetProperty("channel_id").GetString());
    }

    [Fact]
    public async Task Removed_by_somebody_it_ends_and_does_not_come_back()
    {
        await using var voice = await Join();

        await service.State(null);
        await service.CloseVoice((int)VoiceCloseCode.Disconnected);

        await Assert.ThrowsAsync<VoiceClosedException>(() => voice.Completion.WaitAsync(Cancel));
        await Assert.ThrowsAsync<VoiceClosedException>(async () =>
        {
            await foreach (var _ in voice.ReadFramesAsync(Cancel)) { }
        });
    }

    [Fact]
    public async Task A_gateway_that_does_not_answer_is_waited_for_no_longer_than_asked()
    {
        service.Assigns = false;

        var closed = await Assert.ThrowsAsync<VoiceClosedException>(() => VoiceClient.JoinAsync(
            gateway, Guild, Lounge, service.Options with { JoinTimeout = TimeSpan.FromMilliseconds(200) }, Cancel));

        Assert.Contains("did not let us into channel 501", closed.Message);
    }

    [Fact]
    public async Task What_nobody_reads_in_time_is_dropped_oldest_first_and_counted()
    {
        await using var voice = await VoiceClient.JoinAsync(gateway, Guild, Lounge, service.Options with { ReceiveQueueLength = 2 }, Cancel);

        for (ushort i = 1; i <= 5; i++) service.SendRtp(i, 16, Opus);
        while (voice.DroppedFrames < 3) await Task.Yield();

        await using var frames = voice.ReadFramesAsync(Cancel).GetAsyncEnumerator(Cancel);
        await frames.MoveNextAsync();
        Assert.Equal(4ul, frames.Current.Sequence);
    }

    private Task<VoiceClient> Join() =>
        VoiceClient.JoinAsync(gateway, Guild, Lounge, service.Options with { OnEvent = e => events.Writer.TryWrite(e) }, Cancel);

    private Task Until(VoiceClientState state) => Until(e => e is VoiceEvent.StateChanged changed && changed.State == state);

    private async Task Until(Func<VoiceEvent, bool> wanted)
    {
        while (!wanted(await events.Reader.ReadAsync(Cancel)))
        {
        }
    }
}
