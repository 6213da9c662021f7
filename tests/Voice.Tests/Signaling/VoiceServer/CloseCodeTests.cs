using Voice.Protocol.Links;
using Voice.Protocol.Voice;
using Voice.Signaling.VoiceServer;
using Voice.Tests.Protocol.Voice;
using Xunit;

namespace Voice.Tests.Signaling.VoiceServer;

public class CloseCodeTests
{
    private readonly TestNode node = new();

    public static TheoryData<string, VoiceCloseCode> BadMessages => new()
    {
        { """{"op":99,"d":{}}""", VoiceCloseCode.UnknownOpcode },
        { """{"op":5""", VoiceCloseCode.DecodeError },
        { """{"op":5,"d":{}}""", VoiceCloseCode.DecodeError },
        { """{"op":1,"d":{"protocol":"udp","data":{"address":"192.0.2.1","port":1,"mode":"xsalsa20_poly1305"}}}""", VoiceCloseCode.UnknownEncryptionMode },
        { """{"op":1,"d":{"protocol":"udp","data":{"address":"192.0.2.1","port":1,"mode":"rot13"}}}""", VoiceCloseCode.UnknownEncryptionMode },
        { """{"op":1,"d":{"protocol":"udp","data":"a=x"}}""", VoiceCloseCode.DecodeError },
        { """{"op":1,"d":{"protocol":"carrier-pigeon"}}""", VoiceCloseCode.UnknownProtocol },
        { """{"op":1,"d":{"protocol":"webrtc"}}""", VoiceCloseCode.BadRequest },
        { """{"op":7,"d":{"server_id":"41","session_id":"s","token":"t"}}""", VoiceCloseCode.AlreadyAuthenticated },
    };

    public static TheoryData<string> ChangesOfToken => ["user", "guild", "node", "epoch", "session", "channel"];

    [Theory]
    [MemberData(nameof(BadMessages))]
    public void A_bad_message_closes_the_socket_and_ends_the_session(string json, VoiceCloseCode code)
    {
        var client = node.JoinWithoutMedia(1);
        client.SendText(json);

        Assert.Equal(code, client.Closed);
        Assert.Equal(0, node.Core.Sessions);
    }

    [Fact]
    public void A_fragment_without_a_usable_fingerprint_is_a_bad_request()
    {
        foreach (var (part, instead) in new[] { ("a=fingerprint:sha-256", "a=x:"), ("sha-256", "sha-512"), ("3A:96", "3A:9"), ("a=ice-pwd", "a=x") })
        {
            var client = node.JoinWithoutMedia(1);
            client.Select(Samples.Chromium.Replace(part, instead));
            Assert.Equal(VoiceCloseCode.BadRequest, client.Closed);
        }
    }

    [Theory]
    [InlineData(VoiceOpcode.SelectProtocol, """{"protocol":"webrtc"}""")]
    [InlineData(VoiceOpcode.Speaking, """{"speaking":1}""")]
    [InlineData(VoiceOpcode.Video, "{}")]
    [InlineData(VoiceOpcode.VoiceBackendVersion, "{}")]
    [InlineData(VoiceOpcode.MediaSinkWants, "{}")]
    public void Before_Identify_nothing_else_is_taken(VoiceOpcode op, string d)
    {
        var client = node.Connect();
        client.SendText($$"""{"op":{{(int)op}},"d":{{d}}}""");

        Assert.Equal(VoiceCloseCode.NotAuthenticated, client.Closed);
    }

    [Fact]
    public void Identify_twice_is_refused()
    {
        var client = node.Join(1);
        client.Identify(1);

        Assert.Equal(VoiceCloseCode.AlreadyAuthenticated, client.Closed);
    }

    [Theory]
    [MemberData(nameof(ChangesOfToken))]
    public void A_token_opens_only_what_it_names(string what)
    {
        node.Push(TestNode.Member(1), TestNode.Member(2));
        var token = node.Token(1, token => what switch
        {
            "user" => token with { User = 2 },
            "guild" => token with { Guild = 42 },
            "node" => token with { NodeId = "node-2" },
            "epoch" => token with { Epoch = TestNode.Epoch - 1 },
            "session" => token with { SessionId = "another" },
            _ => token with { Channel = TestNode.Den },
        });
        var client = node.Connect();
        client.Identify(1, token);

        var expected = what switch
        {
            "user" => VoiceCloseCode.AuthenticationFailed,
            "guild" or "node" or "epoch" => VoiceCloseCode.ServerNotFound,
            _ => VoiceCloseCode.SessionNoLongerValid,
        };
        Assert.Equal(expected, client.Closed);
        Assert.Equal(0, node.Core.Sessions);
    }

