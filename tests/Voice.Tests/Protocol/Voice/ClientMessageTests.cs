using System.Text;
using Voice.Protocol.Voice;
using Xunit;

namespace Voice.Tests.Protocol.Voice;

public class ClientMessageTests
{
    private const string Identify =
        """{"op":0,"d":{"server_id":"41","channel_id":7,"user_id":12,"session_id":"s","token":"t","video":true,"streams":[{"type":"video","rid":"100","quality":100}],"max_dave_protocol_version":1}}""";

    private const string Select =
        """{"op":1,"d":{"protocol":"webrtc","data":"a=x\na=y","sdp":"a=x\na=y","codecs":[{"name":"opus","type":"audio","priority":1000,"payload_type":111}],"rtc_connection_id":"0"}}""";

    private static ClientMessage Parse(string json) => ClientMessage.Parse(Encoding.UTF8.GetBytes(json));

    [Fact]
    public void Reads_Identify_with_ids_as_strings_or_numbers()
    {
        var identify = Assert.IsType<Identify>(Parse(Identify));

        Assert.Equal((41ul, 7ul, 12ul), (identify.ServerId.Value, identify.ChannelId!.Value.Value, identify.UserId.Value));
        Assert.Equal(("s", "t", 1), (identify.SessionId, identify.Token, identify.MaxDaveProtocolVersion!.Value));
    }

    [Fact]
    public void Reads_the_fragment_from_either_place()
    {
        Assert.Equal(new SelectProtocol("webrtc", 111) { Fragment = "a=x\na=y" }, Parse(Select));
        Assert.Equal(new SelectProtocol("webrtc", null) { Fragment = "a=z" }, Parse("""{"op":1,"d":{"protocol":"webrtc","data":null,"sdp":"a=z"}}"""));
    }

    [Fact]
    public void Reads_where_a_UDP_client_believes_that_it_is() => Assert.Equal(
        new SelectProtocol("udp", 120) { Target = new UdpTarget("x") { Address = "192.0.2.1", Port = 50_004 } },
        Parse("""{"op":1,"d":{"protocol":"udp","data":{"address":"192.0.2.1","port":50004,"mode":"x"},"codecs":[{"name":"opus","type":"audio","priority":1000,"payload_type":120}]}}"""));

    [Fact]
    public void Of_a_protocol_that_is_not_known_only_the_name_is_read() =>
        Assert.Equal(new SelectProtocol("carrier-pigeon", null), Parse("""{"op":1,"d":{"protocol":"carrier-pigeon","data":7}}"""));

    [Fact]
    public void A_heartbeat_is_answered_in_its_own_form()
    {
        var old = Assert.IsType<Heartbeat>(Parse("""{"op":3,"d":1501184119561}"""));
        var v8 = Assert.IsType<Heartbeat>(Parse("""{"op":3,"d":{"t":1501184119561,"seq_ack":10}}"""));

        Assert.Equal(10, v8.SeqAck);
        Assert.Equal("""{"op":6,"d":1501184119561}""", Encoding.UTF8.GetString(ServerFrame.Ack(old)));
        Assert.Equal("""{"op":6,"d":{"t":1501184119561}}""", Encoding.UTF8.GetString(ServerFrame.Ack(v8)));
    }

    [Theory]
    [InlineData("18446744073709551615")]
    [InlineData("1501184119561.25")]
    [InlineData("\"1501184119561\"")]
    public void A_nonce_comes_back_as_it_was_written(string nonce)
    {
        foreach (var d in new[] { nonce, $$"""{"t":{{nonce}}}""" })
            Assert.Equal($$"""{"op":6,"d":{{d}}}""", Encoding.UTF8.GetString(ServerFrame.Ack(Assert.IsType<Heartbeat>(Parse($$"""{"op":3,"d":{{d}}}""")))));
    }

    [Theory]
    [InlineData("""{"op":12,"d":{"audio_ssrc":1}}""")]
    [InlineData("""{"op":12,"d":{"audio_ssrc":1,"video_ssrc":0,"rtx_ssrc":0,"streams":[]}}""")]
    [InlineData("""{"op":12}""")]
    public void Video_is_taken_in_every_form(string json) => Assert.IsType<Ignored>(Parse(json));

