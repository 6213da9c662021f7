using CsCheck;
using Voice.Client;
using Xunit;

namespace Voice.Tests.Client;

/// <summary>One talker over two sessions, whose packets go their own ways.</summary>
public class HeardTalkerTests
{
    private const int Frame = 960;
    private static readonly TimeSpan FrameTime = TimeSpan.FromMilliseconds(20);

    private readonly HeardTalker talker = new();

    [Fact]
    public void What_comes_over_both_is_heard_once_and_numbered_through()
    {
        List<ulong> heard = [];
        for (var i = 0u; i < 20; i++)
        {
            if (i < 15) Hear(heard, 0, 100 + i, i);
            if (i >= 5) Hear(heard, 1, 9000 + i, i);
        }

        Assert.Equal(Enumerable.Range(100, 20).Select(i => (ulong)i), heard);
    }

    [Fact]
    public void The_former_session_serves_until_the_next_is_ahead()
    {
        List<ulong> heard = [];
        for (var i = 0u; i < 10; i++)
        {
            Hear(heard, 0, i, i);
            if (i > 0) Hear(heard, 1, 500 + i - 1, i - 1, at: i); // one frame behind
        }

        Hear(heard, 1, 500 + 9, 9, at: 10);
        Hear(heard, 1, 500 + 10, 10, at: 11);

        Assert.Equal(Enumerable.Range(0, 11).Select(i => (ulong)i), heard);
    }

    [Fact]
    public void What_is_still_under_way_at_the_cut_is_heard()
    {
        List<ulong> heard = [];
        Hear(heard, 0, 10, 0);
        Hear(heard, 1, 70, 2); // the former's packets 1 and 2 are late
        Hear(heard, 0, 11, 1, at: 2);
        Hear(heard, 0, 12, 2, at: 2);
        Hear(heard, 1, 71, 3);

        Assert.Equal([10, 12, 11, 13], heard);
    }

    [Fact]
    public void A_talker_with_another_clock_is_heard_over_the_next_session_from_its_first_packet_there()
    {
        List<ulong> heard = [];
        for (var i = 0u; i < 6; i++)
        {
            Hear(heard, 0, 10 + i, i);
            if (i >= 3) Hear(heard, 1, 500 + i, 4_000_000 + i, at: i);
        }

        Assert.Equal([10, 11, 12, 13, 503, 504, 505], heard);
    }

    [Fact]
    public void A_clock_that_is_a_little_behind_is_waited_for_no_longer_than_a_copy_takes()
    {
        List<ulong> heard = [];
        for (var i = 0u; i < 5; i++) Hear(heard, 0, i, i);

        // The former session is dead; by the next one's clock all this was said before.
        for (var i = 5u; i < 10; i++) Hear(heard, 1, 100 + i, i - 5, at: i, offset: Frame / 2);

        Assert.Equal(2, heard.Count(sequence => sequence >= 100));
    }

    [Fact]
    public void The_same_payload_tells_how_the_clocks_differ()
    {
        List<ulong> heard = [];
        for (var i = 0u; i < 20; i++)
        {
            if (i < 15) Hear(heard, 0, 100 + i, i, content: (int)i + 1);
            if (i >= 5) Hear(heard, 1, 9000 + i, i, offset: 3_000_000_000, content: (int)i + 1);
        }

        Assert.Equal(Enumerable.Range(100, 20).Select(i => (ulong)i), heard);
    }

    [Fact]
    public void A_payload_that_is_said_again_and_again_tells_nothing()
    {
        List<ulong> heard = [];
        for (var i = 0u; i < 5; i++) Hear(heard, 0, i, i, content: 1);
        for (var i = 5u; i < 8; i++) Hear(heard, 1, 100 + i, i, at: i + 3, content: 1);

        Assert.Equal(Enumerable.Range(0, 8).Select(i => (ulong)i), heard);
    }

    [Fact]
    public void The_same_payload_a_second_later_was_said_again()
    {
        List<ulong> heard = [];
        Hear(heard, 0, 10, 0, content: 1);
        Hear(heard, 1, 500, 50, offset: 3_000_000_000, content: 1);

        Assert.Equal([10, 500], heard);
    }

