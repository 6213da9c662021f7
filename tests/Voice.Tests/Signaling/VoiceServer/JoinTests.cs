using System.Text.RegularExpressions;
using Voice.Protocol.Links;
using Voice.Protocol.Voice;
using Voice.Tests.Fakes;
using Voice.Tests.Protocol.Voice;
using Xunit;

namespace Voice.Tests.Signaling.VoiceServer;

public class JoinTests
{
    private readonly TestNode node = new();

    [Fact]
    public void Hello_comes_before_anything_is_asked()
    {
        var hello = Assert.Single(node.Connect().Frames);

        Assert.Equal("""{"op":8,"d":{"v":8,"heartbeat_interval":13750}}""", hello.GetRawText());
    }

    [Fact]
    public void Ready_gives_an_SSRC_and_where_media_goes()
    {
        var client = node.JoinWithoutMedia(1);
        var ready = client.Frames.Last().GetProperty("d");

        Assert.Equal(["Hello", "Ready"], client.News());
        Assert.Equal(("192.0.2.7", 50000), (ready.GetProperty("ip").GetString(), ready.GetProperty("port").GetInt32()));
        Assert.True(client.Ssrc > 0 && client.Ssrc % 8 == 0);
        Assert.Equal("""{"ssrc":#,"ip":"192.0.2.7","port":50000,"modes":["aead_aes256_gcm_rtpsize","aead_xchacha20_poly1305_rtpsize"],"experiments":[],"streams":[],"node":"node-1","region":""}""", ready.GetRawText().Replace($"{client.Ssrc}", "#"));
    }

    [Fact]
    public void The_session_description_is_this_transports_alone()
    {
        var client = node.Join(1);
        var d = client.Frames.Last().GetProperty("d");
        var transport = Assert.Single(node.Plan.Transports.Values);

        Assert.Equal(("opus", "Null", 0), (d.GetProperty("audio_codec").GetString(), d.GetProperty("video_codec").ValueKind.ToString(), d.GetProperty("dave_protocol_version").GetInt32()));
        Assert.Matches("^[0-9a-f]{32}$", d.GetProperty("media_session_id").GetString());
        var sdp = d.GetProperty("sdp").GetString()!;
        Assert.Contains($"a=ice-ufrag:{transport.WebRtc().LocalUfrag}\na=ice-pwd:{transport.WebRtc().LocalPassword}\n", sdp);
        Assert.Contains(BitConverter.ToString(TestNode.Dtls.Fingerprint).Replace('-', ':'), sdp);
        Assert.True(transport.WebRtc().LocalUfrag.Length >= 8 && transport.WebRtc().LocalPassword.Length >= 24);
        Assert.Equal(("Qx3T", (byte)111, (byte)1), (transport.WebRtc().RemoteUfrag, transport.OpusPayloadType, transport.AudioLevelExtension));
        Assert.Equal(Samples.Fingerprint.Replace(":", ""), Convert.ToHexString(transport.WebRtc().RemoteFingerprint));
        Assert.Equal([7, 1], transport.WebRtc().Profiles.Select(profile => (int)profile));
    }

    [Fact]
    public void Both_sides_of_a_join_learn_of_each_other()
    {
        var first = node.Join(1);
        first.News();

        var second = node.JoinWithoutMedia(2);
        Assert.Equal(["Hello", "Ready", "ClientsConnect 1", "ClientFlags 1", "ClientPlatform 1"], second.News());
        Assert.Equal(["ClientsConnect 2", "ClientFlags 2", "ClientPlatform 2"], first.News());

        second.Select();
        Assert.Equal(["SessionDescription", "Speaking 1=0"], second.News());
        Assert.Equal(["Speaking 2=0"], first.News());
    }

    [Fact]
    public void A_late_joiner_hears_who_is_speaking_under_the_assigned_SSRC()
    {
        var talker = node.Join(1);
        talker.Speak(1);
        var late = node.Join(2);

        var speaking = late.Frames.Last().GetProperty("d");
        Assert.Equal((talker.Ssrc, 1), (speaking.GetProperty("ssrc").GetUInt32(), speaking.GetProperty("speaking").GetInt32()));
    }

