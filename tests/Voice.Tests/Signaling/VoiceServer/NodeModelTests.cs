using CsCheck;
using Voice.Protocol.Links;
using Voice.Protocol.Voice;
using Voice.Signaling.VoiceServer;
using Xunit;

namespace Voice.Tests.Signaling.VoiceServer;

/// <summary>Whatever clients, gateways and the media process do in whatever order: the core keeps its word.</summary>
public class NodeModelTests
{
    private enum Act
    {
        Push,
        Remove,
        Identify,
        IdentifyAgain,
        SelectUdp,
        SelectWebRtc,
        Speak,
        Beat,
        Say,
        Lose,
        Goodbye,
        Resume,
        Pass,
        MediaClosed,
        MediaLost,
        MediaReady,
        MediaWaits,
        MediaReplaced,
        Drop,
        OpenProbe,
        CloseProbe,
    }

    private static readonly string[] Sayings =
    [
        """{"op":1,"d":{"protocol":"udp","data":{"mode":"rot13"}}}""",
        """{"op":1,"d":{"protocol":"webrtc"}}""",
        """{"op":1,"d":{"protocol":"pigeon"}}""",
        """{"op":1,"d":{"protocol":"udp"}}""",
        """{"op":5,"d":{"speaking":7}}""",
        """{"op":12,"d":{"audio_ssrc":1}}""",
        """{"op":14,"d":{}}""",
        """{"op":16,"d":{}}""",
        """{"op":23,"d":{"transition_id":0}}""",
        """{"op":0,"d":{"server_id":"41","user_id":"1","session_id":"s","token":"token-0"}}""",
        """{"op":7,"d":{"server_id":"41","session_id":"session-1-100","token":"token-0","seq_ack":70000}}""",
        """{"op":99}""",
        "{",
    ];

    private static readonly Gen<(Act Act, int User, int Pick)[]> Acts = Gen
        .Select(
            Gen.Frequency((16, Gen.Enum<Act>().Where(act => act is not (Act.Drop or Act.MediaLost))), (1, Gen.Bool.Select(drop => drop ? Act.Drop : Act.MediaLost))),
            Gen.Int[1, 4],
            Gen.Int[0, 1000])
        .Array[1, 80];

    [Fact]
    public void Every_transport_has_a_session_and_whoever_shares_a_channel_hears_each_other() => Acts.Sample(acts =>
    {
        var world = new World();
        foreach (var (act, user, pick) in acts)
        {
            world.Do(act, (ulong)user, pick);
            world.Check();
        }

        world.LeaveAlone();
    }, iter: 500);

    private sealed class World
    {
        private readonly TestNode node = new();
        private readonly HashSet<ulong> members = [];

        /// <summary>By SSRC: the socket its session was last on.</summary>
        private readonly Dictionary<uint, (TestClient Client, ulong Channel)> sessions = [];

        private readonly HashSet<TestClient> lost = [];
        private readonly List<TestClient> clients = [];
        private readonly HashSet<string> keys = [];

        /// <summary>Ends of hidden channels by SSRC: a number of the channel.</summary>
        private readonly Dictionary<uint, ulong> probed = [];

        public void Do(Act act, ulong user, int pick)
        {
            var client = clients.Count == 0 ? null : clients[pick % clients.Count];
            var talks = client is not null && !lost.Contains(client);
            switch (act)
            {
                case Act.Push:
                    node.Push(TestNode.Member(user, Channel(pick)));
                    members.Add(user);
                    break;
                case Act.Remove when members.Remove(user): node.Remove(user); break;
                case Act.Identify when members.Contains(user): Entered(node.Connect(), client => client.Identify(user)); break;
                case Act.IdentifyAgain when talks && client!.User != 0: client.Identify(client.User, client.Token); break;
                case Act.SelectUdp when talks: client!.SelectUdp(); break;
                case Act.SelectWebRtc when talks: client!.Select(); break;
                case Act.Speak when talks: client!.Speak(pick % 8); break;
                case Act.Beat when talks: client!.Beat(pick % 10 - 1); break;
                case Act.Say when talks: client!.SendText(Sayings[pick % Sayings.Length]); break;
                case Act.Lose when talks: Lose(client!, null); break;
                case Act.Goodbye when talks: Lose(client!, 1000); break;
                case Act.Resume when client is { User: not 0 }: Entered(client.Resume(pick % 10 - 1), _ => { }, client); break;
                case Act.Pass: node.Pass(TimeSpan.FromSeconds(pick % 30)); break;
                case Act.MediaClosed: node.Media(new TransportClosed((uint)(pick % 20), (TransportCloseReason)(pick % 5))); break;
                case Act.MediaLost: node.MediaLost(); break;
                case Act.MediaReady: node.Media(new MediaReady(1, 1)); break;
                case Act.MediaWaits: node.MediaWaits(); break;
                case Act.MediaReplaced: node.MediaReplaced(); break;
                case Act.Drop: node.Drop(); break;
                case Act.OpenProbe: node.OpenProbe($"{pick % 3}"); break;
                case Act.CloseProbe: node.CloseProbe($"{pick % 3}"); break;
            }
        }

