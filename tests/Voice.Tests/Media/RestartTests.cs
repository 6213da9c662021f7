using CsCheck;
using Voice.Media;
using Voice.Protocol.DiscordUdp;
using Voice.Protocol.Links;
using Voice.Protocol.Srtp;
using Voice.Tests.Fakes;
using Xunit;

namespace Voice.Tests.Media;

/// <summary>The process is killed in the middle of a conversation, and another goes on from the same memory. What a client may not see is checked by the
/// fakes themselves: no index and no nonce twice under a key, and everything authenticates.</summary>
public sealed class RestartTests
{
    private static readonly TimeSpan Frame = TimeSpan.FromMilliseconds(20);

    [Theory]
    [InlineData(SrtpProfile.AeadAes128Gcm)]
    [InlineData(SrtpProfile.Aes128CmHmacSha1_80)]
    public void Browsers_hear_each_other_on_with_a_small_loss_and_on_the_same_clock(SrtpProfile profile)
    {
        using var sfu = new VirtualSfu();
        var (talker, listener) = (sfu.Connect(profile), sfu.Connect(profile));
        sfu.Subscribe(talker, listener);
        var before = Say(sfu, talker, listener, 100);

        sfu.Crash();
        sfu.Advance(TimeSpan.FromMilliseconds(300));
        talker.NextTimestamp += 15 * 960; // it spoke on meanwhile
        talker.NextIndex += 15;
        var after = Say(sfu, talker, listener, 100);

        Assert.Equal((100, 100), (before.Count, after.Count));
        Assert.InRange(after[0].Index - before[^1].Index, 1u, EgressIndex.Block + 1);
        Assert.Equal(16u * 960, after[0].Packet.Timestamp - before[^1].Packet.Timestamp);
        Assert.Equal(TransportState.Connected, talker.Transport.State);
        Assert.Empty(sfu.Events.OfType<TransportClosed>());
    }

    [Theory]
    [InlineData(EncryptionMode.AeadAes256GcmRtpSize)]
    [InlineData(EncryptionMode.AeadXChaCha20Poly1305RtpSize)]
    [InlineData(EncryptionMode.XSalsa20Poly1305)]
    public void Native_clients_are_found_again_and_hear_on(EncryptionMode mode)
    {
        using var sfu = new VirtualSfu();
        var (talker, listener) = (sfu.ConnectNative(mode), sfu.ConnectNative(mode));
        sfu.Subscribe(talker, listener);
        var before = Say(sfu, talker, listener, 50);

        sfu.Crash();
        var after = Say(sfu, talker, listener, 50);

        Assert.Equal((50, 50), (before.Count, after.Count));
        Assert.Equal(960u, after[0].Packet.Timestamp - before[^1].Packet.Timestamp);
        Assert.True(listener.Transport.IsBound);
    }

    [Fact]
    public void A_pause_before_and_over_the_restart_takes_its_time_at_the_listeners()
    {
        using var sfu = new VirtualSfu();
        var (talker, listener) = (sfu.ConnectNative(), sfu.Connect());
        sfu.Subscribe(talker, listener);
        Say(sfu, talker, listener, 10);
        sfu.Advance(TimeSpan.FromSeconds(3));
        var before = Say(sfu, talker, listener, 10);

        sfu.Advance(TimeSpan.FromSeconds(1));
        sfu.Crash();
        sfu.Advance(TimeSpan.FromSeconds(1));
        var after = Say(sfu, talker, listener, 10);

        // Its own timestamps stood still; the listener's do not.
        var passed = TimeSpan.FromSeconds((after[0].Packet.Timestamp - before[^1].Packet.Timestamp) / 48_000.0);
        Assert.InRange(passed, TimeSpan.FromSeconds(2) - Frame, TimeSpan.FromSeconds(2) + Frame);
    }

    [Fact]
    public void A_planned_restart_leaves_not_even_a_gap()
    {
        using var sfu = new VirtualSfu();
        var (talker, listener) = (sfu.Connect(), sfu.Connect());
        sfu.Subscribe(talker, listener);
        var before = Say(sfu, talker, listener, 100);

        sfu.Reload();
        var after = Say(sfu, talker, listener, 1);

        Assert.Equal(before[^1].Index + 1, after[0].Index);
    }

