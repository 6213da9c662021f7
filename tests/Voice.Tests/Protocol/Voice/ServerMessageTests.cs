using System.Text;
using Voice.Protocol;
using Voice.Protocol.Voice;
using Xunit;

namespace Voice.Tests.Protocol.Voice;

public class ServerMessageTests
{
    [Fact]
    public void What_our_server_writes_is_read()
    {
        Assert.Equal(new ServerMessage.Hello(TimeSpan.FromMilliseconds(13_750)), Parse(ServerFrame.Hello(new VoiceHello(8, 13_750))));
        var ready = Assert.IsType<ServerMessage.Ready>(Parse(ServerFrame.Ready(new VoiceReady(8, "127.0.0.1", 50_000, ["a", "b"]))));
        Assert.Equal((8u, "127.0.0.1", 50_000), (ready.Ssrc, ready.Ip, ready.Port));
        Assert.Equal(["a", "b"], ready.Modes);
        var udp = Assert.IsType<ServerMessage.Description>(Parse(ServerFrame.Description(new UdpSessionDescription("mode", [1, 2, 255], "m"))));
        Assert.Equal("mode", udp.Mode);
        Assert.Equal([1, 2, 255], udp.SecretKey!);
        Assert.Equal("text", Assert.IsType<ServerMessage.Description>(Parse(ServerFrame.Description(new SessionDescription("text", "m")))).Sdp);
        Assert.Equal(
            new ServerMessage.Speaking(11, 8, SpeakingFlags.Microphone),
            Parse(ServerFrame.Speaking(new UserSpeaking(11, 8, SpeakingFlags.Microphone))));
        Assert.Equal([11, 12], Assert.IsType<ServerMessage.ClientsConnect>(Parse(ServerFrame.Connect(11, 12))).Users);
        Assert.Equal(new ServerMessage.ClientDisconnect(11), Parse(ServerFrame.Disconnect(11)));
        Assert.IsType<ServerMessage.Resumed>(Parse(ServerFrame.Resumed()));
        Assert.IsType<ServerMessage.HeartbeatAck>(Parse(ServerFrame.Ack(Assert.IsType<Heartbeat>(ClientMessage.Parse(ClientFrame.Heartbeat(1, 7))))));
        Assert.Equal(7, Parse(ServerFrame.Numbered(ServerFrame.Disconnect(11), 7))!.Seq);
    }

    [Fact]
    public void What_our_client_writes_our_server_reads()
    {
        var identify = Assert.IsType<Identify>(ClientMessage.Parse(ClientFrame.Identify(500, 501, 11, "session", "token")));
        Assert.Equal((500, 501, 11, "session", "token"), ((int)identify.ServerId.Value, (int)identify.ChannelId!.Value.Value, (int)identify.UserId.Value, identify.SessionId, identify.Token));
        var resume = Assert.IsType<Resume>(ClientMessage.Parse(ClientFrame.Resume(500, "session", "token", 9)));
        Assert.Equal(((Snowflake)500, "session", "token", 9), (resume.ServerId, resume.SessionId, resume.Token, resume.SeqAck));
        var udp = Assert.IsType<SelectProtocol>(ClientMessage.Parse(ClientFrame.SelectUdp("203.0.113.7", 50_004, "mode")));
        Assert.Equal(new UdpTarget("mode") { Address = "203.0.113.7", Port = 50_004 }, udp.Target);
        var webRtc = Assert.IsType<SelectProtocol>(ClientMessage.Parse(ClientFrame.SelectWebRtc("fragment\n", 111)));
        Assert.Equal(("webrtc", "fragment\n", 111), (webRtc.Protocol, webRtc.Fragment, webRtc.OpusPayloadType));
        Assert.Equal(new Speaking(SpeakingFlags.Microphone), ClientMessage.Parse(ClientFrame.Speaking(SpeakingFlags.Microphone, 8)));
    }

    [Theory]
    [InlineData("""{"op":8,"d":{"v":8,"heartbeat_interval":13750.0}}""", true)]
    [InlineData("""{"op":8,"d":{"v":8,"heartbeat_interval":0}}""", false)]
    [InlineData("""{"op":8,"d":{"heartbeat_interval":1e99}}""", false)]
    [InlineData("""{"op":8}""", false)]
    [InlineData("""{"op":2,"d":{"ssrc":-1,"ip":"1.2.3.4","port":1,"modes":[]}}""", false)]
    [InlineData("""{"op":2,"d":{"ssrc":1,"ip":"1.2.3.4","port":65536,"modes":[]}}""", false)]
    [InlineData("""{"op":2,"d":{"ssrc":1,"ip":"1.2.3.4","port":1,"modes":[null]}}""", false)]
    [InlineData("""{"op":4,"d":{"mode":"m","secret_key":[256]}}""", false)]
    [InlineData("""{"op":5,"d":{"user_id":"ann","ssrc":1,"speaking":1}}""", false)]
    [InlineData("""{"op":11,"d":{"user_ids":"1"}}""", false)]
    [InlineData("""{"op":13,"d":null}""", false)]
    [InlineData("""{"op":99,"d":null}""", true)]
    [InlineData("""{"op":9,"d":null,"seq":"x"}""", true)]
    [InlineData("""{"op":9,"d":null,"seq":1.5}""", false)]
    [InlineData("""{"op":"9"}""", false)]
    [InlineData("[]", false)]
    [InlineData("", false)]
    [InlineData("{", false)]
    public void What_is_no_message_is_null_and_never_an_exception(string json, bool taken)
    {
        Assert.Equal(taken, ServerMessage.Parse(Encoding.UTF8.GetBytes(json)) is not null);
    }

    private static ServerMessage? Parse(byte[] frame) => ServerMessage.Parse(frame);
}
