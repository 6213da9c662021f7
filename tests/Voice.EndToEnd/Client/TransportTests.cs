using System.Buffers.Binary;
using Voice.Client;
using Voice.EndToEnd.Harness;
using Voice.Protocol.DiscordUdp;
using Xunit;

namespace Voice.EndToEnd.Client;

public sealed class TransportTests(ClientFixture server) : IClassFixture<ClientFixture>
{
    private const int Frames = 150;

    public static TheoryData<VoiceTransport, VoiceTransport, EncryptionMode> Pairs => new()
    {
        { VoiceTransport.Udp, VoiceTransport.WebRtc, EncryptionMode.AeadAes256GcmRtpSize },
        { VoiceTransport.Udp, VoiceTransport.Udp, EncryptionMode.AeadXChaCha20Poly1305RtpSize },
        { VoiceTransport.WebRtc, VoiceTransport.WebRtc, EncryptionMode.AeadAes256GcmRtpSize },
    };

    [Theory(Timeout = 60_000)]
    [MemberData(nameof(Pairs))]
    public async Task Two_clients_hear_each_other_bit_exact_and_in_order(VoiceTransport first, VoiceTransport second, EncryptionMode mode)
    {
        var cancel = TestContext.Current.CancellationToken;
        await using var ann = await server.Join(new VoiceClientOptions { Transport = first, Modes = [mode] }, cancel: cancel);
        await using var bob = await server.Join(new VoiceClientOptions { Transport = second, Modes = [mode] }, cancel: cancel);

        var heardByBob = Hear(bob, ann);
        var heardByAnn = Hear(ann, bob);
        await Task.WhenAll(Talk(ann), Talk(bob));

        AssertCounted(await heardByBob);
        AssertCounted(await heardByAnn);
        Assert.Equal([bob.User], ann.Voice.Users);
        Assert.Equal((0, 0), (ann.Voice.RefusedPackets + bob.Voice.RefusedPackets, ann.Voice.DroppedFrames + bob.Voice.DroppedFrames));
    }

    [Fact(Timeout = 60_000)]
    public async Task Two_people_call_each_other_without_a_guild()
    {
        var cancel = TestContext.Current.CancellationToken;
        var (ann, bob) = await server.Call(new VoiceClientOptions(), new VoiceClientOptions { Transport = VoiceTransport.WebRtc }, cancel);
        await using var first = ann;
        await using var second = bob;

        var heardByBob = Hear(bob, ann);
        var heardByAnn = Hear(ann, bob);
        await Task.WhenAll(Talk(ann), Talk(bob));

        AssertCounted(await heardByBob);
        AssertCounted(await heardByAnn);
    }

    [Fact(Timeout = 60_000)]
    public async Task A_client_whose_voice_socket_breaks_while_it_talks_resumes_and_loses_nothing()
    {
        var cancel = TestContext.Current.CancellationToken;
        await using var ann = await server.Join(new VoiceClientOptions(), cancel: cancel);
        await using var bob = await server.Join(new VoiceClientOptions { Transport = VoiceTransport.WebRtc }, cancel: cancel);

        var heard = Hear(bob, ann);
        await Talk(ann, at: Frames / 2, then: ann.Voice.DropSocket);

        AssertCounted(await heard);
    }

    [Theory(Timeout = 60_000)]
    [InlineData(VoiceTransport.Udp)]
    [InlineData(VoiceTransport.WebRtc)]
    public async Task A_client_moves_to_another_channel_and_is_heard_there(VoiceTransport transport)
    {
        var cancel = TestContext.Current.CancellationToken;
        var left = new TaskCompletionSource();
        await using var ann = await server.Join(new VoiceClientOptions { Transport = transport }, cancel: cancel);
        await using var here = await server.Join(new VoiceClientOptions { OnEvent = e => { if (e is VoiceEvent.ClientDisconnected) left.TrySetResult(); } }, cancel: cancel);
        await using var there = await server.Join(new VoiceClientOptions(), server.OtherChannel, cancel);

        await ann.Voice.MoveAsync(server.OtherChannel, cancel);
        await left.Task.WaitAsync(cancel);
        await Poll.Until(() => ann.Voice.State == VoiceClientState.Connected && there.Voice.Users.Contains(ann.User), "the move", TimeSpan.FromSeconds(10));

        var heard = Hear(there, ann);
        await Talk(ann);
        AssertCounted(await heard);
        Assert.Empty(here.Voice.Users);
    }

    /// <summary>Frames that say their number, every 20 ms.</summary>
    private static async Task Talk(Participant talker, int at = -1, Action? then = null)
    {
        await OpusPlayer.PlayAsync(talker.Voice, Packets(), cancellation: TestContext.Current.CancellationToken);

        async IAsyncEnumerable<Protocol.Ogg.OpusPacket> Packets()
        {
            for (var i = 0; i < Frames; i++)
            {
                if (i == at) then!();
                var frame = new byte[60];
                frame[0] = 0xF8; // CELT, 20 ms
                BinaryPrimitives.WriteInt32BigEndian(frame.AsSpan(1), i);
                frame.AsSpan(5).Fill((byte)i);
                yield return new(frame, 960);
            }

            await Task.CompletedTask;
        }
    }

    /// <summary>All that came of one talker until the first frame of silence.</summary>
    private static async Task<List<ReceivedFrame>> Hear(Participant listener, Participant talker)
    {
        List<ReceivedFrame> heard = [];
        await foreach (var frame in listener.Voice.ReadFramesAsync(TestContext.Current.CancellationToken))
        {
            if (frame.User != talker.User) continue;
            if (frame.Payload.Span.SequenceEqual(Protocol.Ogg.OpusToc.SilenceFrame)) break;
            heard.Add(frame);
        }

        return heard;
    }

    private static void AssertCounted(List<ReceivedFrame> heard)
    {
        Assert.Equal(Enumerable.Range(0, Frames), heard.Select(frame => BinaryPrimitives.ReadInt32BigEndian(frame.Payload.Span[1..])));
        Assert.All(heard, frame => Assert.Equal(-1, frame.Payload.Span[5..].IndexOfAnyExcept(frame.Payload.Span[4])));
        Assert.Equal(Enumerable.Range(0, Frames).Select(i => (ulong)i), heard.Select(frame => frame.Sequence - heard[0].Sequence));

        // A stall of this machine longer than 200 ms looks like a pause, and the server lets the timestamps run through pauses.
        Assert.All(heard.Zip(heard.Skip(1)), pair => Assert.True(pair.Second.Timestamp - pair.First.Timestamp is >= 960 and < 480_000 and var step && step % 960 == 0));
    }
}
