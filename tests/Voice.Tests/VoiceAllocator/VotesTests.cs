using Voice.VoiceAllocator;
using Xunit;
using static Voice.Tests.VoiceAllocator.Nodes;

namespace Voice.Tests.VoiceAllocator;

public class VotesTests
{
    private readonly Votes votes = new();

    [Theory]
    [InlineData(NodeHealth.Dead, NodeHealth.Dead)]
    [InlineData(NodeHealth.Dead, NodeHealth.Dead, NodeHealth.Grey, NodeHealth.Healthy)]
    [InlineData(NodeHealth.Grey, NodeHealth.Dead, NodeHealth.Grey, NodeHealth.Grey)]
    [InlineData(NodeHealth.Healthy, NodeHealth.Dead, NodeHealth.Healthy)]
    [InlineData(NodeHealth.Suspect, NodeHealth.Dead, NodeHealth.Suspect)]
    [InlineData(NodeHealth.Mute, NodeHealth.Dead, NodeHealth.Mute)]
    [InlineData(NodeHealth.Probation, NodeHealth.Probation, NodeHealth.Probation, NodeHealth.Healthy)]
    [InlineData(NodeHealth.Suspect, NodeHealth.Suspect, NodeHealth.Probation, NodeHealth.Dead)]
    public void The_majority_of_those_who_have_a_say_decides(NodeHealth expected, params NodeHealth[] said)
    {
        for (var i = 0; i < said.Length; i++) Say($"{i}", Seconds(0), said[i]);
        Say("elsewhere", Seconds(0), null);
        Assert.Equal(expected, votes.Verdict("node", Seconds(1)));
    }

    [Fact]
    public void What_is_not_said_again_is_forgotten()
    {
        Say("a", Seconds(0), NodeHealth.Healthy);
        Say("b", Seconds(1), NodeHealth.Dead);
        Assert.Equal(NodeHealth.Healthy, votes.Verdict("node", Seconds(2.4)));
        Assert.Equal(NodeHealth.Dead, votes.Verdict("node", Seconds(2.5)));
        Assert.Null(votes.Verdict("node", Seconds(3.5)));
        Assert.Equal(["a", "b"], votes.TakeGone(Seconds(3.5)));
        Assert.Empty(votes.TakeGone(Seconds(3.5)));
    }

    [Fact]
    public void A_part_leaves_the_rest_as_it_was()
    {
        votes.Put(new VoteSheet("a", true, [new("node", NodeHealth.Dead), new("other", NodeHealth.Healthy)]), Seconds(0));
        votes.Put(new VoteSheet("a", false, [new("other", null)]), Seconds(1));
        Assert.Equal(NodeHealth.Dead, votes.Verdict("node", Seconds(3)));
        Assert.Null(votes.Verdict("other", Seconds(3)));
    }

    private void Say(string observer, TimeSpan now, NodeHealth? health) => votes.Put(new VoteSheet(observer, true, [new("node", health)]), now);
}
