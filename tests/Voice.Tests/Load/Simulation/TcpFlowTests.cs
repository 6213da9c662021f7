using Voice.Load.Simulation;
using Xunit;

namespace Voice.Tests.Load.Simulation;

public class TcpFlowTests
{
    private readonly Random random = new(1);

    [Fact]
    public void What_is_written_after_a_loss_waits_for_it()
    {
        var flow = new TcpFlow();
        Assert.Equal(1000 + 210 + 5, flow.Arrive(1000, oneWay: 5, loss: 0, at => at > 1100, random));
        Assert.Equal(1215, flow.Arrive(1200, 5, 0, _ => true, random));
        Assert.Equal(1225, flow.Arrive(1220, 5, 0, _ => true, random));
    }

    [Fact]
    public void Each_timeout_is_twice_the_last_and_in_the_end_nothing_comes()
    {
        var flow = new TcpFlow();
        Assert.Equal(200 + 400 + 800, flow.Arrive(0, oneWay: 0, loss: 0, at => at > 1000, random));
        Assert.Equal(TcpFlow.Never, flow.Arrive(2000, 0, loss: 1, _ => true, random));
        Assert.Equal(TcpFlow.Never, flow.Arrive(3000, 0, 0, _ => true, random));
    }
}