    [Fact]
    public void A_client_that_names_another_guild_than_its_token_is_told_that_it_is_not_here()
    {
        node.Push(TestNode.Member(1));
        var client = node.Connect();
        client.Identify(1, server: 42);

        Assert.Equal(VoiceCloseCode.ServerNotFound, client.Closed);
    }

    [Fact]
    public void A_token_that_is_not_ours_is_refused()
    {
        node.Push(TestNode.Member(1));
        var client = node.Connect();
        client.Identify(1, token: "forged");

        Assert.Equal(VoiceCloseCode.AuthenticationFailed, client.Closed);
    }

    [Fact]
    public void A_session_that_the_gateway_did_not_push_is_no_longer_valid()
    {
        node.Push(TestNode.Member(1));
        var token = node.Token(1);

        AssertRefused(session: "older", channel: null);
        AssertRefused(session: null, channel: TestNode.Den);
        node.Push(TestNode.Member(1, session: "newer"));
        AssertRefused(session: "session-1-100", channel: null);
        node.Remove(1);
        AssertRefused(session: "newer", channel: null);
        node.Drop();
        AssertRefused(session: "newer", channel: null);

        void AssertRefused(string? session, ulong? channel)
        {
            var client = node.Connect();
            client.Identify(1, token, session, channel: channel);
            Assert.Equal(VoiceCloseCode.SessionNoLongerValid, client.Closed);
        }
    }

    [Fact]
    public void Who_does_not_identify_in_time_is_closed_heartbeats_or_not()
    {
        var client = node.Connect();
        node.Pass(NodeCore.IdentifyTimeout - TimeSpan.FromSeconds(1));
        client.Beat();
        Assert.Null(client.Closed);
        node.Pass(TimeSpan.FromSeconds(1));

        Assert.Equal(VoiceCloseCode.SessionTimedOut, client.Closed);
    }

    [Fact]
    public void Missed_heartbeats_time_the_session_out()
    {
        var (quiet, beating) = (node.Join(1), node.Join(2));
        node.Pass(NodeCore.HeartbeatTimeout - TimeSpan.FromSeconds(1));
        beating.Beat();
        node.Pass(TimeSpan.FromSeconds(1));

        Assert.Equal(VoiceCloseCode.SessionTimedOut, quiet.Closed);
        Assert.Null(beating.Closed);
        Assert.Equal(1, node.Core.Sessions);
    }

    [Theory]
    [InlineData(TransportCloseReason.HandshakeFailed, VoiceCloseCode.WebRtcCrashed)]
    [InlineData(TransportCloseReason.ConsentExpired, VoiceCloseCode.WebRtcCrashed)]
    [InlineData(TransportCloseReason.FingerprintMismatch, VoiceCloseCode.BadRequest)]
    [InlineData(TransportCloseReason.KeyExhausted, VoiceCloseCode.SessionNoLongerValid)]
    public void A_transport_that_failed_ends_its_session(TransportCloseReason reason, VoiceCloseCode code)
    {
        var client = node.Join(1);
        node.Media(new TransportClosed(node.Plan.Transports.Keys.Single(), reason));

        Assert.Equal(code, client.Closed);
        Assert.Empty(node.Plan.Transports);
    }

    [Fact]
    public void A_call_that_is_over_for_all_is_told_apart_from_one_that_moved()
    {
        var client = node.Join(1);
        node.Drop(terminated: true);
        Assert.Equal(VoiceCloseCode.CallTerminated, client.Closed);

        var moved = new TestNode();
        client = moved.Join(1);
        moved.Drop();
        Assert.Equal(VoiceCloseCode.Disconnected, client.Closed);
    }

    [Fact]
    public void A_node_that_stops_says_so_to_all_and_takes_nobody()
    {
        var (member, stranger) = (node.Join(1), node.Connect());
        node.Stop();
        var late = node.Connect();
        member.Speak(1);

        Assert.All([member, stranger, late], client => Assert.Equal(VoiceCloseCode.VoiceServerCrashed, client.Closed));
        Assert.Empty(late.Frames);
    }

    [Fact]
    public void A_client_that_closes_its_transport_may_select_again()
    {
        var (client, other) = (node.Join(1), node.Join(2));
        var first = node.Plan.Tracks[client.Ssrc].Transport;
        node.Media(new TransportClosed(first, TransportCloseReason.PeerClosed));
        Assert.Null(client.Closed);
        Assert.Empty(node.Plan.Subscriptions);

        client.Select();
        node.Media(new TransportClosed(first, TransportCloseReason.ConsentExpired)); // late news of the old one
        Assert.Null(client.Closed);
        Assert.Null(other.Closed);
        Assert.Equal(2, node.Plan.Subscriptions.Count);
    }

