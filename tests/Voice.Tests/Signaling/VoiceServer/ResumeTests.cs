using Voice.Protocol.Links;
using Voice.Protocol.Voice;
using Voice.Signaling.VoiceServer;
using Xunit;

namespace Voice.Tests.Signaling.VoiceServer;

public class ResumeTests
{
    private readonly TestNode node = new();

    [Fact]
    public void Messages_that_can_be_missed_are_numbered_from_one()
    {
        var client = node.Join(1);
        client.Beat();
        node.Join(2);
        client.Lose();
        node.Join(3);

        var numbered = client.Frames.Select(frame => (TestClient.Op(frame), frame.TryGetProperty("seq", out var seq) ? seq.GetInt32() : 0));
        Assert.Equal(
            [(VoiceOpcode.Hello, 0), (VoiceOpcode.Ready, 0), (VoiceOpcode.SessionDescription, 0), (VoiceOpcode.HeartbeatAck, 0), (VoiceOpcode.ClientsConnect, 1), (VoiceOpcode.ClientFlags, 0), (VoiceOpcode.ClientPlatform, 0), (VoiceOpcode.Speaking, 2)],
            numbered);
    }

    [Fact]
    public void A_lost_socket_changes_nothing_for_the_others_and_media_flows_on()
    {
        var (a, b) = (node.Join(1), node.Join(2));
        b.News();
        a.Lose();
        node.Pass(TimeSpan.FromSeconds(40));
        b.Beat();
        node.Pass(NodeCore.ResumeWindow - TimeSpan.FromSeconds(41));

        Assert.Equal(["HeartbeatAck"], b.News());
        Assert.Equal(2, node.Plan.Subscriptions.Count);
    }

    [Fact]
    public void A_resumed_client_gets_what_it_missed_in_order_with_its_numbers()
    {
        var (a, b) = (node.Join(1), node.Join(2));
        var had = a.LastSeq;
        a.Lose();
        b.Speak(1);
        b.Speak(0);
        var c = node.JoinWithoutMedia(3);

        var again = a.Resume(had);
        Assert.Equal(["Hello", "Resumed", "Speaking 2=1", "Speaking 2=0", "ClientsConnect 3"], again.News());
        Assert.Equal(had + 3, again.LastSeq);

        c.Lose(1000);
        Assert.Equal(["ClientDisconnect 3"], again.News());
        Assert.Equal(had + 4, again.LastSeq);
    }

    [Fact]
    public void The_gateway_knows_at_any_time_whether_the_session_has_a_socket_and_can_get_one_back()
    {
        var a = node.Join(1);
        a.Lose();
        var again = a.Resume(0);
        again.Lose();
        node.Pass(NodeCore.ResumeWindow);

        Assert.Equal(
            [VoiceSessionState.Connected, VoiceSessionState.Severed, VoiceSessionState.Connected, VoiceSessionState.Severed, VoiceSessionState.Ended],
            node.ToGateways.OfType<VoiceSessionChanged>().Select(change => change.State));
    }

    [Fact]
    public void A_client_that_has_nothing_yet_gets_everything()
    {
        var (a, b) = (node.Join(1), node.Join(2));
        a.Lose();
        b.Speak(1);

        Assert.Equal(["Hello", "Resumed", "ClientsConnect 2", "Speaking 2=0", "Speaking 2=1"], a.Resume(-1).News());
    }

    [Fact]
    public void What_a_heartbeat_confirmed_is_not_kept()
    {
        var (a, _) = (node.Join(1), node.Join(2));
        a.Beat(seqAck: a.LastSeq);
        a.Lose();

        Assert.Equal(["Hello", "Resumed"], a.Resume(a.LastSeq).News());
        Assert.Equal(VoiceCloseCode.SessionNoLongerValid, a.Resume(0).Closed);
    }

    [Fact]
    public void A_number_that_was_never_sent_is_refused()
    {
        var a = node.Join(1);
        a.Lose();

        Assert.Equal(VoiceCloseCode.SessionNoLongerValid, a.Resume(40_000).Closed);
    }

    [Fact]
    public void More_than_the_buffer_holds_cannot_be_resumed()
    {
        var a = node.Join(1);
        var had = a.LastSeq;
        a.Lose();
        for (var i = 0; i < ReplayBuffer.Capacity; i++) node.JoinWithoutMedia(2).Lose(1000);

        Assert.Equal(VoiceCloseCode.SessionNoLongerValid, a.Resume(had).Closed);
        Assert.Equal(0, node.Core.Sessions); // it is over, so that the gateway gives a new one
    }

