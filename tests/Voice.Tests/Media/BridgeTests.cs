using Voice.Media;
using Voice.Protocol.DiscordUdp;
using Voice.Protocol.Links;
using Voice.Protocol.Rtp;
using Voice.Protocol.Srtp;
using Voice.Tests.Fakes;
using Xunit;

namespace Voice.Tests.Media;

/// <summary>Browsers and native clients in one channel.</summary>
public sealed class BridgeTests : IDisposable
{
    private static readonly TimeSpan Frame = TimeSpan.FromMilliseconds(20);

    private readonly VirtualSfu sfu = new();

    public static MatrixTheoryData<EncryptionMode, SrtpProfile> Pairs { get; } =
        new(Enum.GetValues<EncryptionMode>(), [SrtpProfile.AeadAes128Gcm, SrtpProfile.Aes128CmHmacSha1_80]);

    public void Dispose() => sfu.Dispose();

    [Theory]
    [MemberData(nameof(Pairs))]
    public void A_native_client_is_heard_by_a_browser_and_the_reverse(EncryptionMode mode, SrtpProfile profile)
    {
        var (native, browser) = (sfu.ConnectNative(mode), sfu.Connect(profile, payloadType: 109, levelExtension: 7));
        sfu.Subscribe(native, browser);
        sfu.Subscribe(browser, native);
        var payload = new byte[300];
        for (var i = 0; i < 50; i++)
        {
            sfu.Random.NextBytes(payload);
            native.Send(native.Rtp(payload, level: 0x80 | 33));
            var heard = Assert.Single(browser.TakeRtp());
            Assert.Equal(payload, heard.Payload);
            Assert.Equal((109, native.TrackSsrc), (heard.Packet.PayloadType, heard.Packet.Ssrc));
            Assert.Equal([(7, 0x80 | 33)], Extensions(heard));

            sfu.Random.NextBytes(payload);
            browser.Send(browser.Rtp(payload, level: 22));
            heard = Assert.Single(native.TakeRtp());
            Assert.Equal(payload, heard.Payload);
            Assert.Equal((120, browser.TrackSsrc), (heard.Packet.PayloadType, heard.Packet.Ssrc));
            Assert.Equal([(1, 22)], Extensions(heard));
            sfu.Advance(Frame);
        }
    }

    [Fact]
    public void Of_a_native_clients_extensions_only_the_audio_level_goes_on()
    {
        var (talker, native, browser) = (sfu.ConnectNative(), sfu.ConnectNative(), sfu.Connect());
        sfu.Subscribe(talker, native);
        sfu.Subscribe(talker, browser);
        byte[] header =
        [
            0x90, 120, (byte)(talker.NextIndex >> 8), (byte)talker.NextIndex, 0, 0, 0, 0, 0, 0, 0, (byte)talker.SenderSsrc,
            0xBE, 0xDE, 0, 1, 0x10, 0x85, 0x90, 0x02, // level; speaker flags
        ];

        talker.Send(talker.Protect(header, [9], talker.NextIndex));

        foreach (var listener in (VirtualPeer[])[native, browser]) Assert.Equal([(1, 0x85)], Extensions(Assert.Single(listener.TakeRtp())));
    }

    [Fact]
    public void Padding_and_probes_of_a_native_client_do_not_go_on_and_leave_no_gap()
    {
        var (talker, browser) = (sfu.ConnectNative(), sfu.Connect());
        sfu.Subscribe(talker, browser);
        byte[] padded = [0xA0, 120, (byte)(talker.NextIndex >> 8), (byte)talker.NextIndex, 0, 0, 0, 0, 0, 0, 0, (byte)talker.SenderSsrc];

        talker.Send(talker.Protect(padded, [1, 2, 3, 0, 0, 0, 4], talker.NextIndex++));
        talker.Send(talker.Rtp(new byte[100], payloadType: 96));
        padded[3]++;
        padded[3]++;
        talker.Send(talker.Protect(padded, [0, 0, 0, 4], talker.NextIndex++));
        talker.Send(talker.Rtp([4]));

        var heard = browser.TakeRtp();
        Assert.Equal([[1, 2, 3], [4]], heard.Select(packet => packet.Payload));
        Assert.Equal(1ul, heard[1].Index - heard[0].Index);
        Assert.False(heard[0].Packet.HasPadding);
        Assert.Equal((1, 1), (sfu.Drops(DropReason.UnknownPayloadType), sfu.Drops(DropReason.EmptyPayload)));
    }

