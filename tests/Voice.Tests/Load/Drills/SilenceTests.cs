using Voice.Load.Drills;
using Voice.Load.Drills.People;
using Xunit;

namespace Voice.Tests.Load.Drills;

public class SilenceTests
{
    [Fact]
    public void A_gap_is_what_lies_beyond_the_pace() => Assert.Equal(280, Longest(1000, 1360, [0, 980, 1000, 1020, 1320, 1340, 1360]));

    [Fact]
    public void A_gap_begins_with_the_last_packet_before_the_break() => Assert.Equal(480, Longest(1000, 1500, [980, 1480]));

    [Fact]
    public void What_was_before_the_break_is_none_of_it() => Assert.Equal(0, Longest(1000, 1040, [0, 980, 1000, 1020, 1040]));

    [Fact]
    public void Who_hears_nothing_more_is_silent_to_the_end() => Assert.Equal(970, Longest(1000, 2000, [990, 1010]));

    [Fact]
    public void Who_never_heard_is_silent_all_along() => Assert.Equal(980, Longest(1000, 2000, []));

    [Fact]
    public void While_nobody_talked_nobody_was_silenced() => Assert.Equal(180, Longest(1000, 1500, [1000, 1500], (1100, 1300), (1400, 1500)));

    [Fact]
    public void What_a_buffer_hides_is_no_gap()
    {
        Assert.Equal(new Gap(0, 100, 100), Silence.Gap([0, 5, 39.9, 100]));
        Assert.Equal(new Gap(5, 100, 100), Silence.Gap([0, 5, 39.9, 100], hides: false));
        Assert.Equal(new Gap(0, 0, 0), Silence.Gap([]));
    }

    [Fact]
    public void Percentiles_are_of_listeners() =>
        Assert.Equal(new Gap(149, 198, 199), Silence.Gap(Enumerable.Range(100, 100).Select(i => (double)i)));

    private static double Longest(int from, int to, int[] heard, params (int From, int To)[] stalls) => Silence.Longest(
        heard.Select((at, i) => new Heard(at * 1_000_000L, (uint)i)),
        from * 1_000_000L,
        to * 1_000_000L,
        [.. stalls.Select(stall => (stall.From * 1_000_000L, stall.To * 1_000_000L))]);
}
