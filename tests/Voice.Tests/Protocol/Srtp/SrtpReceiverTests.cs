using CsCheck;
using Voice.Protocol.Srtp;
using Xunit;

namespace Voice.Tests.Protocol.Srtp;

public class SrtpReceiverTests
{
    public static TheoryData<SrtpProfile> Profiles => [.. SrtpStreams.Profiles];

    [Fact]
    public void Every_packet_is_taken_once_through_loss_reordering_duplicates_and_wraps()
    {
        // Steps of up to 3,000 lost packets wrap the sequence every few dozen; each is delayed past up to 40 later ones.
        var delivery = Gen.Select(Gen.Frequency((8, Gen.Int[1, 3]), (2, Gen.Int[1, 3000])), Gen.Int[0, 40], Gen.Bool);
        Gen.Select(Gen.UShort[0, 0x7FFF], delivery.Array[50, 400]).Sample((start, deliveries) =>
        {
            using var sender = SrtpStreams.Context(SrtpProfile.AeadAes128Gcm);
            using var receiver = new SrtpReceiver(SrtpStreams.Context(SrtpProfile.AeadAes128Gcm));

            var arrivals = new List<(int Time, ulong Index)>();
            ulong sent = start;
            for (var i = 0; i < deliveries.Length; i++)
            {
                var (step, delay, again) = deliveries[i];
                arrivals.Add((i + (i == 0 ? 0 : delay), sent));
                if (again) arrivals.Add((i + delay + 3, sent));
                sent += (ulong)step;
            }

            var taken = new HashSet<ulong>();
            var plain = new byte[200];
            foreach (var (_, index) in arrivals.OrderBy(a => a.Time))
            {
                // The naive model knows the true index: no guessing.
                var expected = taken.Count > 0 && index + ReplayWindow.Size <= taken.Max() ? SrtpResult.TooOld
                    : taken.Contains(index) ? SrtpResult.Replayed
                    : SrtpResult.Ok;
                // Half a cycle of loss or reordering is beyond any estimate.
                if (taken.Count > 0 && Math.Abs((long)(index - taken.Max())) >= 0x8000) continue;

                var result = receiver.TryUnprotect(SrtpStreams.Packet(sender, ssrc: 9, index), plain, out _, out var guessed);
                Assert.Equal(expected, result);
                if (result != SrtpResult.Ok) continue;
                Assert.Equal(index, guessed);
                taken.Add(index);
            }
        }, iter: 100);
    }

    [Theory]
    [MemberData(nameof(Profiles))]
    public void A_packet_with_any_byte_changed_is_refused_and_changes_no_state(SrtpProfile profile)
    {
        using var sender = SrtpStreams.Context(profile);
        using var receiver = new SrtpReceiver(SrtpStreams.Context(profile));
        var plain = new byte[200];
        Assert.Equal(SrtpResult.Ok, receiver.TryUnprotect(SrtpStreams.Packet(sender, 7, 0x0_FFF0), plain, out _, out _));
        Assert.Equal(SrtpResult.Ok, receiver.TryUnprotectRtcp(SrtpStreams.Report(sender, 7, 1), plain, out _));
        var (rtp, rtcp) = (receiver.RtpStreams.ToArray(), receiver.RtcpStreams.ToArray());

        var packet = SrtpStreams.Packet(sender, 7, 0x1_0002);
        for (var i = 0; i < packet.Length * 8; i++)
        {
            packet[i / 8] ^= (byte)(1 << i % 8);
            Assert.NotEqual(SrtpResult.Ok, receiver.TryUnprotect(packet, plain, out _, out _));
            packet[i / 8] ^= (byte)(1 << i % 8);
        }

        var report = SrtpStreams.Report(sender, 7, 2);
        for (var i = 0; i < report.Length * 8; i++)
        {
            report[i / 8] ^= (byte)(1 << i % 8);
            Assert.NotEqual(SrtpResult.Ok, receiver.TryUnprotectRtcp(report, plain, out _));
            report[i / 8] ^= (byte)(1 << i % 8);
        }

        Assert.Equal(rtp, receiver.RtpStreams);
        Assert.Equal(rtcp, receiver.RtcpStreams);
        Assert.Equal(SrtpResult.Ok, receiver.TryUnprotect(packet, plain, out _, out _));
        Assert.Equal(SrtpResult.Ok, receiver.TryUnprotectRtcp(report, plain, out _));
    }

