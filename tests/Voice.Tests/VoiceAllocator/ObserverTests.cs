using Voice.VoiceAllocator;
using Xunit;
using static Voice.Tests.VoiceAllocator.Nodes;

namespace Voice.Tests.VoiceAllocator;

public class ObserverTests
{
    private readonly Observer observer = new("gateway", TimeSpan.Zero);
    private readonly Votes votes = new();
    private readonly HashSet<string> silent = [];
    private readonly List<VoteSheet> sheets = [];
    private string[] nodes = [];
    private TimeSpan now;

    [Fact]
    public void Says_everything_every_second_and_changes_at_once()
    {
        Link("a", "b");
        Run(10);
        Assert.InRange(sheets.Count(sheet => sheet.Whole), 9, 11);
        Assert.InRange(sheets.Count, 9, 12);
        Assert.Equal(NodeHealth.Healthy, Verdict("a"));
        silent.Add("a");
        Run(1.6);
        Assert.Equal(NodeHealth.Dead, Verdict("a"));
        Assert.Equal([NodeHealth.Suspect, NodeHealth.Dead], sheets.Where(sheet => !sheet.Whole).SelectMany(sheet => sheet.Votes).Select(vote => vote.Health!.Value).TakeLast(2));
    }

    [Theory]
    [InlineData(0.5)]
    [InlineData(2)]
    [InlineData(60)]
    public void Who_was_frozen_accuses_nobody_and_has_no_say_for_a_while(double frozen)
    {
        Link("a", "b", "c");
        Run(5);
        sheets.Clear();
        now += Seconds(frozen);
        Tell(observer.Tick(now)); // before anything that waited could be read
        Assert.False(observer.IsOnTime);
        Assert.Null(votes.Verdict("a", now));
        Run(Math.Min(frozen, 1) + 1.1);
        Assert.Equal(NodeHealth.Healthy, Verdict("a"));
        Assert.DoesNotContain(sheets.SelectMany(sheet => sheet.Votes), vote => vote.Health is NodeHealth.Dead or NodeHealth.Grey);
    }

    [Fact]
    public void When_all_nodes_fall_silent_it_is_the_observer_that_is_cut_off()
    {
        Link("a", "b", "c");
        Run(5);
        silent.UnionWith(nodes);
        Run(25);
        foreach (var node in nodes) Assert.Null(Verdict(node));
        silent.Clear();
        Run(HealthProbe.FirstProbation.TotalSeconds + 1);
        Assert.Equal(NodeHealth.Healthy, Verdict("a"));
    }

    [Fact]
    public void When_most_nodes_fall_at_once_it_waits_before_it_says_so()
    {
        Link("a", "b", "c");
        Run(5);
        silent.UnionWith(["a", "b"]);
        Run(HealthProbe.DeadAfterAlone.TotalSeconds + Observer.HoldBack.TotalSeconds - 0.1);
        Assert.Null(Verdict("a"));
        Assert.Equal(NodeHealth.Healthy, Verdict("c"));
        Run(0.3);
        Assert.Equal(NodeHealth.Dead, Verdict("a"));
        Assert.Equal(NodeHealth.Dead, Verdict("b"));
    }

    [Fact]
    public void One_of_two_that_falls_is_told_of_at_once()
    {
        Link("a", "b");
        Run(5);
        silent.Add("a");
        Run(HealthProbe.DeadAfterAlone.TotalSeconds + 0.1);
        Assert.Equal(NodeHealth.Dead, Verdict("a"));
    }

    [Fact]
    public void Has_no_say_about_a_node_that_has_not_been_linked_here_lately()
    {
        Link("a", "b");
        Run(5);
        silent.Add("a");
        observer.LinkLost("a", "link", now);
        Run(Observer.LinkedLately.TotalSeconds - 1);
        Assert.Equal(NodeHealth.Dead, Verdict("a"));
        Run(1.1);
        Assert.Null(Verdict("a"));
    }

    [Fact]
    public void A_node_that_starts_again_and_again_is_on_probation_for_longer_and_longer()
    {
        Link("a", "b");
        for (var start = 2; start <= 4; start++)
        {
            Run(0.2);
            observer.LinkUp("a", $"{start}", "link", now);
        }

        Run(HealthProbe.FirstProbation.TotalSeconds * 4 - 0.1);
        Assert.Equal(NodeHealth.Probation, Verdict("a"));
        Run(0.2);
        Assert.Equal(NodeHealth.Healthy, Verdict("a"));
    }

    private NodeHealth? Verdict(string node) => votes.Verdict(node, now);

    private void Link(params string[] ids)
    {
        nodes = ids;
        foreach (var id in ids) observer.LinkUp(id, "1", "link", now);
    }

    private void Run(double seconds)
    {
        for (var end = now + Seconds(seconds); now < end;)
        {
            now += Observer.Period;
            foreach (var node in nodes.Where(node => !silent.Contains(node))) observer.Heard(node, now);
            Tell(observer.Tick(now));
        }
    }

    private void Tell(VoteSheet? sheet)
    {
        if (sheet is null) return;
        sheets.Add(sheet);
        votes.Put(sheet, now);
    }
}