    [Fact]
    public void A_copy_is_known_however_late_it_is()
    {
        List<ulong> heard = [];
        for (var i = 0u; i < 10; i++) Hear(heard, 0, i, i);
        for (var i = 0u; i < 12; i++) Hear(heard, 1, 100 + i, i, at: i + 40);

        Assert.Equal(Enumerable.Range(0, 12).Select(i => (ulong)i), heard);
    }

    [Fact]
    public void A_talker_who_was_silent_meanwhile_begins_anew()
    {
        List<ulong> heard = [];
        Hear(heard, 0, 10, 0);
        Hear(heard, 1, 500, 500);
        Hear(heard, 0, 11, 500);
        Hear(heard, 1, 501, 501);

        Assert.Equal([10, 500, 501], heard);
    }

    [Fact]
    public void Whoever_comes_back_with_another_clock_is_heard()
    {
        List<ulong> heard = [];
        Hear(heard, 0, 10, 0);
        Hear(heard, 1, 500, 1);
        Hear(heard, 1, 7, 3_000_000);

        Assert.Equal(3, heard.Count);
    }

    [Fact]
    public void Clocks_that_differ_by_whole_frames_are_not_taken_for_one()
    {
        List<ulong> heard = [];
        for (var i = 0u; i < 40; i++)
        {
            if (i < 30) Hear(heard, 0, 100 + i, i, offset: 20 * Frame, content: (int)i + 1);
            if (i >= 10) Hear(heard, 1, 9000 + i, i, content: (int)i + 1);
        }

        Assert.Equal(Enumerable.Range(100, 40).Select(i => (ulong)i), heard);
    }

    [Fact]
    public void Who_is_encoded_for_each_session_is_heard_over_the_next_after_a_moment()
    {
        List<ulong> heard = [];
        for (var i = 0u; i < 20; i++)
        {
            Hear(heard, 0, 10 + i, i, content: 1000 + (int)i);
            if (i >= 5) Hear(heard, 1, 500 + i, 4_000_000 + i, at: i, content: 2000 + (int)i);
        }

        Assert.Equal([.. Enumerable.Range(10, 10), .. Enumerable.Range(509, 11)], heard.Select(sequence => (int)sequence));
    }

    /// <summary>Whatever the delays of both ways, and however far the next server's timestamps are from the former's, with no loss: each packet once, and
    /// numbered through, as long as the former session runs for a while beside the next.</summary>
    [Fact]
    public void Every_packet_is_heard_exactly_once() => Gen
        .Select(Gen.Int[0, 55].Array[60], Gen.Int[0, 55].Array[60], Gen.Int[3, 20], Gen.Int[30, 60], Gen.Int[-100, 100])
        .Sample((delays, otherDelays, begins, ends, shift) =>
        {
            var tested = new HeardTalker();
            var arrivals = Enumerable.Range(0, 60)
                .SelectMany(i => new[] { (Session: 0, Frame: i, At: (i * 20) + delays[i]), (Session: 1, Frame: i, At: (i * 20) + otherDelays[i]) })
                .Where(one => one.Session == 0 ? one.Frame < ends : one.Frame >= begins)
                .OrderBy(one => one.At);
            HashSet<ulong> heard = [];
            foreach (var (session, frame, at) in arrivals)
            {
                var timestamp = unchecked((uint)((frame + (session * shift)) * Frame));
                var packet = new HeardPacket(session, (ulong)((session * 1000) + frame), timestamp, Frame, false, Content: frame + 1);
                if (tested.TryTake(packet, TimeSpan.FromMilliseconds(at), out var sequence, out var ours))
                    Assert.True(heard.Add(sequence) && sequence == (ulong)frame && ours == frame * Frame);
            }

            Assert.Equal(60, heard.Count);
        });

    private void Hear(List<ulong> heard, int session, ulong index, uint frame, uint? at = null, uint offset = 0, int content = 0)
    {
        var packet = new HeardPacket(session, index, (frame * Frame) + offset, Frame, Begins: false, content);
        if (talker.TryTake(packet, (at ?? frame) * FrameTime, out var sequence, out _)) heard.Add(sequence);
    }
}