    [Fact]
    public void Speaking_is_told_to_the_channel_once_for_each_change()
    {
        var (a, b, elsewhere) = (node.Join(1), node.Join(2), node.Join(3, TestNode.Den));
        foreach (var client in new[] { a, b, elsewhere }) client.News();

        a.Speak(1);
        a.Speak(1);
        a.Speak(0);

        Assert.Equal(["Speaking 1=1", "Speaking 1=0"], b.News());
        Assert.Empty(a.News());
        Assert.Empty(elsewhere.News());
    }

    [Fact]
    public void Who_has_no_description_yet_is_told_nothing_of_speaking()
    {
        var (talker, waiting) = (node.Join(1), node.JoinWithoutMedia(2));
        waiting.News();
        talker.Speak(1);
        Assert.Empty(waiting.News());

        waiting.Select();
        Assert.Equal(["SessionDescription", "Speaking 1=1"], waiting.News());
    }

    [Fact]
    public void Everybody_in_a_channel_hears_everybody_else_and_nobody_beyond()
    {
        var (a, b, c) = (node.Join(1), node.Join(2), node.Join(3, TestNode.Den));
        Assert.Equal(3, node.Plan.Tracks.Count);
        Assert.Equal(2, node.Plan.Subscriptions.Count);
        Assert.Equal(new[] { a.Ssrc, b.Ssrc }.Order(), node.Plan.Subscriptions.Keys.Select(key => key.Track).Order());
        Assert.DoesNotContain(node.Plan.Subscriptions.Keys, key => key.Track == c.Ssrc);
    }

    [Fact]
    public void Selecting_again_replaces_the_transport_and_keeps_the_SSRC()
    {
        var (a, b) = (node.Join(1), node.Join(2));
        var before = node.Plan.Tracks[a.Ssrc].Transport;
        b.News();

        a.Select(Samples.Firefox);

        Assert.NotEqual(before, node.Plan.Tracks[a.Ssrc].Transport);
        Assert.Equal(2, node.Plan.Transports.Count);
        Assert.Equal(2, node.Plan.Subscriptions.Count);
        Assert.Equal(109, node.Plan.Transports[node.Plan.Tracks[a.Ssrc].Transport].OpusPayloadType);
        Assert.Equal(["Speaking 1=0"], b.News());
    }

    [Fact]
    public void Without_an_rtpmap_the_codec_list_gives_the_payload_type()
    {
        var client = node.JoinWithoutMedia(1);
        var fragment = Samples.Chromium.Replace("a=rtpmap:111 opus/48000/2\n", "");
        client.Send(VoiceOpcode.SelectProtocol, new { protocol = "webrtc", data = fragment, codecs = new[] { new { name = "opus", payload_type = 108 } } });

        Assert.Equal(108, Assert.Single(node.Plan.Transports.Values).OpusPayloadType);
    }

    [Fact]
    public void Channels_go_to_the_least_loaded_worker_and_stay_there()
    {
        var two = new TestNode(workers: 2);
        two.Join(1);
        two.Join(2);
        two.Join(3, TestNode.Den);
        two.Join(4, 300);
        two.Join(5, TestNode.Den);

        Assert.Equal([0, 0, 1, 1, 1], two.Plan.Transports.OrderBy(pair => pair.Key).Select(pair => pair.Value.Worker));
    }

    [Fact]
    public void A_channel_that_outgrows_a_worker_is_spread_and_each_is_told_its_port()
    {
        var three = new TestNode(workers: 3, channelPeople: 2);
        TestClient[] clients = [.. Enumerable.Range(1, 6).Select(user => three.JoinWithoutMedia((ulong)user))];
        foreach (var client in clients) client.SelectUdp();

        Assert.Equal([0, 0, 1, 1, 2, 2], three.Plan.Transports.OrderBy(pair => pair.Key).Select(pair => pair.Value.Worker));
        Assert.Equal(
            [50000, 50000, 50001, 50001, 50002, 50002],
            clients.Select(client => client.Frames.Single(frame => TestClient.Op(frame) == VoiceOpcode.Ready).GetProperty("d").GetProperty("port").GetInt32()));
        Assert.Equal(30, three.Plan.Subscriptions.Count);
    }

