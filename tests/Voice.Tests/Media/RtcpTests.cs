using Voice.Media;
using Voice.Media.Rtcp;
using Voice.Protocol.Rtp;
using Voice.Tests.Fakes;
using Xunit;

namespace Voice.Tests.Media;

public sealed class RtcpTests : IDisposable
{
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Frame = TimeSpan.FromMilliseconds(20);

    private readonly VirtualSfu sfu = new();
    private readonly VirtualClient talker;
    private readonly VirtualClient listener;

    public RtcpTests()
    {
        (talker, listener) = (sfu.Connect(), sfu.Connect());
        sfu.Subscribe(talker, listener);
    }

    public void Dispose() => sfu.Dispose();

    [Fact]
    public void A_talker_is_told_about_its_stream()
    {
        for (var i = 0; i < 100; i++)
        {
            var packet = talker.Rtp();
            if (i % 4 != 3) talker.Send(packet);
            sfu.Advance(Frame);
        }
        sfu.Advance(2 * Second);

        var blocks = Blocks(talker);

        Assert.All(blocks, block => Assert.Equal(talker.SenderSsrc, block.Ssrc));
        Assert.Equal(24, blocks[^1].CumulativeLost); // the last loss is not known yet
        Assert.InRange(blocks[0].FractionLost, 50, 70);
        Assert.Equal(1098u, blocks[^1].HighestSequence);
        Assert.InRange(blocks[^1].Jitter, 0u, 10u);
        Assert.Equal(0u, blocks[^1].LastSenderReport);
    }

    [Fact]
    public void A_talker_can_tell_its_round_trip_time()
    {
        talker.Send(talker.Rtp());
        talker.Send(talker.Rtcp(SenderReportOf(talker, ntp: 0x1111_2222_3333_4444, timestamp: 5000)));
        sfu.Advance(2 * Second);

        var block = Blocks(talker)[^1];

        Assert.Equal(0x2222_3333u, block.LastSenderReport);
        Assert.InRange(block.DelaySinceLastSenderReport, 65_536u / 2, 2u * 65_536);
    }

    [Fact]
    public void A_listener_gets_the_talkers_clock_in_its_own_streams_count()
    {
        talker.Send(talker.Rtp());
        talker.Send(talker.Rtcp(SenderReportOf(talker, ntp: 1, timestamp: 48_000)));
        var reportedAt = sfu.Now;
        sfu.Advance(2 * Second);

        var reports = Reports(listener);

        Assert.NotEmpty(reports);
        Assert.All(reports, report =>
        {
            Assert.Equal((talker.TrackSsrc, 1u, 3u), (report.Ssrc, report.PacketCount, report.OctetCount));
            // The report's NTP time is our clock; its RTP time moves along with it at 48 kHz from the talker's own report.
            var elapsed = (report.NtpTimestamp - NtpTime.At(reportedAt)) / 4294967296.0;
            Assert.InRange(report.RtpTimestamp - 48_000.0, elapsed * 48_000 - 2, elapsed * 48_000 + 2);
        });
    }

    [Fact]
    public void A_stream_that_fell_silent_is_reported_until_the_report_after_next_and_again_when_it_is_heard()
    {
        talker.Send(talker.Rtp());
        sfu.Advance(2 * Reporter.LongestInterval);
        Assert.InRange(Reports(listener).Count, 1, 3);

        sfu.Advance(10 * Second);
        Assert.Empty(Reports(listener));

        talker.Send(talker.Rtp());
        sfu.Advance(Reporter.LongestInterval + Worker.TickInterval);
        Assert.NotEmpty(Reports(listener));
    }

    [Fact]
    public void Every_compound_names_its_sources()
    {
        talker.Send(talker.Rtp());
        sfu.Advance(2 * Second);

        foreach (var client in (VirtualClient[])[talker, listener])
        {
            foreach (var compound in client.TakeRtcp())
            {
                var types = new List<RtcpType>();
                foreach (var packet in new RtcpReader(compound)) types.Add(packet.Type);
                Assert.Equal(RtcpType.SourceDescription, types[^1]);
                Assert.True(types[0] is RtcpType.SenderReport or RtcpType.ReceiverReport);
            }
        }
    }

