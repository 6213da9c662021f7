using System.Buffers;
using CsCheck;
using Voice.Client;
using Voice.Client.Recording;
using Voice.Protocol.Ogg;
using Voice.Tests.Protocol.Ogg;
using Xunit;

namespace Voice.Tests.Client;

public class SpeakerRecordingTests
{
    private const long TicksPerSecond = 1000;

    private readonly ArrayBufferWriter<byte> output = new();
    private readonly SpeakerRecording recording;

    public SpeakerRecordingTests() => recording = new(output, 1, "Ann", TicksPerSecond);

    [Fact]
    public void What_came_in_order_is_written_as_it_is()
    {
        for (var i = 0; i < 100; i++) recording.Take(Frame(i));

        Assert.Equal(Enumerable.Range(0, 100).Select(Payload), Written());
        Assert.Equal((100, 0, TimeSpan.FromSeconds(2)), (recording.Packets, recording.Skipped, recording.Duration));
    }

    [Fact]
    public void Neighbours_that_changed_places_are_put_in_order()
    {
        // Within the ten packets that are waited for.
        Gen.Shuffle(Enumerable.Range(0, 5).ToArray()).Array[20].Sample(blocks =>
        {
            var (own, to) = New();
            own.Take(Frame(0));
            var order = blocks.SelectMany((block, b) => block.Select(i => 1 + b * 5 + i)).ToArray();
            foreach (var i in order) own.Take(Frame(i));
            own.Finish();
            Assert.Equal(Enumerable.Range(0, 101).Select(Payload), OggFiles.Read(to.WrittenSpan).Packets);
        }, iter: 50);
    }

    [Fact]
    public void A_pause_is_filled_with_silence_of_its_length()
    {
        recording.Take(Frame(0));
        recording.Take(Frame(1) with { Timestamp = 960 * 51, Arrival = 1000 + 51 * 20 });

        Assert.Equal([Payload(0), .. Enumerable.Repeat(OpusToc.SilenceFrame.ToArray(), 50), Payload(1)], Written());
    }

    [Fact]
    public void Gaps_that_are_no_whole_frames_add_up()
    {
        for (var i = 0; i < 10; i++) recording.Take(Frame(i) with { Timestamp = (uint)i * (960 + 480), Arrival = 1000 + i * 30 });

        // Nine gaps of half a frame.
        Assert.Equal(10 + 4, Written().Count);
    }

    [Fact]
    public void What_came_too_close_is_taken_off_the_next_gap()
    {
        recording.Take(Frame(0));
        recording.Take(Frame(1) with { Timestamp = 480 });
        recording.Take(Frame(2) with { Timestamp = 480 + 960 + 1440 });

        // 480 + 1440 samples: one frame of silence more than the packets, in all.
        Assert.Equal([Payload(0), Payload(1), OpusToc.SilenceFrame.ToArray(), Payload(2)], Written());
    }

    [Fact]
    public void A_lost_packet_leaves_silence_of_its_length()
    {
        for (var i = 0; i < 40; i++)
        {
            if (i != 7) recording.Take(Frame(i));
        }

        byte[][] expected = [.. Enumerable.Range(0, 40).Select(i => i == 7 ? OpusToc.SilenceFrame.ToArray() : Payload(i))];
        Assert.Equal(expected, Written());
    }

    [Fact]
    public void Who_came_back_with_other_numbers_goes_on_at_the_time_that_passed()
    {
        recording.Take(Frame(0));
        recording.Take(Frame(0) with { Ssrc = 2, Sequence = 60_000, Timestamp = 4_000_000_000, Arrival = 1000 + 1020 });

        Assert.Equal(1 + 50 + 1, Written().Count);
    }

    [Fact]
    public void A_stream_whose_timestamps_jump_goes_on_at_the_time_that_passed()
    {
        recording.Take(Frame(0));
        recording.Take(Frame(1) with { Timestamp = 2_000_000_000 });

        Assert.Equal([Payload(0), Payload(1)], Written());
    }

    [Fact]
    public void Timestamps_wrap()
    {
        recording.Take(Frame(0) with { Timestamp = uint.MaxValue - 959 });
        recording.Take(Frame(1) with { Timestamp = 0 });

        Assert.Equal([Payload(0), Payload(1)], Written());
    }

    [Fact]
    public void What_is_late_or_no_Opus_is_left_out_and_counted()
    {
        recording.Take(Frame(5));
        recording.Take(Frame(4));
        recording.Take(Frame(5));
        recording.Take(Frame(6) with { Payload = new byte[] { 0xFF, 0 } });

        Assert.Equal([Payload(5)], Written());
        Assert.Equal(3, recording.Skipped);
    }

    private static (SpeakerRecording, ArrayBufferWriter<byte>) New()
    {
        var to = new ArrayBufferWriter<byte>();
        return (new(to, 1, "Ann", TicksPerSecond), to);
    }

    private List<byte[]> Written()
    {
        recording.Finish();
        var (packets, reader) = OggFiles.Read(output.WrittenSpan);
        Assert.Null(reader.Fault);
        return packets;
    }

    private static ReceivedFrame Frame(int i) => new(11, 1, (ulong)i, (uint)i * 960, Payload(i), 1000 + i * 20);

    private static byte[] Payload(int i) => [0xF8, (byte)i, (byte)(i >> 8)];
}