    [Fact]
    public void Who_may_and_says_so_is_heard_first()
    {
        var three = new TestNode(loudest: 3);
        var member = TestNode.Member(1) with { PrioritySpeaker = true };
        three.Push(member, TestNode.Member(2));
        TestClient[] clients = [three.Connect(), three.Connect()];
        for (var i = 0; i < 2; i++)
        {
            clients[i].Identify((ulong)i + 1);
            clients[i].Select();
            clients[i].Speak(5);
        }

        Assert.Equal([true, false], clients.Select(client => three.Plan.Tracks[client.Ssrc].First));
        clients[0].Speak(1);
        Assert.False(three.Plan.Tracks[clients[0].Ssrc].First);
        clients[0].Speak(5);
        three.Push(member with { PrioritySpeaker = false });
        Assert.False(three.Plan.Tracks[clients[0].Ssrc].First);
        Assert.Equal(3, Assert.Single(three.Plan.Groups).Value.Loudest);

        three.Remove(1);
        three.Remove(2);
        Assert.Empty(three.Plan.Groups);
    }

    [Fact]
    public void A_leave_is_told_to_the_channel_and_ends_the_socket()
    {
        var (a, b) = (node.Join(1), node.Join(2));
        b.News();

        node.Remove(1);

        Assert.Equal(VoiceCloseCode.Disconnected, a.Closed);
        Assert.Equal(["ClientDisconnect 1"], b.News());
        Assert.Empty(node.Plan.Subscriptions);
        Assert.Single(node.Plan.Transports);
        Assert.Equal(1, node.Core.Sessions);
    }

    [Theory]
    [InlineData(1000)]
    [InlineData(1001)]
    public void A_client_that_says_goodbye_is_gone_at_once(int code)
    {
        var (a, b) = (node.Join(1), node.Join(2));
        b.News();

        a.Lose(code);

        Assert.Equal(["ClientDisconnect 1"], b.News());
        Assert.Equal(new VoiceSessionChanged(TestNode.Guild, "", TestNode.Epoch, 1, node.Pushed(1).SessionId, VoiceSessionState.Ended), node.ToGateways.Last());
    }

    [Fact]
    public void A_move_ends_the_old_session_and_the_new_one_is_seen_in_the_new_channel()
    {
        var (mover, stays, there) = (node.Join(1), node.Join(2), node.Join(3, TestNode.Den));
        stays.News();
        there.News();

        node.Push(TestNode.Member(1, TestNode.Den));
        Assert.Equal(VoiceCloseCode.Disconnected, mover.Closed);
        Assert.Equal(["ClientDisconnect 1"], stays.News());

        var again = node.Connect();
        again.Identify(1);
        again.Select();
        Assert.Equal(["ClientsConnect 1", "ClientFlags 1", "ClientPlatform 1", "Speaking 1=0"], there.News());
        Assert.Empty(stays.News());
        Assert.NotEqual(mover.Ssrc, again.Ssrc);
    }

    [Fact]
    public void Identifying_anew_replaces_the_session_that_was()
    {
        var (before, other) = (node.Join(1), node.Join(2));
        other.News();
        var after = node.Connect();
        after.Identify(1);

        Assert.Equal(VoiceCloseCode.Disconnected, before.Closed);
        Assert.Equal(["ClientDisconnect 1", "ClientsConnect 1", "ClientFlags 1", "ClientPlatform 1"], other.News());
        Assert.Equal(2, node.Core.Sessions);
    }

    [Fact]
    public void A_private_call_is_a_server_whose_id_is_its_channels()
    {
        const ulong Call = 900;
        var members = new[] { TestNode.Member(1, Call), TestNode.Member(2, Call) };
        node.Push(members);
        node.Update(new GuildUpdate(Call, "", TestNode.Epoch, 1, Whole: true, members, []));
        foreach (var user in new ulong[] { 1, 2 })
        {
            var client = node.Connect(version: 9);
            client.Identify(user, node.Token(user, token => token with { Guild = Call }), server: Call, channel: Call);
            client.SelectUdp();
            Assert.Null(client.Closed);
        }

        Assert.Equal(2, node.Plan.Subscriptions.Count);
    }