    [Fact]
    public void A_room_that_fills_up_meanwhile_can_be_resumed()
    {
        const int People = 600;
        var a = node.Join(1);
        var had = a.LastSeq;
        a.Lose();
        for (var user = 2ul; user <= People; user++) node.Join(user);

        var again = a.Resume(had);
        Assert.Null(again.Closed);
        Assert.Equal(had + 2 * (People - 1), again.LastSeq);
    }

    [Fact]
    public void Older_versions_resume_without_replay()
    {
        var (a, b) = (node.Join(1), node.Join(2));
        a.Lose();
        b.Speak(1);

        Assert.Equal(["Hello", "Resumed"], a.Resume(null, version: 4).News());
    }

    [Fact]
    public void After_the_window_the_session_is_gone()
    {
        var (a, b) = (node.Join(1), node.Join(2));
        b.News();
        a.Lose();
        node.Pass(TimeSpan.FromSeconds(40));
        b.Beat();
        node.Pass(NodeCore.ResumeWindow - TimeSpan.FromSeconds(40));

        Assert.Equal(["HeartbeatAck", "ClientDisconnect 1"], b.News());
        Assert.Equal(VoiceCloseCode.SessionNoLongerValid, a.Resume(0).Closed);
    }

    [Fact]
    public void Leaving_while_severed_ends_the_session_once()
    {
        var (a, b) = (node.Join(1), node.Join(2));
        b.News();
        a.Lose();
        node.Remove(1);
        node.Pass(TimeSpan.FromMinutes(2));

        Assert.Equal(["ClientDisconnect 1"], b.News()[..1]);
        Assert.Null(a.Closed);
        Assert.Equal(0, node.Core.Sessions);
    }

    [Fact]
    public void Resuming_over_a_socket_that_still_seems_alive_takes_its_place()
    {
        var a = node.Join(1);
        var again = a.Resume(a.LastSeq);
        Assert.Equal(VoiceCloseCode.Disconnected, a.Closed);

        a.Lose(); // its loss, noticed late, is nothing to the session
        node.Join(2);
        Assert.Equal(["Hello", "Resumed", "ClientsConnect 2", "ClientFlags 2", "ClientPlatform 2", "Speaking 2=0"], again.News());
    }

    [Fact]
    public void A_session_is_resumed_by_the_token_that_opened_it_and_no_other()
    {
        var a = node.Join(1);
        a.Lose();

        Assert.Equal(VoiceCloseCode.AuthenticationFailed, a.Resume(0, token: "forged").Closed);
        Assert.Equal(VoiceCloseCode.AuthenticationFailed, a.Resume(0, token: node.Token(1)).Closed);
        Assert.Null(a.Resume(0).Closed);
        node.Drop();
        Assert.Equal(VoiceCloseCode.SessionNoLongerValid, a.Resume(0).Closed);
    }

    [Fact]
    public void Since_version_9_a_resume_names_the_channel()
    {
        var a = node.Join(1);
        a.Lose();

        Assert.Equal(VoiceCloseCode.SessionNoLongerValid, a.Resume(0, version: 9, channel: TestNode.Den).Closed);
        Assert.Null(a.Resume(0, version: 9, channel: TestNode.Lobby).Closed);
    }

    [Fact]
    public void Media_over_UDP_is_not_touched_by_a_lost_socket_nor_by_its_resume()
    {
        var (bot, listener) = (node.JoinWithoutMedia(1), node.Join(2));
        bot.SelectUdp();
        bot.Speak(1);
        listener.News();
        var commands = node.MediaCommands.Count;
        var had = bot.LastSeq;
        bot.Lose();
        listener.Speak(1);
        for (var second = 0; second < 55; second++)
        {
            listener.Beat();
            node.Pass(TimeSpan.FromSeconds(1));
        }

        var again = bot.Resume(had);
        again.Speak(1); // the library thinks that it must say so again
        Assert.Equal(["Hello", "Resumed", "Speaking 2=1"], again.News());
        Assert.Equal(commands, node.MediaCommands.Count);
        Assert.All(listener.News(), news => Assert.Equal("HeartbeatAck", news));
    }

    [Fact]
    public void A_session_outlives_its_token()
    {
        var a = node.Join(1);
        a.Lose();
        node.ExpireTokens();

        Assert.Null(a.Resume(0).Closed);
    }

    [Fact]
    public void Numbers_wrap_at_16_bits()
    {
        var buffer = new ReplayBuffer();
        for (var i = 1; i <= ushort.MaxValue; i++)
        {
            buffer.Add("{}"u8, people: 1);
            buffer.Confirm(i - 1);
        }

        Assert.EndsWith("\"seq\":0}", System.Text.Encoding.UTF8.GetString(buffer.Add("{}"u8, people: 1)));
        Assert.True(buffer.TryReplay(ushort.MaxValue, out var missed));
        Assert.Single(missed);
    }
}
