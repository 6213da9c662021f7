using Voice.Load.Generator;
using Voice.Load.Scenarios;
using Voice.Load.Server;
using Voice.Protocol.Links;
using Xunit;

namespace Voice.Tests.Load;

public class MeasurementTests
{
    [Fact]
    public void A_forward_costs_the_processor_time_of_the_window()
    {
        var measurement = new Measurement(Window(seconds: 2, cpuSeconds: 0.5, forwarded: 100_000), new Tally(), 0);
        Assert.Equal(50_000, measurement.ForwardedPerSecond, 6);
        Assert.Equal(5, measurement.CpuUsPerForward, 6);
        Assert.Equal(0.25, measurement.CpuShare, 6);
    }

    [Fact]
    public void Every_lost_packet_has_a_place()
    {
        var tally = new Tally { Sent = 100, Expected = 400, Received = 350, SendFailed = 2, Wrong = 3 };
        var loss = new Measurement(Window(kernelDrops: 4, drops: new() { ["SendFailed"] = 5 }), tally, ReceiverDrops: 6).Loss;
        Assert.Equal(8, loss.Sender); // each is missed by four
        Assert.Equal(16, loss.ServerKernel);
        Assert.Equal(5, loss.Server["SendFailed"]);
        Assert.Equal(6, loss.ReceiverKernel);
        Assert.Equal(3, loss.Receiver);
        Assert.Equal(400 - 350 - 8 - 16 - 5 - 6 - 3, loss.Missing);
    }

    [Fact]
    public void Beside_busy_processes_nothing_is_trusted()
    {
        Assert.Null(new Measurement(Window(seconds: 2, otherSeconds: 0.01), new Tally { Sent = 1000 }, 0).Fault);
        Assert.NotNull(new Measurement(Window(seconds: 2, otherSeconds: 0.5), new Tally { Sent = 1000 }, 0).Fault);
    }

    [Fact]
    public void A_late_generator_is_told()
    {
        Assert.Null(new Measurement(Window(), new Tally { Sent = 1000, SentLate = 5 }, 0).Fault);
        Assert.Contains("generator", new Measurement(Window(), new Tally { Sent = 1000, SentLate = 50 }, 0).Fault, StringComparison.Ordinal);
    }

    [Fact]
    public void What_the_host_took_is_told()
    {
        Assert.Empty(Summary.Stolen([new(Window(seconds: 10, stolenSeconds: 0.01), new(), 0)]));
        Assert.Contains("1.5 %", Assert.Single(Summary.Stolen([new(Window(seconds: 10, stolenSeconds: 0.15), new(), 0)])), StringComparison.Ordinal);
    }

    private static ServerWindow Window(
        double seconds = 1,
        double cpuSeconds = 0,
        long forwarded = 0,
        long kernelDrops = 0,
        double otherSeconds = 0,
        double stolenSeconds = 0,
        Dictionary<string, long>? drops = null) =>
        new(Sample(0, 0, 0, 0, 0, 0, []), Sample(seconds, cpuSeconds, forwarded, kernelDrops, otherSeconds, stolenSeconds, drops ?? []));

    private static ServerSample Sample(
        double at, double cpu, long forwarded, long kernelDrops, double others, double stolen, Dictionary<string, long> drops) => new(
        (long)(at * 1e9),
        new MediaReport(0, 0, drops, 0, [new(0, forwarded, 0, 0, 0, [], [], 0)], new(0, 0, 0, 0, 0, 0)),
        (long)(cpu * 1e9), ResidentBytes: 0, Threads: 1, kernelDrops, new() { [77] = (long)(others * 1e9) }, stolen);
}
