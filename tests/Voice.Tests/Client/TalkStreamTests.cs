using Voice.Client;
using Xunit;

namespace Voice.Tests.Client;

public class TalkStreamTests
{
    private static readonly TimeSpan FrameTime = TimeSpan.FromMilliseconds(20);

    private readonly TalkStream stream = new();

    [Fact]
    public void Numbers_follow_each_other_without_gaps()
    {
        var first = stream.Next(960, TimeSpan.Zero);
        for (var i = 1u; i < 100; i++)
        {
            // Whenever the packets are sent: what counts is how long they play.
            Assert.Equal((first.Timestamp + i * 960, false), stream.Next(960, i * FrameTime * 0.9));
        }
    }

    [Fact]
    public void A_pause_moves_the_timestamp_by_its_length()
    {
        var before = stream.Next(960, TimeSpan.Zero);
        stream.Pause();

        var after = stream.Next(960, TimeSpan.FromSeconds(2) + FrameTime);

        Assert.Equal((before.Timestamp + 960 + 2 * 48_000, true), after);
    }

    [Fact]
    public void Parts_of_frames_in_pauses_add_up()
    {
        var first = stream.Next(960, TimeSpan.Zero).Timestamp;
        uint last = first;
        for (var i = 1; i <= 10; i++)
        {
            stream.Pause();
            last = stream.Next(960, i * 1.5 * FrameTime).Timestamp;
        }

        Assert.Equal(first + 15 * 960, last);
    }

    [Fact]
    public void A_talker_who_is_late_for_long_goes_on_at_the_time_it_is()
    {
        var before = stream.Next(960, TimeSpan.Zero);

        Assert.Equal((before.Timestamp + 960 + 25 * 960, false), stream.Next(960, 26 * FrameTime));
    }

    [Fact]
    public void Silence_sent_ahead_of_its_time_moves_no_timestamp_back()
    {
        uint last = 0;
        for (var i = 0; i < 6; i++) last = stream.Next(960, TimeSpan.Zero).Timestamp;
        stream.Pause();

        Assert.Equal(last + 960, stream.Next(960, FrameTime).Timestamp);
    }
}