    [Fact]
    public void A_process_that_retired_is_named_until_the_next_one_begins()
    {
        using var sfu = new VirtualSfu();
        sfu.Connect();
        Assert.Equal(0, sfu.Worker.Checkpoints.RetiredBy);

        sfu.Worker.Retire();
        sfu.Restart();
        Assert.Equal(Environment.ProcessId, sfu.Worker.Checkpoints.RetiredBy);
        sfu.Connect();

        Assert.Equal(0, sfu.Worker.Checkpoints.RetiredBy);
    }

    /// <summary>Who came after the draft was told would be given nonces again that it has seen, had its state been forgotten for a moment.</summary>
    [Fact]
    public void Who_comes_and_goes_after_the_draft_is_there_or_gone_after_the_restart()
    {
        using var sfu = new VirtualSfu();
        var (talker, listener, gone) = (sfu.ConnectNative(), sfu.ConnectNative(), sfu.ConnectNative());
        sfu.Subscribe(talker, listener);
        sfu.Draft();
        var late = sfu.ConnectNative();
        sfu.Subscribe(talker, late);
        sfu.Subscribe(late, listener);
        sfu.Leave(gone);
        var before = Say(sfu, talker, late, 100);

        sfu.Reload();
        var after = Say(sfu, talker, late, 100);

        Assert.Equal(before[^1].Index + 1, after[0].Index);
        Assert.Equal(200, listener.TakeRtp().Count);
        Assert.Equal(50, Say(sfu, late, listener, 50).Count);
        Assert.Equal([gone.Id], sfu.Events.OfType<TransportClosed>().Select(closed => closed.Id)); // the draft has it, and nothing left to go on with
        Assert.DoesNotContain(gone.Id, sfu.Worker.Transports.Keys);
        Assert.Empty(sfu.Log);
    }

    [Fact]
    public void What_was_taken_before_is_not_taken_again()
    {
        using var sfu = new VirtualSfu();
        var (browser, native, listener) = (sfu.Connect(), sfu.ConnectNative(), sfu.Connect());
        sfu.Subscribe(browser, listener);
        sfu.Subscribe(native, listener);
        byte[][] recorded = [browser.Rtp(), browser.Rtp(), native.Rtp(), native.Rtp()];
        Deliver(recorded);
        Assert.Equal(4, listener.TakeRtp().Count);

        sfu.Crash();
        Deliver(recorded);

        Assert.Empty(listener.TakeRtp());
        Assert.Equal((2, 2), (sfu.Drops(DropReason.SrtpReplayed), sfu.Drops(DropReason.UdpReplayed)));

        void Deliver(byte[][] datagrams)
        {
            foreach (var datagram in datagrams[..2]) browser.Send(datagram);
            foreach (var datagram in datagrams[2..]) native.Send(datagram);
        }
    }

    [Fact]
    public void Rollovers_are_remembered_also_of_whom_nobody_heard()
    {
        using var sfu = new VirtualSfu();
        var (talker, listener) = (sfu.Connect(), sfu.Connect());
        talker.NextIndex = (1 << 16) - 3;
        sfu.Apply([new DropTrack(talker.TrackSsrc)]);
        for (var i = 0; i < 10; i++) talker.Send(talker.Rtp());

        sfu.Crash();
        sfu.Apply([talker.PutTrack]);
        sfu.Subscribe(talker, listener);

        Assert.Equal(5, Say(sfu, talker, listener, 5).Count);
    }

    [Fact]
    public void Recorded_reports_are_refused_and_new_ones_heard()
    {
        using var sfu = new VirtualSfu();
        var client = sfu.Connect();
        var report = client.Rtcp([0x80, 201, 0, 1, 0, 0, 0, 9]);
        client.Send(report);

        sfu.Crash();
        client.Send(report);
        client.Send(client.Rtcp([0x80, 201, 0, 1, 0, 0, 0, 9]));

        Assert.Equal(1, sfu.Drops(DropReason.SrtcpReplayed));
        Assert.Equal(1, sfu.Workers[0].Counters.TotalDrops);
    }

    [Fact]
    public void Whose_state_is_gone_must_come_with_other_keys()
    {
        using var sfu = new VirtualSfu();
        var client = sfu.Connect();
        sfu.Apply([new DropTransport(client.Id)]);
        var asServed = client.Put with { Resumed = client.Learned };

        sfu.Apply([asServed, client.PutTrack]);

        Assert.Equal(TransportCloseReason.NotResumed, sfu.Events.OfType<TransportClosed>().Single().Reason);
        Assert.Equal(TransportState.Closed, client.Transport.State);
        Assert.Empty(sfu.Log);
    }

