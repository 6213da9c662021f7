using Voice.Protocol.Links;
using Voice.VoiceAllocator;
using Xunit;
using static Voice.Tests.VoiceAllocator.Nodes;

namespace Voice.Tests.VoiceAllocator;

/// <summary>Which nodes lose their guilds, and where those go.</summary>
public class EvictionTests
{
    private readonly Fleet fleet = NewFleet();

    [Theory]
    [InlineData(NodeHealth.Dead)]
    [InlineData(NodeHealth.Grey)]
    public void What_was_on_a_dead_node_goes_to_another_with_a_higher_epoch(NodeHealth health)
    {
        fleet.Arrive("a");
        var lost = Assign(1, epoch: 7);
        fleet.Arrive("b");
        fleet.Vote(Seconds(1), ("a", health), ("b", NodeHealth.Healthy));

        var next = new Assignment(1, "", "b", "b.example:2048", "local", 8);
        Assert.Equal([new LostSlot(lost, next)], fleet.TakeLost(Seconds(1)));
        Assert.Equal([next], fleet.On("b"));
        Assert.Equal([new Eviction("a", health.ToString(), 1)], fleet.TakeEvicted());
        Assert.Equal(new AssignmentEvent(AssignmentChange.Moved, next), fleet.TakeEvents()[^1]);
        Assert.Empty(fleet.TakeLost(Seconds(9)));
    }

    [Theory]
    [InlineData(NodeHealth.Suspect)]
    [InlineData(NodeHealth.Probation)]
    [InlineData(NodeHealth.Mute)]
    public void Lesser_doubts_evict_nobody(NodeHealth health)
    {
        fleet.Arrive("a");
        Assign(1, epoch: 1);
        fleet.Arrive("b");
        fleet.Vote(Seconds(1), ("a", health), ("b", NodeHealth.Healthy));
        Assert.Empty(fleet.TakeEvicted());
        Assert.Equal(health == NodeHealth.Mute ? 1 : 0, fleet.TakeMoves(Seconds(1)).Length);
    }

    [Fact]
    public void If_nobody_looks_healthy_nobody_is_evicted_until_somebody_does()
    {
        fleet.Arrive("a");
        fleet.Arrive("b");
        for (var guild = 1ul; guild <= 10; guild++) Assign(guild, epoch: 1);
        for (var now = 1; now < 60; now++) fleet.Vote(Seconds(now), ("a", NodeHealth.Dead), ("b", NodeHealth.Grey));
        Assert.Empty(fleet.TakeEvicted());
        Assert.Empty(fleet.TakeLost(Seconds(60)));
        Assert.NotEqual(0, fleet.EvictionsIgnored);

        fleet.Arrive("c", now: Seconds(60));
        fleet.Vote(Seconds(60), ("a", NodeHealth.Dead), ("b", NodeHealth.Grey), ("c", NodeHealth.Healthy));
        Assert.Equal(2, fleet.TakeEvicted().Length);
        Assert.Equal(10, fleet.On("c").Count());
    }

    [Fact]
    public void A_fleet_that_has_just_begun_evicts_nobody()
    {
        var young = new Fleet(new Neighbours(), new Random(1), Seconds(0));
        young.Arrive("a");
        young.Arrive("b");
        young.Vote(Fleet.LearnFor - Seconds(0.1), ("a", NodeHealth.Dead), ("b", NodeHealth.Healthy));
        Assert.Empty(young.TakeEvicted());
        young.Report("b", "1", "link", Report(), Fleet.LearnFor);
        young.Tick(Fleet.LearnFor);
        Assert.Single(young.TakeEvicted());
    }

    [Fact]
    public void A_node_that_was_given_up_keeps_nothing_and_gets_nothing_until_it_is_healthy()
    {
        fleet.Arrive("a");
        var lost = Assign(1, epoch: 1);
        fleet.Arrive("b");
        fleet.Vote(Seconds(1), ("a", NodeHealth.Dead), ("b", NodeHealth.Healthy));
        var next = fleet.TakeLost(Seconds(1)).Single().Next!;

        // It is back, with what it had: nobody will hear it, whichever end is asked.
        fleet.Vote(Seconds(2), ("a", NodeHealth.Probation), ("b", NodeHealth.Healthy));
        var hosted = new HostedGuild(1, "", lost.Epoch);
        Assert.Equal([hosted], fleet.Report("a", "1", "link", Report(hosted: hosted), Seconds(2))!);
        Assert.False(fleet.Claim(lost, Seconds(2)));
        Assert.Equal([next], fleet.On("b"));
        for (var guild = 2ul; guild < 20; guild++) Assert.Equal("b", Assign(guild, epoch: 1).NodeId);

        fleet.Vote(Seconds(3), ("a", NodeHealth.Healthy), ("b", NodeHealth.Healthy));
        Assert.Equal("a", Assign(20, epoch: 1).NodeId);
    }

