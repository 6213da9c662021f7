using CsCheck;
using Voice.Signaling.Gateway.Guilds;
using Xunit;

namespace Voice.Tests.Signaling.Guilds;

public class RegionChoiceTests
{
    private static readonly string[] Regions = ["africa", "asia", "europe", "south"];

    private static readonly Gen<string[][]> Preferences = Gen.Shuffle(Regions)
        .SelectMany(all => Gen.Int[0, all.Length].Select(count => all.Take(count).ToArray())).Array[0, 6];

    [Fact]
    public void Whoever_measured_nothing_does_not_count()
    {
        Assert.Null(RegionChoice.Choose([]));
        Assert.Null(RegionChoice.Choose([[]]));
        Assert.Equal("asia", RegionChoice.Choose([[], ["asia", "europe"]]));
    }

    [Fact]
    public void Better_second_best_for_all_than_worst_for_one() =>
        Assert.Equal("asia", RegionChoice.Choose([["africa", "asia", "europe"], ["africa", "asia", "europe"], ["europe", "asia", "africa"]]));

    [Fact]
    public void No_other_region_is_better_for_whoever_has_it_worst() => Preferences.Sample(preferences =>
    {
        if (RegionChoice.Choose(preferences) is not { } chosen) return;
        Assert.All(Regions, other => Assert.True(Worst(preferences, chosen) <= Worst(preferences, other)));
    });

    [Fact]
    public void The_order_of_members_changes_nothing() => Preferences.Sample(preferences =>
        Assert.Equal(RegionChoice.Choose(preferences), RegionChoice.Choose(preferences.Reverse())));

    /// <summary>A region that a member does not name is as far as any could be.</summary>
    private static int Worst(string[][] preferences, string region) =>
        preferences.Where(list => list.Length > 0).Max(list => Array.IndexOf(list, region) is >= 0 and var place ? place : list.Length);
}
