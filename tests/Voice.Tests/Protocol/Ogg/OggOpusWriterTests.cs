using System.Buffers;
using CsCheck;
using Voice.Protocol.Ogg;
using Xunit;

namespace Voice.Tests.Protocol.Ogg;

public class OggOpusWriterTests
{
    private static readonly byte[] Silence = OpusToc.SilenceFrame.ToArray();

    private static readonly int[] Lengths = [254, 255, 256, 510, 511, OggOpusReader.MaxPacketLength];

    /// <summary>Packets of every length that a segment table treats differently, and of every duration.</summary>
    private static readonly Gen<byte[]> Packets =
        from toc in Gen.Byte
        from length in Gen.OneOf(Gen.Int[1, 300], Gen.OneOf([.. Lengths.Select(length => Gen.Const(length))]))
        select (byte[])[(byte)(toc & ~3), .. Enumerable.Range(1, length - 1).Select(i => (byte)i)];

    [Fact]
    public void What_is_written_is_read()
    {
        Packets.List[0, 60].Sample(packets =>
        {
            var (read, reader) = OggFiles.Read(OggFiles.Write(packets, comments: "TITLE=Ünïcode"));
            Assert.Null(reader.Fault);
            Assert.Equal(packets, read);
        }, iter: 20);
    }

    [Fact]
    public void A_page_tells_the_time_at_its_end()
    {
        var file = OggFiles.Write(Enumerable.Repeat(Silence, 120));

        List<(long Granule, uint Sequence, OggPageFlags Flags)> pages = [];
        foreach (var offset in OggFiles.PageOffsets(file))
        {
            Assert.Equal(OggPageResult.Ok, OggPage.TryParse(file.AsSpan(offset), out var page));
            pages.Add((page.GranulePosition, page.Sequence, page.Flags));
        }

        Assert.Equal(
            [
                (0, 0, OggPageFlags.BeginningOfStream), (0, 1, OggPageFlags.None), (48_000, 2, OggPageFlags.None),
                (96_000, 3, OggPageFlags.None), (115_200, 4, OggPageFlags.EndOfStream),
            ],
            pages);
    }

    [Fact]
    public void The_last_page_of_an_unfinished_file_is_never_without_a_packet()
    {
        for (var count = 48; count < 104; count++)
        {
            var file = OggFiles.Write(Enumerable.Repeat(Silence, count));
            OggPage.TryParse(file.AsSpan(OggFiles.PageOffsets(file)[^1]), out var last);

            Assert.True(last.Flags.HasFlag(OggPageFlags.EndOfStream) && last.Segments.Length > 0);
        }
    }

    [Fact]
    public void What_is_not_Opus_is_not_written()
    {
        var output = new ArrayBufferWriter<byte>();
        var writer = new OggOpusWriter(output, 1, new OpusHead(2));

        Assert.False(writer.TryWrite([]));
        Assert.False(writer.TryWrite([0xFF, 0])); // no frames
        Assert.False(writer.TryWrite(new byte[OggOpusReader.MaxPacketLength + 1]));
        Assert.Equal(0, writer.Samples);
    }

    [Fact]
    public void A_page_of_the_reference_encoder_is_written_byte_for_byte()
    {
        // Its packets of the second audio page, with that page's numbers.
        var pages = OggFiles.PageOffsets(OggFiles.Tone);
        OggPage.TryParse(OggFiles.Tone.AsSpan(pages[2]), out var theirs);
        var ours = OggFiles.Write(OggFiles.Read(OggFiles.Tone).Packets, serial: 440);
        OggPage.TryParse(ours.AsSpan(OggFiles.PageOffsets(ours)[2]), out var page);

        Assert.Equal(theirs.GranulePosition, page.GranulePosition);
        Assert.Equal(theirs.Segments, page.Segments);
        Assert.Equal(theirs.Body, page.Body);
        Assert.Equal(OggFiles.Tone.AsSpan(pages[2], theirs.Length), ours.AsSpan(OggFiles.PageOffsets(ours)[2], page.Length));
    }
}