    [Fact]
    public void Whom_a_lost_media_process_served_the_next_one_serves_and_nobody_is_told()
    {
        var (browser, native) = (node.Join(1), node.JoinWithoutMedia(2));
        native.SelectUdp();
        node.Media(new TransportConnected(node.Plan.Tracks[browser.Ssrc].Transport, 7, [1, 2, 3], [4]));
        browser.News();
        native.News();
        var told = node.ToGateways.Count;

        node.MediaLost();
        node.Media(new MediaReady(2, 1));

        Assert.Empty(browser.News().Concat(native.News()));
        Assert.Equal(told, node.ToGateways.Count);
        var snapshot = Assert.IsType<MediaSnapshot>(node.MediaCommands.Last());
        var resumed = snapshot.Changes.OfType<PutTransport>().ToDictionary(put => put.Path.GetType(), put => put.Resumed!);
        Assert.Equal(7, resumed[typeof(WebRtcPath)].Profile);
        Assert.Equal([1, 2, 3], resumed[typeof(WebRtcPath)].KeyingMaterial);
        Assert.Empty(resumed[typeof(UdpPath)].KeyingMaterial);
        Assert.Equal(2, snapshot.Changes.OfType<PutSubscription>().Count());
    }

    [Fact]
    public void At_a_reload_only_they_join_again_whose_keys_the_draft_could_not_have()
    {
        var (browser, native, late) = (node.Join(1), node.JoinWithoutMedia(2), node.Join(3));
        node.Media(new TransportConnected(node.Plan.Tracks[browser.Ssrc].Transport, 7, [1, 2, 3], [4]));
        node.MediaWaits();
        var draft = Assert.IsType<MediaSnapshot>(node.MediaCommands.Last());
        native.SelectUdp();
        node.Media(new TransportConnected(node.Plan.Tracks[late.Ssrc].Transport, 7, [5, 6, 7], [4]));

        node.MediaReplaced();

        Assert.True(draft.IsDraft);
        Assert.Equal((null, null, VoiceCloseCode.SessionNoLongerValid), (browser.Closed, native.Closed, late.Closed));
        Assert.Equal([1, 2, 3], draft.Changes.OfType<PutTransport>().Single(put => put.Resumed is not null).Resumed!.KeyingMaterial);
        var deltas = node.MediaCommands.SkipWhile(command => command != draft).Skip(1).ToArray();
        Assert.Equal(deltas.Select((_, i) => draft.Revision + 1 + i), deltas.Cast<MediaDelta>().Select(delta => delta.Revision));
    }

    [Fact]
    public void Where_the_next_media_process_cannot_read_what_the_last_one_left_everybody_gets_other_keys()
    {
        var (browser, native) = (node.Join(1), node.JoinWithoutMedia(2));
        native.SelectUdp();
        node.Media(new TransportConnected(node.Plan.Tracks[browser.Ssrc].Transport, 7, [1, 2, 3], [4]));

        node.MediaLost();
        node.Media(new MediaReady(2, 1, CanResume: false));

        Assert.Equal((VoiceCloseCode.SessionNoLongerValid, VoiceCloseCode.SessionNoLongerValid), (browser.Closed, native.Closed));
        Assert.Empty(node.Plan.Transports);
    }

    [Fact]
    public void One_whose_state_alone_is_lost_joins_again_alone()
    {
        var (lost, other) = (node.Join(1), node.Join(2));

        node.Media(new TransportClosed(node.Plan.Tracks[lost.Ssrc].Transport, TransportCloseReason.NotResumed));

        Assert.Equal(VoiceCloseCode.SessionNoLongerValid, lost.Closed);
        Assert.Null(other.Closed);
    }

    [Fact]
    public void A_lost_media_process_makes_those_join_again_whose_handshake_it_had_and_spares_the_rest()
    {
        var (talking, selecting) = (node.Join(1), node.JoinWithoutMedia(2));

        node.MediaLost();
        selecting.Select();
        node.Media(new MediaReady(2, 1));

        Assert.Equal(VoiceCloseCode.SessionNoLongerValid, talking.Closed);
        Assert.Null(selecting.Closed);
        Assert.Equal(selecting.Ssrc, Assert.Single(node.Plan.Tracks).Key);
        Assert.Contains(node.ToGateways.OfType<VoiceSessionChanged>(), change => change is { User: 1, State: VoiceSessionState.Ended });
    }
}
