using CsCheck;
using Voice.Protocol.Rtp;
using Voice.Tests.Vectors;
using Xunit;

namespace Voice.Tests.Protocol.Rtp;

public class RtpPacketTests
{
    // Two CSRCs, a one-byte extension (audio level, id 1, after padding), three bytes of payload and padding of two.
    private static readonly byte[] Full = Hex.Bytes("b2ef1234 00000960 cafebabe 00000001 00000002 bede0002 00001085 00000000 aabbcc 0002");

    [Fact]
    public void Every_field_is_read_within_its_bounds()
    {
        var read = VectorRunner.Reading(Full, Describe, refusedBelow: 32);
        Assert.Equal("marker 111 seq 4660 ts 2400 ssrc cafebabe csrcs 2 header 32 bede:0000108500000000 payload aabbcc0002 unpadded aabbcc", read);
    }

    [Theory]
    [InlineData("80 6f1234 00000960 cafebabe", "111 seq 4660 ts 2400 ssrc cafebabe csrcs 0 header 12 payload  unpadded ")]
    [InlineData("a0 6f1234 00000960 cafebabe 000000", "111 seq 4660 ts 2400 ssrc cafebabe csrcs 0 header 12 payload 000000")] // padding of 0
    [InlineData("a0 6f1234 00000960 cafebabe 04", "111 seq 4660 ts 2400 ssrc cafebabe csrcs 0 header 12 payload 04")] // more than there is
    [InlineData("a0 6f1234 00000960 cafebabe", "111 seq 4660 ts 2400 ssrc cafebabe csrcs 0 header 12 payload ")]
    [InlineData("90 6f1234 00000960 cafebabe bede0000", "111 seq 4660 ts 2400 ssrc cafebabe csrcs 0 header 16 bede: payload  unpadded ")]
    [InlineData("40 6f1234 00000960 cafebabe", null)] // version 1
    [InlineData("81 6f1234 00000960 cafebabe 000000", null)] // CSRC cut
    [InlineData("90 6f1234 00000960 cafebabe bede00", null)] // extension header cut
    [InlineData("90 6f1234 00000960 cafebabe bedeffff 00000000", null)] // longer than the packet
    public void Odd_headers(string hex, string? expected) => Assert.Equal(expected, Describe(Hex.Bytes(hex)));

    [Fact]
    public void What_is_written_is_read()
    {
        Gen.Select(Gen.Bool, Gen.Byte[0, 127], Gen.UShort, Gen.UInt, Gen.UInt, Gen.Byte[0, 14], Gen.Byte)
            .Sample((marker, payloadType, sequence, timestamp, ssrc, levelId, level) =>
            {
                Span<byte> header = stackalloc byte[RtpHeader.MaxLength];
                header.Fill(0xFF);
                var length = RtpHeader.Write(header, marker, payloadType, sequence, timestamp, ssrc, levelId, level);
                Assert.True(RtpPacket.TryParse(header[..length], out var packet));
                Assert.Equal(
                    (marker, payloadType, sequence, timestamp, ssrc, length),
                    (packet.Marker, packet.PayloadType, packet.SequenceNumber, packet.Timestamp, packet.Ssrc, packet.HeaderLength));
                Assert.False(packet.HasPadding || packet.CsrcCount != 0 || packet.Payload.Length != 0);
                Assert.Equal(levelId != 0, RtpExtensions.TryGet(packet.ExtensionProfile, packet.Extensions, levelId, out var data));
                if (levelId != 0) Assert.Equal(level, data[0]);
            });
    }

    [Theory]
    [InlineData("", PacketKind.Unknown)]
    [InlineData("00", PacketKind.Stun)]
    [InlineData("03", PacketKind.Stun)]
    [InlineData("04", PacketKind.Unknown)]
    [InlineData("13", PacketKind.Unknown)]
    [InlineData("14", PacketKind.Dtls)]
    [InlineData("3f", PacketKind.Dtls)]
    [InlineData("40", PacketKind.Unknown)]
    [InlineData("7f", PacketKind.Unknown)]
    [InlineData("80", PacketKind.Unknown)]
    [InlineData("806f", PacketKind.Rtp)]
    [InlineData("80ef", PacketKind.Rtp)] // payload type 111, marked
    [InlineData("80bf", PacketKind.Rtp)]
    [InlineData("80c0", PacketKind.Rtcp)]
    [InlineData("bfdf", PacketKind.Rtcp)]
    [InlineData("80e0", PacketKind.Rtp)]
    [InlineData("c0c8", PacketKind.Unknown)]
    public void The_first_bytes_tell_the_protocol(string hex, PacketKind expected) => Assert.Equal(expected, Demux.Classify(Hex.Bytes(hex)));

    private static string? Describe(ReadOnlySpan<byte> datagram)
    {
        if (!RtpPacket.TryParse(datagram, out var packet)) return null;
        var words = packet.Marker ? "marker " : "";
        words += $"{packet.PayloadType} seq {packet.SequenceNumber} ts {packet.Timestamp} ssrc {packet.Ssrc:x8} csrcs {packet.CsrcCount}";
        words += $" header {packet.HeaderLength}";
        if (packet.HasExtension) words += $" {packet.ExtensionProfile:x4}:{Hex.Of(packet.Extensions)}";
        words += $" payload {Hex.Of(packet.Payload)}";
        return packet.TryGetUnpadded(out var unpadded) ? words + " unpadded " + Hex.Of(unpadded) : words;
    }
}
