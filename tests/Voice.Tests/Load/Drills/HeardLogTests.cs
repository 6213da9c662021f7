using Voice.Load.Drills.People;
using Xunit;

namespace Voice.Tests.Load.Drills;

public class HeardLogTests
{
    [Fact]
    public void What_was_heard_is_read_in_its_order_to_a_hundredth_of_a_millisecond()
    {
        var log = new HeardLog(start: 5_000_000_000);
        Heard[] heard = [.. Enumerable.Range(0, 10_000).Select(i => new Heard(5_000_000_000 + i * 20_000_000L + 9_999, (uint)i))];
        foreach (var packet in heard) log.Add(packet.At, packet.Number);
        Assert.Equal(heard.Select(packet => packet with { At = packet.At - 9_999 }), log.Read());
        Assert.Equal(heard[^1].At, log.Last);
    }
}
