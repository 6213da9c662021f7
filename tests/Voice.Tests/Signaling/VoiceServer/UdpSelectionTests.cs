using System.Text.Json;
using Voice.Protocol.DiscordUdp;
using Voice.Protocol.Links;
using Voice.Protocol.Voice;
using Xunit;

namespace Voice.Tests.Signaling.VoiceServer;

public class UdpSelectionTests
{
    private readonly TestNode node = new();

    [Fact]
    public void Ready_lists_the_modes_best_first_and_the_old_ones_only_where_asked_for()
    {
        Assert.Equal(["aead_aes256_gcm_rtpsize", "aead_xchacha20_poly1305_rtpsize"], Modes(node));
        Assert.Equal(
            ["aead_aes256_gcm_rtpsize", "aead_xchacha20_poly1305_rtpsize", "xsalsa20_poly1305_lite", "xsalsa20_poly1305_suffix", "xsalsa20_poly1305"],
            Modes(new TestNode(modes: EncryptionModes.WithLegacy)));

        static IEnumerable<string?> Modes(TestNode node) =>
            node.JoinWithoutMedia(1).Frames.Last().GetProperty("d").GetProperty("modes").EnumerateArray().Select(mode => mode.GetString());
    }

    [Theory]
    [InlineData("aead_aes256_gcm_rtpsize", EncryptionMode.AeadAes256GcmRtpSize)]
    [InlineData("aead_xchacha20_poly1305_rtpsize", EncryptionMode.AeadXChaCha20Poly1305RtpSize)]
    public void The_client_and_the_media_process_are_given_the_same_key(string name, EncryptionMode mode)
    {
        var client = node.JoinWithoutMedia(1);
        client.SelectUdp(name);

        var d = client.Frames.Last().GetProperty("d");
        var key = d.GetProperty("secret_key").EnumerateArray().Select(octet => octet.GetByte()).ToArray();
        var transport = Assert.Single(node.Plan.Transports.Values);
        var path = Assert.IsType<UdpPath>(transport.Path);
        Assert.Equal(32, key.Length);
        Assert.Equal(key, path.SecretKey);
        Assert.Equal((mode, client.Ssrc), (path.Mode, path.Ssrc));
        Assert.Equal(((byte)120, (byte)1), (transport.OpusPayloadType, transport.AudioLevelExtension));
        Assert.Equal(client.Ssrc, Assert.Single(node.Plan.Tracks.Values).SenderSsrc);
        Assert.Matches("^[0-9a-f]{32}$", d.GetProperty("media_session_id").GetString());
        Assert.Equal(
            ["mode", "secret_key", "media_session_id", "audio_codec", "video_codec", "dave_protocol_version"],
            d.EnumerateObject().Select(field => field.Name));
        Assert.Equal((name, "opus", 0), (d.GetProperty("mode").GetString(), d.GetProperty("audio_codec").GetString(), d.GetProperty("dave_protocol_version").GetInt32()));
    }

    [Fact]
    public void Every_selection_has_a_key_of_its_own_and_replaces_the_transport()
    {
        var keys = new HashSet<string>();
        var (a, b) = (node.JoinWithoutMedia(1), node.JoinWithoutMedia(2));
        foreach (var client in new[] { a, b, a, b })
        {
            client.SelectUdp();
            Assert.True(keys.Add(client.Frames.Last(IsDescription).GetProperty("d").GetProperty("secret_key").GetRawText()));
        }

        Assert.Equal(2, node.Plan.Transports.Count);
        Assert.Equal(2, node.Plan.Subscriptions.Count);

        static bool IsDescription(JsonElement frame) => TestClient.Op(frame) == VoiceOpcode.SessionDescription;
    }

    [Theory]
    [InlineData("203.0.113.7", "203.0.113.7", 50_004, "00000000000000000000FFFFCB007107C354")]
    [InlineData("::ffff:203.0.113.7", "203.0.113.7", 50_004, "00000000000000000000FFFFCB007107C354")] // as a dual-stack listener sees it
    [InlineData("2001:db8::7", "2001:db8::7", 1, "20010DB80000000000000000000000070001")]
    [InlineData("203.0.113.8", "203.0.113.7", 50_004, "")] // another's address is no place to send media to
    [InlineData(null, "203.0.113.7", 50_004, "")]
    [InlineData("203.0.113.7", null, 50_004, "")]
    [InlineData("203.0.113.7", "somewhere", 50_004, "")]
    [InlineData("203.0.113.7", "203.0.113.7", 0, "")]
    [InlineData("203.0.113.7", "203.0.113.7", 65_536, "")]
    [InlineData("203.0.113.7", "203.0.113.7", -1, "")]
    public void Media_is_expected_only_where_the_WebSocket_comes_from(string? socket, string? said, int port, string expected)
    {
        node.Push(TestNode.Member(1));
        var client = node.Connect(from: socket);
        client.Identify(1);
        client.SelectUdp(address: said, port: port);

        Assert.Null(client.Closed);
        Assert.Equal(expected, Convert.ToHexString(((UdpPath)node.Plan.Transports.Values.Single().Path).Expected));
    }