    [Fact]
    public void Failed_authentication_creates_no_stream()
    {
        using var stranger = new SrtpContext(SrtpProfile.AeadAes128Gcm, new byte[16], new byte[12]);
        using var receiver = new SrtpReceiver(SrtpStreams.Context(SrtpProfile.AeadAes128Gcm));
        for (uint ssrc = 0; ssrc < 100; ssrc++)
        {
            var result = receiver.TryUnprotect(SrtpStreams.Packet(stranger, ssrc, 1), new byte[200], out var length, out _);
            Assert.Equal((SrtpResult.AuthenticationFailed, 0), (result, length));
            Assert.Equal(SrtpResult.AuthenticationFailed, receiver.TryUnprotectRtcp(SrtpStreams.Report(stranger, ssrc, 1), new byte[200], out _));
        }
        Assert.True(receiver.RtpStreams.IsEmpty && receiver.RtcpStreams.IsEmpty);
    }

    [Fact]
    public void A_second_packet_under_a_used_index_authenticates_though_it_is_refused()
    {
        using var sender = SrtpStreams.Context(SrtpProfile.AeadAes128Gcm);
        using var receiver = new SrtpReceiver(SrtpStreams.Context(SrtpProfile.AeadAes128Gcm));
        var plain = new byte[200];
        ulong[] sent = [0x0_7000, 0x0_E000, 0x1_4000]; // and then a server that forgot the rollover begins anew
        foreach (var index in sent) Assert.Equal(SrtpResult.Ok, receiver.TryUnprotect(SrtpStreams.Packet(sender, 7, index), plain, out _, out _));
        foreach (var index in sent)
        {
            var again = SrtpStreams.Packet(sender, 7, index);
            Assert.NotEqual(SrtpResult.Ok, receiver.TryUnprotect(again, plain, out _, out _));
            Assert.True(receiver.TryAuthenticate(again, plain, out _, out var found));
            Assert.Equal(index, found);
            again[^1] ^= 1;
            Assert.False(receiver.TryAuthenticate(again, plain, out _, out _));
        }
    }

    [Fact]
    public void Streams_are_bounded_and_the_known_ones_go_on()
    {
        using var sender = SrtpStreams.Context(SrtpProfile.AeadAes128Gcm);
        using var receiver = new SrtpReceiver(SrtpStreams.Context(SrtpProfile.AeadAes128Gcm), maxStreams: 3);
        SrtpResult Receive(uint ssrc, ulong index) => receiver.TryUnprotect(SrtpStreams.Packet(sender, ssrc, index), new byte[200], out _, out _);

        for (uint ssrc = 0; ssrc < 3; ssrc++) Assert.Equal(SrtpResult.Ok, Receive(ssrc, 1));
        Assert.Equal(SrtpResult.TooManyStreams, Receive(3, 1));
        for (uint ssrc = 0; ssrc < 3; ssrc++) Assert.Equal(SrtpResult.Ok, Receive(ssrc, 2));
        Assert.Equal(3, receiver.RtpStreams.Length);

        for (uint ssrc = 0; ssrc < 4; ssrc++)
        {
            var result = receiver.TryUnprotectRtcp(SrtpStreams.Report(sender, ssrc, 1), new byte[200], out _);
            Assert.Equal(ssrc < 3 ? SrtpResult.Ok : SrtpResult.TooManyStreams, result);
        }
    }

    [Fact]
    public void A_restored_receiver_knows_the_rollover_and_refuses_what_was_taken()
    {
        using var sender = SrtpStreams.Context(SrtpProfile.Aes128CmHmacSha1_80);
        using var first = new SrtpReceiver(SrtpStreams.Context(SrtpProfile.Aes128CmHmacSha1_80));
        var plain = new byte[200];
        foreach (ulong index in (ulong[])[0xFFF0, 0x1_0010, 0x1_8000, 0x1_F000, 0x2_0001])
        {
            Assert.Equal(SrtpResult.Ok, first.TryUnprotect(SrtpStreams.Packet(sender, 7, index), plain, out _, out _));
        }
        Assert.Equal(SrtpResult.Ok, first.TryUnprotectRtcp(SrtpStreams.Report(sender, 7, 50), plain, out _));

        using var second = new SrtpReceiver(SrtpStreams.Context(SrtpProfile.Aes128CmHmacSha1_80));
        second.Restore(first.RtpStreams, first.RtcpStreams);
        Assert.Equal(SrtpResult.Replayed, second.TryUnprotect(SrtpStreams.Packet(sender, 7, 0x2_0001), plain, out _, out _));
        Assert.Equal(SrtpResult.Replayed, second.TryUnprotectRtcp(SrtpStreams.Report(sender, 7, 50), plain, out _));
        Assert.Equal(SrtpResult.Ok, second.TryUnprotect(SrtpStreams.Packet(sender, 7, 0x2_0002), plain, out _, out var guessed));
        Assert.Equal(0x2_0002UL, guessed);
        Assert.Equal(SrtpResult.Ok, second.TryUnprotectRtcp(SrtpStreams.Report(sender, 7, 51), plain, out _));
    }
}
