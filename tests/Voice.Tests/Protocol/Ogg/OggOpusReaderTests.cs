using Voice.Protocol.Ogg;
using Xunit;

namespace Voice.Tests.Protocol.Ogg;

public class OggOpusReaderTests
{
    private static readonly byte[] Silence = OpusToc.SilenceFrame.ToArray();

    /// <summary>Five pages, each packet another.</summary>
    private static readonly byte[] Small = OggFiles.Write(Enumerable.Range(0, 120).Select(i => new[] { (byte)0xF8, (byte)i }));

    [Fact]
    public void A_file_of_the_reference_encoder_is_read_whole()
    {
        var (packets, reader) = OggFiles.Read(OggFiles.Tone);

        Assert.Null(reader.Fault);
        Assert.Equal(new OpusHead(2, 312, 48_000), reader.Head);
        Assert.Equal(151, packets.Count); // 3 s, and the pre-skip's part of one
        Assert.All(packets, packet => Assert.True(OpusToc.TryGetSamples(packet, out var samples) && samples == 960));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(7)]
    [InlineData(1000)]
    public void The_size_of_the_pieces_changes_nothing(int piece)
    {
        Assert.Equal(OggFiles.Read(OggFiles.Tone).Packets, OggFiles.Read(OggFiles.Tone, piece).Packets);
    }

    [Fact]
    public void A_file_cut_at_any_byte_gives_what_was_before_and_names_where_it_ends()
    {
        var whole = OggFiles.Read(Small).Packets;
        for (var length = 0; length < Small.Length; length++)
        {
            var (packets, reader) = OggFiles.Read(Small.AsSpan(0, length));

            Assert.Equal(length, reader.Fault!.Offset);
            Assert.Equal(whole.Take(packets.Count), packets);
        }
        Assert.Equal(50, OggFiles.Read(Small.AsSpan(0, OggFiles.PageOffsets(Small)[3] + 1)).Packets.Count);
    }

    [Fact]
    public void A_file_damaged_at_any_byte_gives_what_was_before_and_names_the_page()
    {
        var whole = OggFiles.Read(Small).Packets;
        var pages = OggFiles.PageOffsets(Small);
        var file = Small.ToArray();
        for (var i = 0; i < file.Length; i++)
        {
            file[i] ^= 0x41;
            var (packets, reader) = OggFiles.Read(file);
            file[i] ^= 0x41;

            // A page that got longer than the file is one that the file's end cuts off.
            var page = pages.Last(offset => offset <= i);
            Assert.True(reader.Fault!.Offset == page || reader.Fault.Offset == file.Length, $"byte {i}: {reader.Fault}");
            Assert.Equal(whole.Take(packets.Count), packets);
            Assert.True(packets.Count <= whole.Count && packets.Count >= OggFiles.Read(file.AsSpan(0, page)).Packets.Count);
        }
    }

    [Fact]
    public void A_fault_is_one_line_with_the_offset()
    {
        Assert.Equal("not an Ogg file: no page at byte 0", OggFiles.Read("RIFF"u8).Reader.Fault!.ToString());
        Assert.Equal("the file is empty: no page at byte 0", OggFiles.Read([]).Reader.Fault!.ToString());
    }

    [Fact]
    public void Files_put_one_behind_the_other_are_one()
    {
        var (packets, reader) = OggFiles.Read([.. OggFiles.Write([Silence], serial: 1), .. OggFiles.Write([Silence, Silence], serial: 2, channels: 1)]);

        Assert.Null(reader.Fault);
        Assert.Equal(3, packets.Count);
        Assert.Equal(1, reader.Head!.Value.Channels);
    }

    [Fact]
    public void Another_stream_in_the_file_is_passed_over()
    {
        // All first pages come first (RFC 3533 section 4), the rest in any mixture.
        var ours = OggFiles.Write([Silence], serial: 1);
        var other = OtherCodec(OggFiles.Write([Silence], serial: 2));
        var (a, b) = (OggFiles.PageOffsets(ours), OggFiles.PageOffsets(other));
        byte[] mixed = [.. other[..b[1]], .. ours[..a[1]], .. other[b[1]..b[2]], .. ours[a[1]..], .. other[b[2]..]];

        var (packets, reader) = OggFiles.Read(mixed);

        Assert.Null(reader.Fault);
        Assert.Equal([Silence], packets);
    }

    [Fact]
    public void A_lost_page_is_a_fault()
    {
        var file = OggFiles.Write(Enumerable.Repeat(Silence, 200));
        var pages = OggFiles.PageOffsets(file);

        var (packets, reader) = OggFiles.Read([.. file[..pages[3]], .. file[pages[4]..]]);

        Assert.Equal(50, packets.Count);
        Assert.Equal(pages[3], reader.Fault!.Offset);
    }

    [Fact]
    public void A_surround_file_is_refused()
    {
        var file = OggFiles.Write([Silence]);
        file[28 + 9] = 6; // channels
        Rechecksum(file.AsSpan(0, OggFiles.PageOffsets(OggFiles.Write([Silence]))[1]));

        Assert.Equal("an Opus header that is not one of mono or stereo at byte 0", OggFiles.Read(file).Reader.Fault!.ToString());
    }

    [Fact]
    public void A_packet_may_go_on_in_the_next_page()
    {
        // As RFC 3533 section 6 lays it out: a page of full segments, then one that is "continued".
        byte[] packet = [0xF8, .. Enumerable.Repeat((byte)7, 299)];
        var file = OggFiles.Write([packet]);
        var page = file[OggFiles.PageOffsets(file)[2]..];
        byte[] first = [.. page[..26], 1, 255, .. packet[..255]];
        byte[] second = [.. page[..26], 1, 45, .. packet[255..]];
        (first[5], second[5]) = (0, (byte)(OggPageFlags.Continued | OggPageFlags.EndOfStream));
        first.AsSpan(6, 8).Fill(0xFF); // no packet ends here
        second[18]++;
        Rechecksum(first);
        Rechecksum(second);

        var (packets, reader) = OggFiles.Read([.. file[..^page.Length], .. first, .. second]);

        Assert.Null(reader.Fault);
        Assert.Equal([packet], packets);

        second[5] = (byte)OggPageFlags.EndOfStream;
        Rechecksum(second);
        Assert.Equal(file.Length - page.Length + first.Length, OggFiles.Read([.. file[..^page.Length], .. first, .. second]).Reader.Fault!.Offset);
    }

    private static byte[] OtherCodec(byte[] file)
    {
        file[28] = (byte)'X';
        Rechecksum(file.AsSpan(0, 28 + OpusHead.Length));
        return file;
    }

    private static void Rechecksum(Span<byte> page) => BitConverter.TryWriteBytes(page[22..], OggPage.Checksum(page));
}
