using System.Text;
using Voice.Protocol.Gateway;
using Voice.Signaling.Gateway;
using Xunit;

namespace Voice.Tests.Signaling.Gateway;

public class GatewayConnectionTests
{
    private static readonly TimeSpan Start = TimeSpan.FromHours(1);
    private readonly GatewayConnection _connection = new(Start);

    [Fact]
    public void Hello_names_the_interval() =>
        Assert.Equal("""{"op":10,"d":{"heartbeat_interval":41250},"s":null,"t":null}""", Encoding.UTF8.GetString(GatewayConnection.Hello));

    [Theory]
    [InlineData("")]
    [InlineData("{")]
    [InlineData("null")]
    [InlineData("[]")]
    [InlineData("\"op\"")]
    [InlineData("""{"op":"2"}""")]
    [InlineData("""{"op":1,"d":{}}""")]
    [InlineData("""{"op":2}""")]
    [InlineData("""{"op":2,"d":null}""")]
    [InlineData("""{"op":2,"d":{}}""")]
    [InlineData("""{"op":2,"d":{"token":""}}""")]
    [InlineData("""{"op":2,"d":{"token":5}}""")]
    [InlineData("""{"op":2,"d":{"token":"t","intents":"all"}}""")]
    [InlineData("""{"op":2,"d":{"token":"t","shard":"0"}}""")]
    [InlineData("""{"op":6,"d":{"token":"t"}}""")]
    [InlineData("""{"op":6,"d":{"token":"t","session_id":"s","seq":"one"}}""")]
    public void What_can_not_be_decoded_closes_4002(string message) => Assert.Equal(GatewayCloseCode.DecodeError, Closed(message));

    [Fact]
    public void Malformed_voice_states_close_4002()
    {
        _connection.Authenticated();

        Assert.Equal(GatewayCloseCode.DecodeError, Closed("""{"op":4,"d":{"guild_id":"x","channel_id":null}}"""));
        Assert.Equal(GatewayCloseCode.DecodeError, Closed("""{"op":4,"d":null}"""));
    }

    [Fact]
    public void Bytes_that_are_not_text_close_4002() =>
        Assert.Equal(GatewayCloseCode.DecodeError, Assert.IsType<GatewayStep.Close>(_connection.Receive([0xFF, 0x00, 0x7B], Start)).Code);

    [Fact]
    public void A_message_of_15_KiB_is_read_and_a_longer_one_closes_4002()
    {
        var longest = """{"op":1,"d":null}""".PadRight(GatewayConnection.MaxMessageBytes);

        Assert.IsType<GatewayStep.Reply>(Receive(longest));
        Assert.Equal(GatewayCloseCode.DecodeError, Closed(longest + " "));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(7)]
    [InlineData(9)]
    [InlineData(10)]
    [InlineData(11)]
    [InlineData(99)]
    [InlineData(-1)]
    public void Unknown_opcodes_close_4001(int op) => Assert.Equal(GatewayCloseCode.UnknownOpcode, Closed($$"""{"op":{{op}},"d":null}"""));