    /// <summary>udp-media.md section 4: five frames of silence, then nothing; then the next sequence and the next timestamp.</summary>
    [Fact]
    public void A_native_talkers_pause_is_time_and_no_loss()
    {
        var (talker, browser) = (sfu.ConnectNative(), sfu.Connect());
        sfu.Subscribe(talker, browser);
        var started = sfu.Now;
        for (var spurt = 0; spurt < 5; spurt++)
        {
            for (var i = 0; i < 20; i++)
            {
                talker.Send(talker.Rtp());
                sfu.Advance(Frame);
            }
            sfu.Advance(TimeSpan.FromSeconds(1.234 * spurt));
        }

        var heard = browser.TakeRtp();
        Assert.Equal(Enumerable.Range(0, 100).Select(i => heard[0].Index + (ulong)i), heard.Select(packet => packet.Index));
        Assert.Equal([40, 60, 80], Enumerable.Range(0, 100).Where(i => heard[i].Packet.Marker));
        var (played, passed) = ((heard[80].Packet.Timestamp - heard[0].Packet.Timestamp) / 48.0, 80 * 20 + (1.234 + 2 * 1.234 + 3 * 1.234) * 1000);
        Assert.InRange(played, passed - 80, passed);
        // Nor does the talker's own report tell of loss or jitter.
        foreach (var compound in talker.TakeRtcp())
        {
            foreach (var report in new RtcpReader(compound))
            {
                for (var i = 0; report.TryGetReportBlock(i, out var block); i++) Assert.InRange((block.CumulativeLost, (int)block.Jitter), (0, 0), (0, 960));
            }
        }
    }

    [Theory]
    [InlineData(Gates.TalkerSelfMuted)]
    [InlineData(Gates.TalkerMuted)]
    public void A_muted_talker_ends_in_silence(Gates gate)
    {
        foreach (var talker in (VirtualPeer[])[sfu.ConnectNative(), sfu.Connect()])
        {
            foreach (var listener in (VirtualPeer[])[sfu.ConnectNative(), sfu.Connect()])
            {
                sfu.Subscribe(talker, listener);
                Say(talker, 3);
                sfu.Subscribe(talker, listener, gate);
                Say(talker, 20);
                sfu.Subscribe(talker, listener);
                Say(talker, 3);

                var heard = listener.TakeRtp();

                AssertRunsOn(heard, 11);
                Assert.Equal([3, 4, 5, 6, 7], Enumerable.Range(0, 11).Where(i => IsSilence(heard[i])));
                Assert.All(Enumerable.Range(0, 8), i => Assert.Equal(heard[0].Packet.Timestamp + (uint)i * 960, heard[i].Packet.Timestamp));
                Assert.Equal(heard[2].Packet.Timestamp + 21 * 960, heard[8].Packet.Timestamp); // the time that passed
            }
        }
    }

    [Fact]
    public void A_departed_talker_ends_in_silence_and_comes_back_after_it()
    {
        var (talker, listener) = (sfu.ConnectNative(), sfu.ConnectNative());
        MediaChange[][] departures =
        [
            [new DropSubscription(talker.TrackSsrc, listener.Id)], [new DropTrack(talker.TrackSsrc)], [new DropTransport(talker.Id)],
        ];
        ulong? last = null;
        foreach (var departure in departures)
        {
            sfu.Apply([talker.Put, talker.PutTrack]);
            sfu.Subscribe(talker, listener);
            Say(talker, 3);
            sfu.Apply(departure);

            var heard = listener.TakeRtp();

            AssertRunsOn(heard, 8);
            Assert.Equal(5, heard.Count(IsSilence));
            if (last is { } before) Assert.Equal(before + 1, heard[0].Index);
            last = heard[^1].Index;
        }
    }

    [Fact]
    public void A_snapshot_without_a_talker_ends_it_in_silence_too()
    {
        var (talker, listener) = (sfu.ConnectNative(), sfu.ConnectNative());
        sfu.Subscribe(talker, listener);
        Say(talker, 1);

        sfu.Replace([listener.Put]);

        Assert.Equal(5, listener.TakeRtp().Count(IsSilence));
    }

    [Fact]
    public void Nobody_is_silenced_for_a_listener_who_deafened_or_left_or_did_not_hear()
    {
        var talker = sfu.ConnectNative();
        var (deaf, left, forgotten, quiet, muted) =
            (sfu.ConnectNative(), sfu.ConnectNative(), sfu.ConnectNative(), sfu.ConnectNative(), sfu.ConnectNative());
        VirtualPeer[] listeners = [deaf, left, forgotten, quiet, muted];
        foreach (var listener in listeners) sfu.Subscribe(talker, listener, listener == muted ? Gates.TalkerMuted : Gates.None);
        Say(talker, 1);

        sfu.Subscribe(talker, deaf, Gates.ListenerSelfDeafened);
        sfu.Apply([new DropSubscription(talker.TrackSsrc, left.Id), new DropTrack(left.TrackSsrc), new DropTransport(left.Id)]);
        sfu.Subscribe(talker, deaf, Gates.ListenerSelfDeafened | Gates.TalkerMuted);
        sfu.Subscribe(talker, muted, Gates.TalkerMuted | Gates.TalkerSelfMuted);
        sfu.Replace(
        [
            talker.Put, deaf.Put, quiet.Put, muted.Put, talker.PutTrack,
            .. listeners.Where(listener => listener != forgotten && listener != left)
                .Select(listener => new PutSubscription(talker.TrackSsrc, listener.Id, talker.TrackSsrc, Gates.None)),
        ]);
        sfu.Advance(TimeSpan.FromMilliseconds(200));
        sfu.Subscribe(talker, quiet, Gates.TalkerMuted);

        Assert.Equal([1, 1, 1, 1, 0], listeners.Select(listener => listener.TakeRtp().Count));
    }

