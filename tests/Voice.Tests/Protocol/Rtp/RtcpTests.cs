using CsCheck;
using Voice.Protocol.Rtp;
using Voice.Tests.Vectors;
using Xunit;

namespace Voice.Tests.Protocol.Rtp;

public class RtcpTests
{
    private static readonly ReportBlock Block = new(0xCAFEBABE, 25, -2, 0x0001_0010, 33, 0x11112222, 65536);

    // SR with a report block, SDES with a CNAME of 5, BYE.
    private static readonly byte[] Compound = Hex.Bytes("""
        81c8000c 00000007 e1e2e3e4 e5e6e7e8 00000960 00000002 000000c8
                 cafebabe 19fffffe 00010010 00000021 11112222 00010000
        81ca0003 00000007 0105 766f696365 00
        81cb0001 00000007
        """);

    private static readonly SenderReport Report = new(7, 0xE1E2E3E4_E5E6E7E8, 2400, 2, 200);

    [Fact]
    public void A_compound_is_written()
    {
        VectorRunner.Writing(Compound, destination =>
        {
            var writer = new RtcpWriter(destination);
            writer.SenderReport(Report, [Block]);
            writer.Cname(7, "voice"u8);
            writer.Bye(7);
            return writer.Length;
        });
    }

    [Fact]
    public void A_compound_is_read_and_a_cut_one_is_malformed()
    {
        // Cuts between its packets leave whole compounds.
        var read = VectorRunner.Reading(Compound, Describe, refusedBelow: 52);
        Assert.Equal($"SenderReport {Report} {Block}; SourceDescription 00000007010576{"6f69636500"}; Bye 7", read);
        foreach (var length in Enumerable.Range(53, Compound.Length - 53).Where(l => l != 68)) Assert.Null(Describe(Compound.AsSpan(0, length)));
    }

    [Theory]
    [InlineData("a0c90003 00000007 00000000 00000004", "ReceiverReport 7")] // padding of one word
    [InlineData("a0c90002 00000007 00000008", "ReceiverReport")] // padding that swallows the sender
    [InlineData("a0c90002 00000007 00000000", null)] // padding of 0
    [InlineData("a0c90002 00000007 00000003", null)] // not whole words
    [InlineData("a0c90002 00000007 0000000c", null)] // more than there is
    [InlineData("a0c90000", null)]
    [InlineData("a0c90001 00000004 80c90001 00000007", null)] // padded, and not the last
    [InlineData("40c90001 00000007", null)] // version 1
    [InlineData("82c90001 00000007", "ReceiverReport 7")] // promises two blocks, has none
    [InlineData("85cb0001 00000007", "Bye 7")] // promises five
    [InlineData("80cb0000", "Bye")]
    [InlineData("81ce0003 00000007 00000009 01020304", "PayloadFeedback 000000070000000901020304")]
    public void Odd_packets(string hex, string? expected) => Assert.Equal(expected, Describe(Hex.Bytes(hex)));

    [Fact]
    public void Reports_survive_the_wire()
    {
        var blocks = Gen.Select(Gen.UInt, Gen.Byte, Gen.Int[-0x80_0000, 0x7F_FFFF], Gen.UInt, Gen.UInt, Gen.UInt, Gen.UInt)
            .Select((ssrc, fraction, lost, highest, jitter, last, delay) => new ReportBlock(ssrc, fraction, lost, highest, jitter, last, delay));
        Gen.Select(Gen.UInt, blocks.Array[0, RtcpWriter.MaxReportBlocks]).Sample((sender, sent) =>
        {
            Span<byte> buffer = stackalloc byte[1500];
            var writer = new RtcpWriter(buffer);
            writer.ReceiverReport(sender, sent);
            var reader = new RtcpReader(buffer[..writer.Length]);
            Assert.True(reader.MoveNext());
            var received = new List<ReportBlock>();
            while (reader.Current.TryGetReportBlock(received.Count, out var block)) received.Add(block);
            Assert.Equal(sent, received);
        });
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(255)]
    public void Sdes_ends_in_one_to_four_zeros(int length)
    {
        var buffer = new byte[300];
        Array.Fill(buffer, (byte)0xFF);
        var writer = new RtcpWriter(buffer);
        writer.Cname(7, Enumerable.Repeat((byte)'x', length).ToArray());
        var reader = new RtcpReader(buffer.AsSpan(0, writer.Length));
        Assert.True(reader.MoveNext());
        var zeros = reader.Current.Body[(6 + length)..];
        Assert.InRange(zeros.Length, 1, 4);
        Assert.Equal(-1, zeros.IndexOfAnyExcept((byte)0));
        Assert.False(reader.MoveNext() || reader.Malformed);
    }

    [Fact]
    public void Loss_beyond_24_bits_is_clamped()
    {
        Span<byte> wire = stackalloc byte[ReportBlock.Length];
        foreach (var (lost, expected) in ((int, int)[])[(int.MaxValue, 0x7F_FFFF), (int.MinValue, -0x80_0000)])
        {
            (Block with { CumulativeLost = lost }).Write(wire);
            Assert.True(ReportBlock.TryParse(wire, out var read));
            Assert.Equal(Block with { CumulativeLost = expected }, read);
        }
    }

    private static string? Describe(ReadOnlySpan<byte> compound)
    {
        var words = new List<string>();
        var reader = new RtcpReader(compound);
        while (reader.MoveNext())
        {
            var packet = reader.Current;
            var word = $"{packet.Type}";
            if (packet.TryGetSenderReport(out var report)) word += $" {report}";
            else if (packet.Type == RtcpType.Bye) word += packet.TryGetLeaver(0, out var leaver) ? $" {leaver}" : "";
            else if (packet.Type == RtcpType.ReceiverReport) word += packet.TryGetSender(out var sender) ? $" {sender}" : "";
            else word += " " + Hex.Of(packet.Body);
            for (var i = 0; packet.TryGetReportBlock(i, out var block); i++) word += $" {block}";
            words.Add(word);
        }
        return reader.Malformed || words.Count == 0 ? null : string.Join("; ", words);
    }
}