    [Theory]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(5)]
    [InlineData(8)]
    [InlineData(13)]
    public void Before_identify_others_close_4003(int op) => Assert.Equal(GatewayCloseCode.NotAuthenticated, Closed($$$"""{"op":{{{op}}},"d":{}}"""));

    [Theory]
    [InlineData("null")]
    [InlineData("7")]
    public void Heartbeats_are_acknowledged_before_identify(string sequence)
    {
        var reply = Assert.IsType<GatewayStep.Reply>(Receive($$$"""{"op":1,"d":{{{sequence}}}}"""));

        Assert.Equal("""{"op":11,"d":null,"s":null,"t":null}""", Encoding.UTF8.GetString(reply.Message));
    }

    [Fact]
    public void Identify_and_resume_ask_for_the_token_to_be_checked()
    {
        var login = Assert.IsType<GatewayStep.Login>(Receive("""{"op":2,"d":{"token":"Bot a.b.c","properties":{},"intents":129,"shard":[1,2]}}"""));
        var reattach = Assert.IsType<GatewayStep.Reattach>(Receive("""{"op":6,"d":{"token":"t","session_id":"s","seq":12}}"""));

        Assert.Equal(("Bot a.b.c", 129), (login.Identify.Token, login.Identify.Intents));
        Assert.Equal(new Resume("t", "s", 12), reattach.Resume);
    }

    [Theory]
    [InlineData("""{"op":2,"d":{"token":"t"}}""")]
    [InlineData("""{"op":6,"d":{"token":"t","session_id":"s","seq":12}}""")]
    public void Identify_after_identify_closes_4005(string message)
    {
        _connection.Authenticated();

        Assert.Equal(GatewayCloseCode.AlreadyAuthenticated, Closed(message));
    }

    [Theory]
    [InlineData("[]")]
    [InlineData("[0]")]
    [InlineData("[0,0]")]
    [InlineData("[1,1]")]
    [InlineData("[-1,1]")]
    [InlineData("[0,1,2]")]
    public void Impossible_shards_close_4010(string shard) =>
        Assert.Equal(GatewayCloseCode.InvalidShard, Closed($$$"""{"op":2,"d":{"token":"t","shard":{{{shard}}}}}"""));

    [Theory]
    [InlineData(-1)]
    [InlineData(1 << 30)]
    public void Intents_that_do_not_exist_close_4013(int intents) =>
        Assert.Equal(GatewayCloseCode.InvalidIntents, Closed($$$"""{"op":2,"d":{"token":"t","intents":{{{intents}}}}}"""));

    [Fact]
    public void Voice_states_may_name_ids_as_numbers()
    {
        _connection.Authenticated();

        var set = Assert.IsType<GatewayStep.SetVoiceState>(Receive("""{"op":4,"d":{"guild_id":111,"channel_id":"222","self_mute":true,"self_deaf":false}}"""));

        Assert.Equal(new VoiceStateUpdate(111, 222) { SelfMute = true }, set.Update);
    }

    [Fact]
    public void The_121st_message_in_a_minute_closes_4008_and_a_new_minute_is_a_new_count()
    {
        for (var i = 0; i < 120; i++) Assert.IsType<GatewayStep.Reply>(Receive("""{"op":1,"d":null}""", Start + TimeSpan.FromSeconds(i / 4.0)));
        Assert.Equal(GatewayCloseCode.RateLimited, Closed("""{"op":1,"d":null}""", Start + TimeSpan.FromSeconds(59)));
        Assert.IsType<GatewayStep.Reply>(Receive("""{"op":1,"d":null}""", Start + TimeSpan.FromSeconds(60)));
    }

    [Fact]
    public void Silence_beyond_the_interval_and_tolerance_closes_4009()
    {
        _connection.Authenticated();
        Receive("""{"op":1,"d":null}""", Start + TimeSpan.FromSeconds(30));
        var limit = Start + TimeSpan.FromSeconds(30) + GatewayConnection.HeartbeatInterval + GatewayConnection.HeartbeatTolerance;

        Assert.Equal(limit, _connection.Deadline);
        Assert.Null(_connection.Tick(limit - TimeSpan.FromTicks(1)));
        Assert.Equal(GatewayCloseCode.SessionTimedOut, _connection.Tick(limit)!.Code);
    }

    [Fact]
    public void Heartbeats_alone_do_not_keep_a_client_that_never_identifies()
    {
        Receive("""{"op":1,"d":null}""", Start + TimeSpan.FromSeconds(50));

        Assert.Equal(GatewayCloseCode.NotAuthenticated, _connection.Tick(Start + GatewayConnection.IdentifyTimeout)!.Code);
    }

    private GatewayStep Receive(string message, TimeSpan? now = null) => _connection.Receive(Encoding.UTF8.GetBytes(message), now ?? Start);

    private GatewayCloseCode Closed(string message, TimeSpan? now = null) => Assert.IsType<GatewayStep.Close>(Receive(message, now)).Code;
}
