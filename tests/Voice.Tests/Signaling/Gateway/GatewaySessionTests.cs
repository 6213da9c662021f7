using System.Text.Json;
using CsCheck;
using Voice.Protocol;
using Voice.Signaling.Gateway;
using Xunit;

namespace Voice.Tests.Signaling.Gateway;

public class GatewaySessionTests
{
    private static readonly Snowflake Guild = 100;
    private static readonly Snowflake Me = 7;

    [Fact]
    public void Dispatches_are_numbered_from_one()
    {
        var session = new GatewaySession("s", Me);

        Assert.Equal([1, 2, 3], Enumerable.Range(0, 3).Select(_ => NumberOf(session.Dispatch("A", "{}"u8))));
    }

    [Fact]
    public void Resume_repeats_exactly_what_was_missed_in_order_or_refuses() =>
        Gen.Select(Gen.Int[0, 2 * GatewaySession.MaxReplayMessages], Gen.Int[0, 8000], Gen.Int[0, 2 * GatewaySession.MaxReplayMessages]).Sample((count, size, seen) =>
        {
            var session = new GatewaySession("s", Me);
            var data = JsonSerializer.SerializeToUtf8Bytes(new string('x', size));
            var all = Enumerable.Range(0, count).Select(_ => session.Dispatch("A", data)).ToList();
            seen = Math.Min(seen, count);
            var missed = session.Missed(seen);

            // What is kept is at most so many messages and bytes, and at least all that fits.
            var kept = 0;
            for (var bytes = 0; kept < count && kept < GatewaySession.MaxReplayMessages && (bytes += all[count - 1 - kept].Length) <= GatewaySession.MaxReplayBytes;) kept++;
            if (count - seen > kept) Assert.Null(missed);
            else Assert.True(missed is not null && all.Skip(seen).SequenceEqual(missed)); // the very same messages
        }, iter: 100);

    [Fact]
    public void Events_of_a_guild_wait_until_the_client_has_the_guild()
    {
        var session = new GatewaySession("s", Me);

        Assert.Null(session.Handle(Guild, Event("EARLIER")));
        Assert.True(session.Expect(Guild));
        Assert.Null(session.Handle(Guild, Event("MEANWHILE")));
        Assert.False(session.Expect(Guild));

        Assert.Equal(["GUILD_CREATE", "MEANWHILE"], session.Introduce(Guild, ("GUILD_CREATE", "{}"u8.ToArray())).Select(TypeOf));
        Assert.Equal("LATER", TypeOf(session.Handle(Guild, Event("LATER"))!));
    }

    [Fact]
    public void An_event_for_another_session_is_not_mine()
    {
        var session = Introduced(null);

        Assert.Null(session.Handle(Guild, new GuildEvent("VOICE_SERVER_UPDATE", "{}"u8.ToArray(), "another")));
        Assert.NotNull(session.Handle(Guild, new GuildEvent("VOICE_SERVER_UPDATE", "{}"u8.ToArray(), "s")));
    }

    [Theory]
    [InlineData(null, true)]
    [InlineData(1 << 7, true)]
    [InlineData(1, false)]
    public void Voice_states_of_others_need_the_intent_and_ones_own_does_not(int? intents, bool others)
    {
        var session = Introduced(intents);

        Assert.Equal(others, session.Handle(Guild, Event("VOICE_STATE_UPDATE", """{"user_id":"8"}""")) is not null);
        Assert.NotNull(session.Handle(Guild, Event("VOICE_STATE_UPDATE", """{"user_id":"7"}""")));
    }

    [Theory]
    [InlineData(null, true)]
    [InlineData(1 << 1, true)]
    [InlineData(1, false)]
    public void Changes_of_members_need_the_intent(int? intents, bool heard) =>
        Assert.Equal(heard, Introduced(intents).Handle(Guild, Event("GUILD_MEMBER_ADD", "{}")) is not null);

    [Fact]
    public void A_change_of_oneself_as_a_member_needs_no_intent()
    {
        var session = Introduced(1);

        Assert.NotNull(session.Handle(Guild, Event("GUILD_MEMBER_UPDATE", """{"roles":[],"user":{"id":"7","username":"me"}}""")));
        Assert.Null(session.Handle(Guild, Event("GUILD_MEMBER_UPDATE", """{"roles":[],"user":{"id":"8","username":"other"}}""")));
    }

    [Fact]
    public void Only_a_session_without_a_socket_expires()
    {
        var session = new GatewaySession("s", Me);
        var lost = TimeSpan.FromSeconds(10);

        Assert.False(session.Expired(TimeSpan.MaxValue));
        session.Detached(lost);
        Assert.False(session.Expired(lost + GatewaySession.ResumeWindow - TimeSpan.FromTicks(1)));
        Assert.True(session.Expired(lost + GatewaySession.ResumeWindow));
        session.Attached();
        Assert.False(session.Expired(TimeSpan.MaxValue));
    }

    [Fact]
    public void A_frame_is_json_with_its_data_untouched()
    {
        var frame = new GatewaySession("s", Me).Dispatch("VOICE_STATE_UPDATE", """{"a":[1,"}"]}"""u8);

        Assert.Equal("""{"op":0,"d":{"a":[1,"}"]},"s":1,"t":"VOICE_STATE_UPDATE"}""", System.Text.Encoding.UTF8.GetString(frame));
    }

    private static GatewaySession Introduced(int? intents)
    {
        var session = new GatewaySession("s", Me, intents);
        session.Expect(Guild);
        _ = session.Introduce(Guild, ("GUILD_CREATE", "{}"u8.ToArray())).Count();
        return session;
    }

    private static GuildEvent Event(string type, string data = "{}") => new(type, System.Text.Encoding.UTF8.GetBytes(data), null);

    private static int NumberOf(byte[] frame) => JsonDocument.Parse(frame).RootElement.GetProperty("s").GetInt32();

    private static string TypeOf(byte[] frame) => JsonDocument.Parse(frame).RootElement.GetProperty("t").GetString()!;
}