    [Fact]
    public void An_observers_vote_counts_for_nothing_against_a_majority()
    {
        fleet.Arrive("a");
        Assign(1, epoch: 1);
        fleet.Arrive("b");
        fleet.VoteAs("one", Seconds(1), ("a", NodeHealth.Dead), ("b", NodeHealth.Healthy));
        Assert.Single(fleet.TakeEvicted());

        fleet.VoteAs("one", Seconds(2), ("b", NodeHealth.Healthy));
        fleet.VoteAs("two", Seconds(2), ("b", NodeHealth.Healthy));
        fleet.VoteAs("three", Seconds(2), ("b", NodeHealth.Dead));
        Assert.Empty(fleet.TakeEvicted());
        fleet.VoteAs("two", Seconds(2), ("b", NodeHealth.Grey), ("a", NodeHealth.Healthy));
        Assert.Equal("b", Assert.Single(fleet.TakeEvicted()).NodeId);
    }

    [Fact]
    public void A_node_without_links_and_without_anybody_to_vote_on_it_is_given_up_in_time()
    {
        fleet.Arrive("a");
        Assign(1, epoch: 1);
        fleet.LinkLost("a", "1", "link", Seconds(1));
        fleet.Arrive("b", now: Seconds(10));
        fleet.Tick(Seconds(10.9));
        Assert.Empty(fleet.TakeEvicted());
        fleet.Tick(Seconds(11));
        Assert.Equal([new Eviction("a", "Orphaned", 1)], fleet.TakeEvicted());
    }

    [Fact]
    public void A_gateway_that_is_gone_takes_its_links_with_it()
    {
        fleet.Arrive("a");
        fleet.Register(Identity("a"), "other", "gateway 2", Seconds(0));
        fleet.VoteAs("observer", Seconds(0), ("a", NodeHealth.Healthy));
        fleet.Tick(Votes.GoodFor);
        Assert.Equal(["a"], fleet.TakeRelinked());
        Assert.True(fleet.Find("a")!.HasLink("other"));
        Assert.Null(fleet.Report("a", "1", "link", Report(), Seconds(3))); // it is still there: it registers again
    }

    [Fact]
    public void The_largest_are_placed_first_and_all_nodes_of_the_region_share_the_load()
    {
        fleet.Arrive("dead", 0.8);
        var sizes = Enumerable.Range(1, 100).Select(guild => new HostedGuild((ulong)guild, "", 1, Sessions: guild)).ToArray();
        foreach (var guild in sizes) Assign(guild.Guild, epoch: 1);
        fleet.Report("dead", "1", "link", Report(0.8, hosted: sizes), Seconds(0));
        for (var i = 0; i < 4; i++) fleet.Arrive($"{i}", i == 0 ? 0.2 : 0.1);
        fleet.Arrive("far", region: "far");

        fleet.Vote(Seconds(1), [("dead", NodeHealth.Dead), .. Enumerable.Range(0, 4).Select(i => ($"{i}", NodeHealth.Healthy))]);

        Assert.Empty(fleet.On("far"));
        var loads = Enumerable.Range(0, 4).Select(i => fleet.Find($"{i}")!.Utilisation).ToArray();
        Assert.Equal(0.2 + 0.3 + 0.8, loads.Sum(), 2);
        Assert.All(loads, load => Assert.InRange(load, (loads.Sum() / 4) - 0.01, (loads.Sum() / 4) + 0.01));
    }

    [Fact]
    public void What_the_region_cannot_take_goes_to_the_nearest_that_can()
    {
        var neighbours = new Neighbours();
        neighbours.Set("eu", "us");
        var tested = NewFleet(neighbours);
        tested.Arrive("dead", 0.8, "eu");
        var hosted = Enumerable.Range(1, 8).Select(guild => new HostedGuild((ulong)guild, "", 1, Sessions: 10)).ToArray();
        foreach (var guild in hosted) tested.Assign(guild.Guild, "", null, 1, null, Seconds(0));
        tested.Report("dead", "1", "link", Report(0.8, hosted: hosted), Seconds(0));
        tested.Arrive("left", 0.65, "eu");
        tested.Arrive("near", 0, "us");
        tested.Arrive("empty", 0, "asia");

        tested.Vote(Seconds(1), ("dead", NodeHealth.Dead));

        Assert.Equal(3, tested.On("left").Count());
        Assert.Equal(5, tested.On("near").Count());
        Assert.Empty(tested.On("empty"));
    }

    [Fact]
    public void A_plan_is_the_same_for_the_same_seed()
    {
        Assert.Equal(Plan(), Plan());

        static Assignment[] Plan()
        {
            var tested = NewFleet(seed: 42);
            tested.Arrive("dead");
            for (var guild = 1ul; guild <= 50; guild++) tested.Assign(guild, "", null, 1, null, Seconds(0));
            for (var i = 0; i < 5; i++) tested.Arrive($"{i}");
            tested.Vote(Seconds(1), ("dead", NodeHealth.Dead));
            return [.. tested.TakeLost(Seconds(9)).Select(lost => lost.Next!)];
        }
    }

