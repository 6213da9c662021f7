using Voice.Client;
using Voice.Protocol;
using Voice.Protocol.Gateway;
using Xunit;

namespace Voice.Tests.Client;

public class AssignmentTrackerTests
{
    private static readonly Snowflake Guild = 500;
    private static readonly Snowflake Ann = 11;

    private readonly AssignmentTracker tracker = new(Ann, Guild);

    [Fact]
    public void State_and_server_make_an_assignment()
    {
        State(501, "s1");
        Assert.Null(tracker.Current.Assignment);
        Server("t1", "node:1");

        Assert.Equal(new VoiceAssignment(Guild, 501, Ann, "s1", "t1", "node:1"), tracker.Current.Assignment);
    }

    [Fact]
    public void A_move_waits_for_its_own_server_and_leaves_the_running_session_alone_until_then()
    {
        State(501, "s1");
        Server("t1", "node:1");
        var over = tracker.Superseded(tracker.Current);

        State(502, "s2");
        Assert.Null(tracker.Current.Assignment);
        Assert.False(over.IsCancellationRequested);

        Server("t2", "node:1");
        Assert.True(over.IsCancellationRequested);
        Assert.Equal(("s2", (Snowflake)502), (tracker.Current.Assignment!.SessionId, tracker.Current.Assignment.Channel));
    }

    [Fact]
    public void A_mute_changes_nothing()
    {
        State(501, "s1");
        Server("t1", "node:1");
        var place = tracker.Current;

        State(501, "s1", mute: true);

        Assert.Same(place, tracker.Current);
        Assert.False(tracker.Superseded(place).IsCancellationRequested);
    }

    [Fact]
    public void No_endpoint_ends_the_session_and_the_next_server_needs_no_new_state()
    {
        State(501, "s1");
        Server("t1", "node:1");
        var over = tracker.Superseded(tracker.Current);

        Server("t2", null);
        Assert.True(over.IsCancellationRequested);
        Assert.Equal((null, false), (tracker.Current.Assignment, tracker.Current.HasServer));

        Server("t3", "node:2");
        Assert.Equal(("s1", "node:2"), (tracker.Current.Assignment!.SessionId, tracker.Current.Assignment.Endpoint));
    }

    [Fact]
    public void Others_and_other_guilds_do_not_count()
    {
        tracker.On(new GatewayEvent.VoiceStateUpdate(new VoiceState(12, "s") { GuildId = Guild, ChannelId = 501 }));
        tracker.On(new GatewayEvent.VoiceStateUpdate(new VoiceState(Ann, "s") { GuildId = 7, ChannelId = 501 }));
        tracker.On(new GatewayEvent.VoiceServerUpdate(new VoiceServerUpdate("t", 7, "node:1")));

        Assert.Equal(0, tracker.Current.Version);
    }

    [Fact]
    public void In_a_private_call_the_channel_is_the_server()
    {
        var call = new AssignmentTracker(Ann, guild: null);
        call.On(new GatewayEvent.VoiceStateUpdate(new VoiceState(Ann, "s1") { ChannelId = 900 }));
        call.On(new GatewayEvent.VoiceServerUpdate(new VoiceServerUpdate("t1", null, "node:1") { ChannelId = 900 }));

        Assert.Equal(new VoiceAssignment(900, 900, Ann, "s1", "t1", "node:1"), call.Current.Assignment);
    }

    [Fact]
    public async Task Waiters_see_the_first_state_of_affairs_that_suits_them()
    {
        var waiting = tracker.When(place => place.Assignment is not null, TestContext.Current.CancellationToken);
        State(501, "s1");
        Assert.False(waiting.IsCompleted);
        Server("t1", "node:1");

        Assert.Equal("t1", (await waiting).Assignment!.Token);
    }

    private void State(Snowflake? channel, string session, bool mute = false) =>
        tracker.On(new GatewayEvent.VoiceStateUpdate(new VoiceState(Ann, session) { GuildId = Guild, ChannelId = channel, Mute = mute }));

    private void Server(string token, string? endpoint) => tracker.On(new GatewayEvent.VoiceServerUpdate(new VoiceServerUpdate(token, Guild, endpoint)));
}