    [Fact]
    public void What_is_said_about_end_to_end_encryption_does_no_harm()
    {
        foreach (var json in new[] { """{"op":23,"d":{"transition_id":0}}""", """{"op":31,"d":{"transition_id":0}}""" }) Assert.IsType<Ignored>(Parse(json));
        foreach (var op in new byte[] { 26, 28 }) Assert.IsType<Ignored>(ClientMessage.ParseBinary([op, 1, 2, 3]));
        foreach (var op in new byte[] { 0, 25, 27, 29, 255 }) Assert.Equal(Refused.Unknown, ClientMessage.ParseBinary([op, 1, 2, 3]));
        Assert.Equal(Refused.Malformed, ClientMessage.ParseBinary([]));
    }

    [Theory]
    [InlineData("1", SpeakingFlags.Microphone)]
    [InlineData("true", SpeakingFlags.Microphone)]
    [InlineData("false", SpeakingFlags.None)]
    [InlineData("5", SpeakingFlags.Microphone | SpeakingFlags.Priority)]
    [InlineData("-8", SpeakingFlags.None)]
    public void Reads_speaking_as_bits_or_boolean(string value, SpeakingFlags flags) =>
        Assert.Equal(new Speaking(flags), Parse($$$"""{"op":5,"d":{"speaking":{{{value}}},"delay":0,"ssrc":1}}"""));

    [Theory]
    [InlineData("")]
    [InlineData("null")]
    [InlineData("[]")]
    [InlineData("{}")]
    [InlineData("""{"op":"0"}""")]
    [InlineData("""{"op":0}""")]
    [InlineData("""{"op":0,"d":null}""")]
    [InlineData("""{"op":0,"d":{"server_id":"1","user_id":"2","session_id":"3"}}""")]
    [InlineData("""{"op":0,"d":{"server_id":"1","user_id":"2","session_id":null,"token":"t"}}""")]
    [InlineData("""{"op":0,"d":{"server_id":"-1","user_id":"2","session_id":"3","token":"t"}}""")]
    [InlineData("""{"op":1,"d":{}}""")]
    [InlineData("""{"op":1,"d":{"protocol":"webrtc","data":"\ud800"}}""")]
    [InlineData("""{"op":1,"d":{"protocol":"udp"}}""")]
    [InlineData("""{"op":1,"d":{"protocol":"udp","data":null}}""")]
    [InlineData("""{"op":1,"d":{"protocol":"udp","data":"a=x"}}""")]
    [InlineData("""{"op":1,"d":{"protocol":"udp","data":{"address":"192.0.2.1","port":1}}}""")]
    [InlineData("""{"op":1,"d":{"protocol":"udp","data":{"address":"192.0.2.1","port":1,"mode":null}}}""")]
    [InlineData("""{"op":1,"d":{"protocol":"udp","data":{"address":"192.0.2.1","port":"x","mode":"x"}}}""")]
    [InlineData("""{"op":3}""")]
    [InlineData("""{"op":3,"d":null}""")]
    [InlineData("""{"op":3,"d":{"t":true}}""")]
    [InlineData("""{"op":3,"d":10000000000000000000000000000000000000000000000000000000000000000}""")]
    [InlineData("""{"op":3,"d":{"seq_ack":1}}""")]
    [InlineData("""{"op":5,"d":{"speaking":"x"}}""")]
    [InlineData("""{"op":5}""")]
    [InlineData("""{"op":7,"d":[]}""")]
    public void What_does_not_parse_is_malformed(string json) =>
        Assert.Equal(VoiceCloseCode.DecodeError, Assert.IsType<Refused>(Parse(json)).Code);

    [Theory]
    [InlineData(2)]
    [InlineData(10)]
    [InlineData(99)]
    [InlineData(-1)]
    public void Opcodes_that_clients_do_not_send_are_unknown(int op) =>
        Assert.Equal(VoiceCloseCode.UnknownOpcode, Assert.IsType<Refused>(Parse($$$"""{"op":{{{op}}},"d":{}}""")).Code);

    [Theory]
    [InlineData(Identify)]
    [InlineData(Select)]
    public void Cut_at_any_length_it_is_malformed(string json)
    {
        var bytes = Encoding.UTF8.GetBytes(json);
        for (var length = 0; length < bytes.Length; length++) Assert.Equal(Refused.Malformed, ClientMessage.Parse(bytes.AsSpan(0, length)));
    }

    [Fact]
    public void A_frame_is_numbered_without_writing_it_again() =>
        Assert.Equal(
            """{"op":13,"d":{"user_id":"5"},"seq":65535}""",
            Encoding.UTF8.GetString(ServerFrame.Numbered(ServerFrame.Disconnect(5), 65535)));
}