    [Fact]
    public void No_node_is_sent_more_clients_at_once_than_it_lets_in_and_nobody_waits_long()
    {
        var hosted = Enumerable.Range(1, 1000).Select(guild => new HostedGuild((ulong)guild, "", 1, Sessions: 5)).ToArray();
        fleet.Arrive("dead", 0.8);
        foreach (var guild in hosted) Assign(guild.Guild, epoch: 1);
        fleet.Report("dead", "1", "link", Report(0.8, hosted: hosted), Seconds(0));
        for (var i = 0; i < 4; i++) fleet.Arrive($"{i}");
        fleet.Vote(Seconds(1), ("dead", NodeHealth.Dead));

        var told = new List<double>();
        for (var now = 1.0; now <= 2.0001; now += 0.1)
        {
            var batch = fleet.TakeLost(Seconds(now));
            foreach (var node in batch.CountBy(lost => lost.Next!.NodeId)) Assert.InRange(node.Value * 5, 1, now < 2 ? 110 : 400);
            told.AddRange(batch.Select(_ => now - 1));
        }

        Assert.Equal(1000, told.Count);
        Assert.InRange(told[500], 0.4, 0.8);
        Assert.Null(fleet.NextLost);
    }

    [Fact]
    public void Who_loses_the_second_node_before_hearing_of_the_first_is_told_of_the_third()
    {
        fleet.Arrive("a");
        var lost = Assign(1, epoch: 1);
        fleet.Arrive("b");
        fleet.Vote(Seconds(1), ("a", NodeHealth.Dead), ("b", NodeHealth.Healthy));
        fleet.Arrive("c");
        fleet.Vote(Seconds(1.1), ("a", NodeHealth.Dead), ("b", NodeHealth.Dead), ("c", NodeHealth.Healthy));
        var told = Assert.Single(fleet.TakeLost(Seconds(3)));
        Assert.Equal(lost, told.Lost);
        Assert.Equal(("c", 3), (told.Next!.NodeId, told.Next.Epoch));
        Assert.Empty(fleet.On("b"));
    }

    [Fact]
    public void A_place_that_is_kept_for_a_guild_which_is_done_is_given_up()
    {
        fleet.Arrive("a");
        Assign(1, epoch: 5);
        fleet.Arrive("b");
        fleet.Vote(Seconds(1), ("a", NodeHealth.Dead), ("b", NodeHealth.Healthy));
        fleet.Release(1, "", 5); // it knows of nothing newer
        Assert.Empty(fleet.On("b"));
        Assert.Empty(fleet.TakeLost(Seconds(3)));
        Assert.Equal(0, fleet.Find("b")!.Utilisation);
    }

    [Fact]
    public void What_a_node_never_reports_is_not_counted_for_ever()
    {
        fleet.Arrive("a");
        Assign(1, epoch: 1);
        Assign(2, epoch: 1);
        var hosted = new HostedGuild(2, "", 1);
        for (var now = 1; now < 60; now++) fleet.Report("a", "1", "link", Report(hosted: hosted), Seconds(now));
        Assert.Equal(2, fleet.Find("a")!.Assigned);
        fleet.Report("a", "1", "link", Report(hosted: hosted), Seconds(60));
        Assert.Equal([2ul], fleet.On("a").Select(held => held.Guild));
    }

    [Fact]
    public void What_a_guild_claims_goes_before_what_is_kept_for_it()
    {
        fleet.Arrive("a");
        Assign(1, epoch: 1);
        fleet.Arrive("b");
        fleet.Arrive("c", 0.5);
        fleet.Vote(Seconds(1), ("a", NodeHealth.Dead), ("b", NodeHealth.Healthy), ("c", NodeHealth.Healthy));
        var claimed = fleet.On("b").Single() with { NodeId = "c", Endpoint = "c.example:2048" };
        Assert.True(fleet.Claim(claimed, Seconds(1)));
        Assert.Equal([claimed], fleet.On("c"));
        Assert.Empty(fleet.On("b"));
    }

    [Fact]
    public void Who_asks_for_itself_meanwhile_is_not_told_again()
    {
        fleet.Arrive("a");
        Assign(1, epoch: 1);
        fleet.Arrive("b");
        fleet.Vote(Seconds(1), ("a", NodeHealth.Dead), ("b", NodeHealth.Healthy));
        Assert.Equal("b", Assign(1, epoch: 2).NodeId);
        Assert.Empty(fleet.TakeLost(Seconds(3)));
        Assert.Single(fleet.On("b"));
    }

    private Assignment Assign(ulong guild, long epoch) => fleet.Assign(guild, "", null, epoch, null, Seconds(0))!;
}