    [Fact]
    public void The_round_trip_to_a_listener_comes_from_its_reports()
    {
        talker.Send(talker.Rtp());
        sfu.Advance(2 * Second);
        var sent = Reports(listener)[^1];
        sfu.Advance(TimeSpan.FromMilliseconds(80));
        var sinceSent = sfu.Now - TimeSpan.FromTicks((long)(sent.NtpTimestamp / 4294967296.0 * TimeSpan.TicksPerSecond));
        var held = sinceSent - TimeSpan.FromMilliseconds(45);
        var block = new ReportBlock(sent.Ssrc, 12, 0, 0, 0, sent.CompactNtp, NtpTime.Compact(held));

        listener.Send(listener.Rtcp(ReceiverReport(listener, block)));

        var stream = listener.Transport.Streams[talker.TrackSsrc];
        Assert.InRange(stream.RoundTrip!.Value.TotalMilliseconds, 44, 46);
        Assert.Equal(12, stream.FractionLost);
    }

    [Fact]
    public void A_hundred_streams_are_reported_in_datagrams_that_fit()
    {
        for (var i = 0; i < 100; i++)
        {
            var other = sfu.Connect();
            sfu.Subscribe(other, listener);
            other.Send(other.Rtp());
        }
        sfu.Port.Sent.Clear();
        sfu.Advance(TimeSpan.FromSeconds(1.3));

        Assert.All(sfu.Port.Sent, sent => Assert.InRange(sent.Datagram.Length, 1, 1232));
        Assert.Equal(100, Reports(listener).Select(report => report.Ssrc).Distinct().Count());
    }

    [Fact]
    public void Feedback_is_ignored_and_counted()
    {
        byte[] nack = [0x81, 205, 0, 3, 0, 0, 0, 1, 0, 0, 0, 2, 0, 1, 0, 0];

        listener.Send(listener.Rtcp(nack));

        Assert.Equal(1, sfu.Drops(DropReason.RtcpIgnored));
    }

    [Fact]
    public void Replayed_or_forged_rtcp_is_refused()
    {
        var report = listener.Rtcp(ReceiverReport(listener, default));
        var forged = (byte[])report.Clone();
        forged[12] ^= 1;

        listener.Send(forged);
        listener.Send(report);
        listener.Send(report);

        Assert.Equal((1, 1), (sfu.Drops(DropReason.SrtcpAuthentication), sfu.Drops(DropReason.SrtcpReplayed)));
    }

    private static byte[] SenderReportOf(VirtualClient client, ulong ntp, uint timestamp)
    {
        var buffer = new byte[100];
        var writer = new RtcpWriter(buffer);
        writer.SenderReport(new(client.SenderSsrc, ntp, timestamp, 1, 3), []);
        return buffer[..writer.Length];
    }

    private static byte[] ReceiverReport(VirtualClient client, ReportBlock block)
    {
        var buffer = new byte[100];
        var writer = new RtcpWriter(buffer);
        writer.ReceiverReport(client.SenderSsrc, [block]);
        return buffer[..writer.Length];
    }

    private static List<ReportBlock> Blocks(VirtualClient client)
    {
        var blocks = new List<ReportBlock>();
        foreach (var compound in client.TakeRtcp())
        {
            foreach (var packet in new RtcpReader(compound))
            {
                for (var i = 0; packet.TryGetReportBlock(i, out var block); i++) blocks.Add(block);
            }
        }
        return blocks;
    }

    private static List<SenderReport> Reports(VirtualClient client)
    {
        var reports = new List<SenderReport>();
        foreach (var compound in client.TakeRtcp())
        {
            foreach (var packet in new RtcpReader(compound))
            {
                if (packet.TryGetSenderReport(out var report)) reports.Add(report);
            }
        }
        return reports;
    }
}