    /// <summary>Everybody's WebSocket comes from there if a proxy on the node's machine hands it on.</summary>
    [Theory]
    [InlineData("192.0.2.7", "127.0.0.1", false)]
    [InlineData("192.0.2.7", "127.8.8.8", false)]
    [InlineData("192.0.2.7", "::ffff:127.0.0.1", false)]
    [InlineData("192.0.2.7", "::1", false)]
    [InlineData("127.0.0.1", "127.0.0.1", true)]
    public void A_loopback_address_is_believed_only_where_clients_are_told_one(string announced, string from, bool believed)
    {
        var local = new TestNode(announced: announced);
        local.Push(TestNode.Member(1));
        var client = local.Connect(from: from);
        client.Identify(1);
        client.SelectUdp(address: from, port: 22);

        Assert.Null(client.Closed);
        Assert.Equal(believed, ((UdpPath)local.Plan.Transports.Values.Single().Path).Expected.Length > 0);
    }

    [Fact]
    public void The_codec_list_gives_the_payload_type()
    {
        var client = node.JoinWithoutMedia(1);
        client.Send(VoiceOpcode.SelectProtocol, new
        {
            protocol = "udp",
            data = new { address = "203.0.113.7", port = 1, mode = "aead_aes256_gcm_rtpsize" },
            codecs = new object[] { new { name = "H264", type = "video", payload_type = 101 }, new { name = "opus", type = "audio", payload_type = 109 } },
        });

        Assert.Equal(109, Assert.Single(node.Plan.Transports.Values).OpusPayloadType);
    }

    [Fact]
    public void A_native_client_and_a_browser_are_in_one_channel()
    {
        var (browser, bot) = (node.Join(1), node.JoinWithoutMedia(2));
        browser.News();
        bot.News();
        bot.SelectUdp();
        bot.Speak(1);

        Assert.Equal(["SessionDescription", "Speaking 1=0"], bot.News());
        Assert.Equal(["Speaking 2=0", "Speaking 2=1"], browser.News());
        Assert.Equal(2, node.Plan.Subscriptions.Count);
        Assert.Equal(0u, node.Plan.Tracks[browser.Ssrc].SenderSsrc);
        Assert.Equal(bot.Ssrc, node.Plan.Tracks[bot.Ssrc].SenderSsrc);
    }

    [Fact]
    public void A_media_process_that_comes_anew_is_told_the_key_that_the_client_has()
    {
        var unready = new TestNode(mediaReady: false);
        var client = unready.JoinWithoutMedia(1);
        client.SelectUdp();
        unready.Media(new MediaReady(1, 1));

        var key = client.Frames.Last().GetProperty("d").GetProperty("secret_key").EnumerateArray().Select(octet => octet.GetByte());
        Assert.Equal(key, ((UdpPath)unready.Plan.Transports.Values.Single().Path).SecretKey);
    }

    [Fact]
    public void A_client_gets_its_key_and_others_its_ssrc_when_its_packets_can_be_taken_and_not_before()
    {
        var (listener, talker) = (node.Join(1), node.JoinWithoutMedia(2));
        node.MediaAnswers = false;
        listener.News();
        talker.News();
        talker.SelectUdp();
        Assert.Empty(talker.News());
        Assert.Empty(listener.News());

        var id = node.Plan.Transports.Values.Single(transport => transport.Path is UdpPath).Id;
        node.Media(new TransportReady(id));
        Assert.Equal(["SessionDescription", "Speaking 1=0"], talker.News());
        Assert.Equal(["Speaking 2=0"], listener.News());
        node.Media(new TransportReady(id)); // of a media process that came anew
        Assert.Empty(talker.News());
    }

    [Theory]
    [InlineData("the session ends")]
    [InlineData("a browser takes its place")]
    public void A_transport_that_is_gone_before_its_packets_could_be_taken_is_never_described(string what)
    {
        var client = node.JoinWithoutMedia(1);
        node.MediaAnswers = false;
        client.SelectUdp();
        var id = node.Plan.Transports.Values.Single().Id;
        switch (what)
        {
            case "the session ends": node.Remove(1); break;
            default: client.Select(); break;
        }

        node.Media(new TransportReady(id));

        Assert.DoesNotContain(client.Frames, frame => frame.GetProperty("d").ValueKind == JsonValueKind.Object && frame.GetProperty("d").TryGetProperty("secret_key", out _));
    }

    [Fact]
    public void A_media_process_that_died_before_it_could_take_a_clients_packets_leaves_that_to_the_next_one()
    {
        var client = node.JoinWithoutMedia(1);
        node.MediaAnswers = false;
        client.SelectUdp();
        client.News();
        node.MediaLost();
        node.Media(new MediaReady(2, 1));
        Assert.Empty(client.News());

        node.Media(new TransportReady(node.Plan.Transports.Values.Single().Id));

        Assert.Equal(["SessionDescription"], client.News());
    }

    [Fact]
    public void Of_two_selections_in_a_row_only_the_last_is_described()
    {
        var client = node.JoinWithoutMedia(1);
        node.MediaAnswers = false;
        client.News();
        client.SelectUdp();
        var first = node.Plan.Transports.Values.Single().Id;
        client.SelectUdp("aead_xchacha20_poly1305_rtpsize");
        node.Media(new TransportReady(first));
        Assert.Empty(client.News());
        node.Media(new TransportReady(node.Plan.Transports.Values.Single().Id));
        Assert.Equal("aead_xchacha20_poly1305_rtpsize", client.Frames.Last().GetProperty("d").GetProperty("mode").GetString());
    }
}