    [Fact]
    public void A_browser_that_had_no_keys_yet_begins_anew()
    {
        using var sfu = new VirtualSfu();
        var client = sfu.Add();
        client.Send(client.Check());

        sfu.Crash();
        Assert.Equal(TransportState.New, client.Transport.State);
        client.Send(client.Check());

        Assert.Equal(TransportState.Reachable, client.Transport.State);
    }

    [Fact]
    public void A_browser_that_moved_is_sent_to_where_it_went()
    {
        using var sfu = new VirtualSfu();
        var (talker, listener) = (sfu.Connect(), sfu.Connect());
        sfu.Subscribe(talker, listener);
        listener.MoveTo("192.0.2.200", 50000);
        listener.Send(listener.Check());

        sfu.Crash();

        Assert.Single(Say(sfu, talker, listener, 1));
    }

    [Fact]
    public void Consent_lasts_until_it_would_have_been_renewed()
    {
        using var sfu = new VirtualSfu();
        var client = sfu.Connect();
        sfu.Crash();
        sfu.Advance(TimeSpan.FromSeconds(29));
        Assert.Equal(TransportState.Connected, client.Transport.State);

        sfu.Advance(TimeSpan.FromSeconds(2));

        Assert.Equal(TransportState.Closed, client.Transport.State);
    }

    [Fact]
    public void Of_a_handshake_that_another_process_had_nothing_is_taken_for_the_beginning_of_one()
    {
        using var sfu = new VirtualSfu();
        var client = sfu.Connect();
        sfu.Crash();

        client.Send([22, 254, 253, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0]);

        Assert.Equal(1, sfu.Drops(DropReason.DtlsUnexpected));
    }

    [Fact]
    public void Talkers_and_listeners_on_two_workers_go_on_through_their_rings()
    {
        using var sfu = new VirtualSfu(workers: 2);
        var (talker, near, far) = (sfu.Connect(), sfu.Connect(), sfu.ConnectNative(worker: 1));
        sfu.Subscribe(talker, near);
        sfu.Subscribe(talker, far);
        sfu.Subscribe(far, talker);
        var before = Say(sfu, talker, far, 40);
        Say(sfu, far, talker, 40);

        sfu.Crash();

        var after = Say(sfu, talker, far, 40);
        Assert.Equal(40, after.Count);
        Assert.Equal(960u, after[0].Packet.Timestamp - before[^1].Packet.Timestamp);
        Assert.Equal(40, Say(sfu, far, talker, 40).Count);
        Assert.Equal(80, near.TakeRtp().Count);
    }

    [Fact]
    public void Of_a_group_no_more_are_heard_than_before()
    {
        using var sfu = new VirtualSfu();
        sfu.Apply([new PutGroup(7, 1)]);
        var (loud, quiet, listener) = (sfu.Connect(group: 7), sfu.Connect(group: 7), sfu.Connect());
        sfu.Subscribe(loud, listener);
        sfu.Subscribe(quiet, listener);
        Talk();

        sfu.Crash();
        Talk();
        listener.TakeRtp();
        Talk();

        Assert.All(listener.TakeRtp(), packet => Assert.Equal(loud.TrackSsrc, packet.Packet.Ssrc));

        void Talk()
        {
            for (var i = 0; i < 20; i++)
            {
                loud.Send(loud.Rtp(level: 10));
                quiet.Send(quiet.Rtp(level: 60));
                sfu.Advance(Frame);
            }
        }
    }

    [Fact]
    public void A_subscription_that_was_dropped_while_no_process_ran_keeps_its_numbers_for_later()
    {
        using var sfu = new VirtualSfu();
        var (talker, listener) = (sfu.Connect(), sfu.Connect());
        sfu.Subscribe(talker, listener);
        Say(sfu, talker, listener, 3);

        sfu.Untell(new DropSubscription(talker.TrackSsrc, listener.Id));
        sfu.Crash();
        sfu.Advance(TimeSpan.FromSeconds(1));
        sfu.Subscribe(talker, listener);

        Assert.Equal(5, Say(sfu, talker, listener, 5).Count);
    }

