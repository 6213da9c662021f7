using System.Buffers;
using System.Buffers.Binary;
using System.Text;

namespace Voice.Protocol.Ogg;

/// <summary>Writes an Ogg Opus file (RFC 7845): headers at once, then pages of about a second, of which the last says that it is. Every packet
/// lies in one page. One thread at a time.</summary>
public sealed class OggOpusWriter
{
    private const int PageSamples = OpusToc.SampleRate;

    private readonly IBufferWriter<byte> output;
    private readonly uint serial;
    private readonly byte[] segments = new byte[OggPage.MaxSegments];
    private readonly ArrayBufferWriter<byte> body = new(4096);
    private int segmentCount;
    private int pageSamples;
    private uint sequence;

    /// <param name="output">Gets whole pages.</param>
    /// <param name="serial">Tells the stream from others in the same file: any number.</param>
    /// <param name="comments">"NAME=value" (section 5.2); together at most some 60 kB.</param>
    /// <exception cref="ArgumentException">The comments are too long.</exception>
    public OggOpusWriter(IBufferWriter<byte> output, uint serial, OpusHead head, params ReadOnlySpan<string> comments)
    {
        (this.output, this.serial) = (output, serial);
        head.Write(body.GetSpan(OpusHead.Length));
        body.Advance(OpusHead.Length);
        AddSegments(OpusHead.Length);
        Flush(OggPageFlags.BeginningOfStream);

        WriteTags(comments);
        if (body.WrittenCount > OggOpusReader.MaxPacketLength) throw new ArgumentException("The comments are too long.", nameof(comments));
        AddSegments(body.WrittenCount);
        Flush(OggPageFlags.None);
    }

    /// <summary>Samples at 48 kHz written, the pre-skip included.</summary>
    public long Samples { get; private set; }

    public bool Finished { get; private set; }

    /// <summary>Adds a packet; false, and nothing is written, if it is not Opus or too long.</summary>
    /// <exception cref="InvalidOperationException">The file is finished.</exception>
    public bool TryWrite(ReadOnlySpan<byte> packet)
    {
        if (Finished) throw new InvalidOperationException("The file is finished.");
        if (packet.Length > OggOpusReader.MaxPacketLength || !OpusToc.TryGetSamples(packet, out var samples)) return false;

        // A page is written when the next packet comes, so that there is always one left for the last page.
        if (pageSamples >= PageSamples || segmentCount + packet.Length / OggPage.MaxSegmentLength + 1 > OggPage.MaxSegments) Flush(OggPageFlags.None);
        AddSegments(packet.Length);
        body.Write(packet);
        pageSamples += samples;
        Samples += samples;
        return true;
    }

    /// <summary>Writes the last page. Doing it again changes nothing.</summary>
    public void Finish()
    {
        if (Finished) return;
        Flush(OggPageFlags.EndOfStream);
        Finished = true;
    }

    private void WriteTags(ReadOnlySpan<string> comments)
    {
        body.Write("OpusTags"u8);
        WriteText("voice"); // vendor: of the encoder, which is unknown; so, who wrote the file
        WriteNumber(comments.Length);
        foreach (var comment in comments) WriteText(comment);
    }

    private void WriteText(string text)
    {
        WriteNumber(Encoding.UTF8.GetByteCount(text));
        Encoding.UTF8.GetBytes(text, body);
    }

    private void WriteNumber(int number)
    {
        BinaryPrimitives.WriteInt32LittleEndian(body.GetSpan(4), number);
        body.Advance(4);
    }

    /// <summary>RFC 3533 section 5: as many full segments as there are, then one that is not, if only an empty one.</summary>
    private void AddSegments(int length)
    {
        for (; length >= OggPage.MaxSegmentLength; length -= OggPage.MaxSegmentLength) segments[segmentCount++] = OggPage.MaxSegmentLength;
        segments[segmentCount++] = (byte)length;
    }

    private void Flush(OggPageFlags flags)
    {
        var length = OggPage.HeaderLength + segmentCount + body.WrittenCount;
        var page = output.GetSpan(length)[..length];
        OggPage.CapturePattern.CopyTo(page);
        page[4] = 0;
        page[5] = (byte)flags;
        BinaryPrimitives.WriteInt64LittleEndian(page[6..], Samples);
        BinaryPrimitives.WriteUInt32LittleEndian(page[14..], serial);
        BinaryPrimitives.WriteUInt32LittleEndian(page[18..], sequence++);
        page[26] = (byte)segmentCount;
        segments.AsSpan(0, segmentCount).CopyTo(page[OggPage.HeaderLength..]);
        body.WrittenSpan.CopyTo(page[(OggPage.HeaderLength + segmentCount)..]);
        BinaryPrimitives.WriteUInt32LittleEndian(page[OggPage.ChecksumOffset..], OggPage.Checksum(page));
        output.Advance(length);

        body.ResetWrittenCount();
        (segmentCount, pageSamples) = (0, 0);
    }
}
