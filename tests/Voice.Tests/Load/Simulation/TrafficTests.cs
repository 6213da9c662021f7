using Voice.Load.Simulation;
using Xunit;

namespace Voice.Tests.Load.Simulation;

public class TrafficTests
{
    private const int StepsPerHour = 3600 / Traffic.StepSeconds;

    private readonly Traffic traffic = new(new World(10, 2), 2000, new Random(1));
    private readonly int[] counted = new int[2000];

    [Fact]
    public void People_come_and_go_one_by_one_and_are_all_counted()
    {
        Run(3);
        Assert.Equal(counted, traffic.People.ToArray().Select(people => (int)people));
        Assert.Contains(counted, people => people > 10);
        Assert.Contains(counted, people => people == 0);
    }

    [Fact]
    public void At_night_there_are_fewer()
    {
        Run(5);
        var evening = counted.Sum();
        traffic.SetActivity(0, 0.3);
        traffic.SetActivity(1, 0.3);
        Run(5);
        Assert.InRange(counted.Sum(), evening * 0.1, evening * 0.5);
    }

    private void Run(int hours)
    {
        for (var i = 0; i < hours * StepsPerHour; i++)
        {
            traffic.Step((guild, before, after) =>
            {
                Assert.Equal(counted[guild], before);
                Assert.Equal(1, Math.Abs(after - before));
                counted[guild] = after;
            });
        }
    }
}