    [Fact]
    public void Nothing_of_the_past_stays_in_the_memory()
    {
        using var sfu = new VirtualSfu();
        for (var round = 0; round < 3000; round++)
        {
            var (talker, listener) = (sfu.Connect(), sfu.ConnectNative());
            sfu.Subscribe(talker, listener);
            Say(sfu, talker, listener, 1);
            if (round % 500 == 0) sfu.Crash();
            sfu.Leave(talker);
            sfu.Leave(listener);
        }
        Assert.Empty(sfu.Log); // none was refused for want of memory: 256 KB are 4,000 places
    }

    private enum Step
    {
        Packet,
        Lost,
        Late,
        Mute,
        Resubscribe,
        Pass,
        Crash,
        Draft,
        Reload,
        CrashTwice,
    }

    private static readonly Gen<(Step Step, int Who, int By)[]> Histories = Gen.Select(
        Gen.Frequency(
            (60, Gen.Const(Step.Packet)), (5, Gen.Const(Step.Lost)), (8, Gen.Const(Step.Late)), (2, Gen.Const(Step.Mute)), (2, Gen.Const(Step.Resubscribe)),
            (10, Gen.Const(Step.Pass)), (3, Gen.Const(Step.Crash)), (3, Gen.Const(Step.Draft)), (3, Gen.Const(Step.Reload)), (1, Gen.Const(Step.CrashTwice))),
        Gen.Int[0, 3], Gen.Int[1, 100]).Array[0, 250];

    /// <summary>The fakes throw when a nonce comes twice or a packet does not authenticate, which it would not with another index than the client
    /// thinks.</summary>
    [Fact]
    public void No_nonce_comes_twice_whatever_happens() => Gen.Select(Histories, Gen.Int[0, 3]).Sample((history, wrap) =>
    {
        using var sfu = new VirtualSfu(workers: 2);
        VirtualPeer[] peers = [sfu.Connect(), sfu.ConnectNative(worker: 1), sfu.Connect(SrtpProfile.Aes128CmHmacSha1_80, worker: 1), sfu.ConnectNative()];
        for (var i = 0; i < peers.Length; i++) peers[i].NextIndex = (ulong)(65_500 + 10 * (wrap + i));
        foreach (var talker in peers)
        {
            talker.Send(talker.Rtp());
            foreach (var listener in peers.Where(other => other != talker)) sfu.Subscribe(talker, listener);
        }
        var late = new Queue<(VirtualPeer From, byte[] Datagram)>();
        foreach (var (step, who, by) in history)
        {
            var peer = peers[who];
            var other = peers[(who + 1 + by % 3) % 4];
            switch (step)
            {
                case Step.Packet:
                    for (var i = 0; i < by; i++) peer.Send(peer.Rtp());
                    break;
                case Step.Lost:
                    peer.NextIndex += (ulong)by;
                    break;
                case Step.Late:
                    late.Enqueue((peer, peer.Rtp()));
                    if (late.Count > 3) Deliver(late.Dequeue());
                    break;
                case Step.Mute:
                    sfu.Apply([new PutSubscription(peer.TrackSsrc, other.Id, peer.TrackSsrc, by % 2 == 0 ? Gates.TalkerMuted : Gates.None)]);
                    break;
                case Step.Resubscribe:
                    sfu.Apply([new DropSubscription(peer.TrackSsrc, other.Id)]);
                    sfu.Subscribe(peer, other);
                    break;
                case Step.Pass:
                    sfu.Advance(TimeSpan.FromMilliseconds(20 * by));
                    break;
                case Step.Crash:
                    sfu.Crash();
                    break;
                case Step.Draft:
                    sfu.Draft();
                    break;
                case Step.Reload:
                    sfu.Reload();
                    break;
                case Step.CrashTwice:
                    sfu.Crash();
                    sfu.Crash();
                    break;
            }
            foreach (var listener in peers)
            {
                listener.TakeRtp();
                listener.TakeRtcp();
            }
        }
        Assert.Empty(sfu.Log);

        static void Deliver((VirtualPeer From, byte[] Datagram) late) => late.From.Send(late.Datagram);
    }, iter: 300);

    /// <summary>As many frames of the talker's, 20 ms apart, as the listener has them.</summary>
    private static List<ReceivedPacket> Say(VirtualSfu sfu, VirtualPeer talker, VirtualPeer listener, int frames)
    {
        for (var i = 0; i < frames; i++)
        {
            sfu.Advance(Frame);
            talker.Send(talker.Rtp());
        }
        return listener.TakeRtp();
    }
}