    [Fact]
    public void A_talker_unmuted_at_once_goes_on_after_the_silence()
    {
        var (talker, listener) = (sfu.ConnectNative(), sfu.Connect());
        sfu.Subscribe(talker, listener);
        Say(talker, 2);
        for (var i = 0; i < 3; i++)
        {
            sfu.Subscribe(talker, listener, Gates.TalkerMuted); // only once there is something to end
            sfu.Subscribe(talker, listener);
        }
        Say(talker, 2);

        var heard = listener.TakeRtp();

        AssertRunsOn(heard, 9);
        Assert.All(Enumerable.Range(0, 9), i => Assert.Equal(heard[0].Packet.Timestamp + (uint)i * 960, heard[i].Packet.Timestamp));
    }

    [Theory]
    [InlineData(EncryptionMode.AeadAes256GcmRtpSize)]
    [InlineData(EncryptionMode.AeadXChaCha20Poly1305RtpSize)]
    [InlineData(EncryptionMode.XSalsa20Poly1305Lite)]
    public void A_native_client_gets_reports_under_the_same_counter(EncryptionMode mode)
    {
        var (native, browser) = (sfu.ConnectNative(mode), sfu.Connect());
        sfu.Subscribe(native, browser);
        sfu.Subscribe(browser, native);
        for (var i = 0; i < 150; i++)
        {
            Say(native, 1);
            browser.Send(browser.Rtp());
        }

        Assert.Equal(150, native.TakeRtp().Count); // and no nonce twice, or its fake would have said so
        var types = new HashSet<RtcpType>();
        foreach (var compound in native.TakeRtcp())
        {
            foreach (var packet in new RtcpReader(compound)) types.Add(packet.Type);
        }
        Assert.Equal([RtcpType.SenderReport, RtcpType.ReceiverReport, RtcpType.SourceDescription], types.Order());
    }

    [Fact]
    public void A_native_clients_report_gives_the_browser_its_clock_through_pauses()
    {
        var (talker, browser) = (sfu.ConnectNative(), sfu.Connect());
        sfu.Subscribe(talker, browser);
        Say(talker, 5);
        sfu.Advance(TimeSpan.FromSeconds(10));
        talker.Send(talker.Rtp());
        var buffer = new byte[64];
        var writer = new RtcpWriter(buffer);
        writer.SenderReport(new(talker.SenderSsrc, 1, talker.NextTimestamp - 960, 6, 18), []);
        talker.Send(talker.Rtcp(buffer.AsSpan(0, writer.Length)));
        var at = sfu.Now;
        browser.TakeRtcp();
        sfu.Advance(TimeSpan.FromSeconds(1.3));

        var heard = browser.TakeRtp();
        var seen = 0;
        foreach (var compound in browser.TakeRtcp())
        {
            foreach (var packet in new RtcpReader(compound))
            {
                if (!packet.TryGetSenderReport(out var report)) continue;
                seen++;
                var elapsed = report.NtpTimestamp / 4294967296.0 - at.TotalSeconds;
                Assert.InRange(report.RtpTimestamp - heard[^1].Packet.Timestamp - elapsed * 48_000, -2, 2);
            }
        }
        Assert.NotEqual(0, seen);
    }

    private void Say(VirtualPeer talker, int packets)
    {
        for (var i = 0; i < packets; i++)
        {
            talker.Send(talker.Rtp([0xFC, 1, 2]));
            sfu.Advance(Frame);
        }
    }

    private static bool IsSilence(ReceivedPacket packet) => packet.Payload is [0xF8, 0xFF, 0xFE];

    private static void AssertRunsOn(List<ReceivedPacket> packets, int count) =>
        Assert.Equal(Enumerable.Range(0, count).Select(i => packets[0].Index + (ulong)i), packets.Select(packet => packet.Index));

    private static List<(int Id, int Value)> Extensions(ReceivedPacket packet)
    {
        var found = new List<(int, int)>();
        foreach (var element in new RtpExtensions(packet.Packet.ExtensionProfile, packet.Packet.Extensions)) found.Add((element.Id, element.Data[0]));
        return found;
    }
}
