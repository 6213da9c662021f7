using Voice.Client;
using Xunit;

namespace Voice.Tests.Client;

public class ReplayWindowsTests
{
    private readonly ReplayWindows windows = new(max: 2);

    [Fact]
    public void A_recorded_packet_that_looks_new_does_not_move_the_window()
    {
        Assert.True(windows.TryTake(1, 40_000, 40_000 * 960u, out _));

        Assert.False(windows.TryTake(1, 100, 100 * 960, out _)); // half a cycle ago
        Assert.True(windows.TryTake(1, 40_001, 40_001 * 960u, out _));
    }

    [Fact]
    public void Of_too_many_streams_the_one_longest_unheard_is_forgotten()
    {
        windows.TryTake(1, 5, 0, out _);
        windows.TryTake(2, 5, 0, out _);
        windows.TryTake(1, 6, 960, out _);

        Assert.True(windows.TryTake(3, 5, 0, out _));
        Assert.False(windows.TryTake(1, 6, 960, out _));
        Assert.True(windows.TryTake(2, 5, 0, out _));
    }
}