    [Fact]
    public void The_gateway_hears_of_each_session_that_comes_and_goes()
    {
        var client = node.Join(1);
        var session = node.Pushed(1).SessionId;
        client.Lose(1000);

        Assert.Equal(
            [(session, VoiceSessionState.Connected), (session, VoiceSessionState.Ended)],
            node.ToGateways.OfType<VoiceSessionChanged>().Select(change => (change.SessionId, change.State)));
    }

    /// <summary>Each of these is a message to everybody, or work for everybody.</summary>
    [Fact]
    public void Who_changes_too_often_is_told_of_less_often_and_what_they_end_with()
    {
        var (talker, listener) = (node.Join(1), node.Join(2));
        listener.News();
        for (var i = 1; i <= 101; i++) talker.Speak(i % 2);
        Assert.InRange(listener.News().Length, 5, 20);

        talker.Speak(4);
        node.Pass(TimeSpan.FromSeconds(1));
        Assert.Equal(["Speaking 1=4"], listener.News());
        node.Pass(TimeSpan.FromSeconds(1));
        Assert.Empty(listener.News());
        Assert.Null(talker.Closed);
    }

    [Fact]
    public void Who_selects_too_often_is_closed()
    {
        var client = node.JoinWithoutMedia(1);
        for (var i = 0; i < 10; i++) client.Select();
        Assert.Null(client.Closed);
        client.SelectUdp();
        Assert.Equal(VoiceCloseCode.RateLimited, client.Closed);
        Assert.Empty(node.Plan.Transports);
    }

    [Fact]
    public void Video_is_taken_and_nobody_is_promised_a_stream()
    {
        var (a, b) = (node.Join(1), node.Join(2));
        b.News();

        a.Send(VoiceOpcode.Video, new { audio_ssrc = 7, video_ssrc = 8, rtx_ssrc = 9, streams = Array.Empty<object>() });
        a.Send(VoiceOpcode.Video, new { audio_ssrc = 7 });

        Assert.Empty(b.News());
        Assert.Null(a.Closed);
    }

    [Fact]
    public void The_backend_version_is_told_and_hints_are_taken()
    {
        var client = node.Join(1);
        client.News();
        foreach (var op in new[] { VoiceOpcode.SessionUpdate, VoiceOpcode.MediaSinkWants, VoiceOpcode.ClientPlatform, VoiceOpcode.NoRoute }) client.Send(op, new { any = 100 });
        client.Send(VoiceOpcode.VoiceBackendVersion, new { });

        Assert.Equal(["VoiceBackendVersion"], client.News());
        Assert.Null(client.Closed);
    }

    [Fact]
    public void SSRC_blocks_and_ICE_names_never_repeat()
    {
        var ssrcs = new HashSet<uint>();
        var ufrags = new HashSet<string>();
        for (var i = 0; i < 500; i++)
        {
            var client = node.Join(1);
            Assert.True(ssrcs.Add(client.Ssrc));
            Assert.True(ufrags.Add(node.Plan.Transports.Values.Single().WebRtc().LocalUfrag));
            client.Lose(1000);
        }
    }

    [Fact]
    public void Nothing_that_a_client_receives_names_an_address_but_the_servers()
    {
        var clients = Enumerable.Range(1, 4).Select(user => node.Join((ulong)user)).ToArray();
        var withCandidate = Samples.Chromium + "\na=candidate:1 1 udp 2113937151 198.51.100.9 54321 typ host\nc=IN IP4 198.51.100.9";
        foreach (var client in clients)
        {
            client.Select(withCandidate);
            client.Speak(1);
            client.Beat();
        }

        node.Remove(1);

        var seen = clients.SelectMany(client => client.Frames).SelectMany(frame => Regex.Matches(frame.GetRawText(), @"\d+\.\d+\.\d+\.\d+")).Select(match => match.Value);
        Assert.Equal(["0.1.0"], seen.Select(address => address == "192.0.2.7" ? "0.1.0" : address).Distinct());
    }
}