        public void Check()
        {
            if (!node.IsTold) return; // nobody is told anything then
            foreach (var opened in node.ToGateways.OfType<ProbeOpened>()) Probe(opened);
            var plan = node.Plan;
            Assert.Equal(plan.Transports.Keys.Order(), plan.Tracks.Values.Select(track => track.Transport).Order());
            foreach (var (ssrc, track) in plan.Tracks.Where(track => !probed.ContainsKey(track.Key)))
            {
                var (client, _) = sessions[ssrc];
                Assert.Null(client.Closed);
                Assert.Contains(client.User, members);
                Assert.Equal((plan.Transports[track.Transport].Path as UdpPath)?.Ssrc ?? 0, track.SenderSsrc);
                Assert.True(plan.Transports[track.Transport].Path is not UdpPath path || path.Ssrc == ssrc);
            }

            var expected =
                from talker in plan.Tracks.Values
                from listener in plan.Tracks.Values
                where talker != listener && ChannelOf(talker.Ssrc) == ChannelOf(listener.Ssrc)
                select (talker.Ssrc, listener.Transport);
            Assert.Equal(expected.Order(), plan.Subscriptions.Keys.Order());
            Assert.True(plan.Tracks.Keys.Count(ssrc => !probed.ContainsKey(ssrc)) <= node.Core.Sessions);
        }

        /// <summary>Nobody beats or resumes any more: nothing may remain.</summary>
        public void LeaveAlone()
        {
            node.Media(new MediaReady(1, 1));
            Check();
            node.Pass(NodeCore.HeartbeatTimeout);
            node.Pass(NodeCore.ResumeWindow);
            Assert.Equal(0, node.Core.Sessions);
            Assert.Empty(node.Plan.Transports);
            Assert.Empty(node.Plan.Subscriptions);
            var given = clients.SelectMany(client => client.Frames).Where(frame => TestClient.Op(frame) == VoiceOpcode.SessionDescription)
                .Select(frame => frame.GetProperty("d")).Where(d => d.TryGetProperty("secret_key", out _));
            Assert.All(given, d => Assert.True(keys.Add(d.GetProperty("secret_key").GetRawText())));
        }

        /// <summary>A hidden channel's own number, or a guild's channel.</summary>
        private ulong ChannelOf(uint ssrc) => probed.TryGetValue(ssrc, out var talker) ? talker : sessions[ssrc].Channel;

        private void Probe(ProbeOpened opened)
        {
            foreach (var (_, talker, listener) in opened.Workers) probed[talker.Ssrc] = probed[listener.Ssrc] = talker.Ssrc + 1_000_000;
        }

        private static ulong Channel(int pick) => pick % 2 == 0 ? TestNode.Lobby : TestNode.Den;

        /// <summary>The client has the session of its Identify, or of the one it resumes.</summary>
        private void Entered(TestClient client, Action<TestClient> enter, TestClient? before = null)
        {
            enter(client);
            clients.Add(client);
            if (client.Closed is not null) return;
            var ssrc = before is null ? client.Ssrc : sessions.First(session => session.Value.Client.Token == before.Token).Key;
            var channel = before is null ? node.Pushed(client.User).Channel : sessions[ssrc].Channel;
            sessions[ssrc] = (client, channel);
        }

        private void Lose(TestClient client, int? code)
        {
            lost.Add(client);
            client.Lose(code);
        }
    }
}
