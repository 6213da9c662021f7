namespace Voice.Protocol.Ogg;

/// <summary>Why a file is not read any further.</summary>
/// <param name="Offset">Bytes from the beginning of the file: where the page begins that cannot be used, or where the file ends too early.</param>
public sealed record OggFault(long Offset, string Reason)
{
    /// <summary>One line for people.</summary>
    public override string ToString() => $"{Reason} at byte {Offset}";
}

/// <summary>One Opus packet of a file.</summary>
/// <param name="Samples">How long it plays, at 48 kHz.</param>
public readonly record struct OpusPacket(ReadOnlyMemory<byte> Data, int Samples);

public enum OggReadResult
{
    Packet = 0,

    /// <summary>Give it more of the file, or say that there is no more.</summary>
    NeedsMore,

    /// <summary>The file is over, as it should be.</summary>
    End,

    /// <summary>The file cannot be read any further: <see cref="OggOpusReader.Fault"/>. All packets before were given.</summary>
    Fault,
}

/// <summary>Takes an Ogg Opus file (RFC 7845) in pieces of any size and gives its packets. Streams of other codecs in the same file are
/// passed over; files that were put one behind the other (chained) are one. Never throws for what a file holds, and keeps no more
/// than a page, a packet and the piece it was given last. One thread at a time.</summary>
public sealed class OggOpusReader
{
    /// <summary>Bytes of the longest packet taken (RFC 7845 section 6).</summary>
    public const int MaxPacketLength = 61_440;

    private readonly Queue<OpusPacket> ready = new();
    private readonly List<byte> packet = [];
    private byte[] buffer = [];
    private int start;
    private int end;
    private long offset; // in the file, of buffer[start]
    private bool complete;

    private State state;
    private bool sawOtherCodec;
    private bool inPacket;
    private uint serial;
    private uint nextSequence;
    private long granule;

    private enum State
    {
        Head,
        Tags,
        Audio,
        Ended,
    }

    /// <summary>Null until it was read. Of a chained file, the latest.</summary>
    public OpusHead? Head { get; private set; }

    public OggFault? Fault { get; private set; }

    /// <summary>The file's next piece.</summary>
    public void Append(ReadOnlySpan<byte> piece)
    {
        if (Fault is not null) return;
        if (buffer.Length - end < piece.Length)
        {
            var kept = buffer.AsSpan(start, end - start);
            var target = buffer.Length >= kept.Length + piece.Length ? buffer : new byte[kept.Length + Math.Max(piece.Length, OggPage.MaxLength)];
            kept.CopyTo(target);
            (buffer, start, end) = (target, 0, kept.Length);
        }
        piece.CopyTo(buffer.AsSpan(end));
        end += piece.Length;
    }

    /// <summary>There is no more: what is missing now is missing for good.</summary>
    public void Complete() => complete = true;

    /// <summary>The next packet. After <see cref="OggReadResult.End"/> and <see cref="OggReadResult.Fault"/> the answer stays the same.</summary>
    public OggReadResult TryRead(out OpusPacket next)
    {
        while (!ready.TryDequeue(out next))
        {
            if (Fault is not null) return OggReadResult.Fault;
            if (start == end) return AtEnd();

            switch (OggPage.TryParse(buffer.AsSpan(start, end - start), out var page))
            {
                case OggPageResult.Ok:
                    Take(page);
                    start += page.Length;
                    offset += page.Length;
                    break;
                case OggPageResult.Incomplete when !complete: return OggReadResult.NeedsMore;
                case OggPageResult.Incomplete: Fault = new(offset + (end - start), "the file is cut off, inside a page,"); break;
                case OggPageResult.NotOgg: Refuse(offset == 0 ? "not an Ogg file: no page" : "no Ogg page"); break;
                case OggPageResult.UnknownVersion: Refuse("an Ogg page of an unknown version"); break;
                default: Refuse("a damaged page (its checksum is wrong)"); break;
            }
        }
        return OggReadResult.Packet;
    }

    private OggReadResult AtEnd()
    {
        if (!complete) return OggReadResult.NeedsMore;
        if (state == State.Ended) return OggReadResult.End;
        Refuse(state != State.Head ? "the file is cut off, before its last page," : offset == 0 ? "the file is empty: no page" : "no Opus stream in this file, which ends");
        return OggReadResult.Fault;
    }

    private void Refuse(string reason) => Fault ??= new(offset, reason);

    private void Take(in OggPage page)
    {
        var begins = page.Flags.HasFlag(OggPageFlags.BeginningOfStream);
        if (state is State.Head || (state is State.Ended && begins))
        {
            TakeFirst(page, begins);
            return;
        }
        if (page.Serial != serial) return; // of another stream

        if (begins || state is State.Ended) Refuse("a page of a stream that is over or has begun before");
        else if (page.Sequence != nextSequence++) Refuse($"a gap: page {page.Sequence} instead of {nextSequence - 1}");
        else if (page.Flags.HasFlag(OggPageFlags.Continued) != inPacket) Refuse("a page that does not go on where the one before ended");
        else TakeBody(page);
    }

    /// <summary>Section 3: a stream's first page holds the identification header alone.</summary>
    private void TakeFirst(in OggPage page, bool begins)
    {
        if (!begins)
        {
            if (!sawOtherCodec) Refuse("a page without the beginning of its stream");
        }
        else if (!page.Body.StartsWith(OpusHead.Magic))
        {
            sawOtherCodec = true;
        }
        else if (page.Segments.Length != 1 || !OpusHead.TryParse(page.Body, out var head))
        {
            Refuse("an Opus header that is not one of mono or stereo");
        }
        else
        {
            (Head, state, serial, nextSequence, granule, inPacket) = (head, State.Tags, page.Serial, page.Sequence + 1, 0, false);
        }
    }

    private void TakeBody(in OggPage page)
    {
        var body = page.Body;
        var ended = false;
        foreach (var length in page.Segments)
        {
            // Of the comment header the beginning will do: it may hold pictures of any size.
            if (state == State.Audio || packet.Count < MaxPacketLength) packet.AddRange(body[..length]);
            body = body[length..];
            inPacket = length == OggPage.MaxSegmentLength;
            if (packet.Count > MaxPacketLength && state == State.Audio)
            {
                Refuse($"a packet of more than {MaxPacketLength} bytes");
                return;
            }
            if (inPacket) continue;

            ended = true;
            if (!EndPacket()) return;
        }

        if (ended && state == State.Audio)
        {
            // Section 4: it counts the samples up to the end of the page's last packet.
            if (page.GranulePosition < granule) Refuse("a page whose time (granule position) is before the last one's");
            granule = page.GranulePosition;
        }
        if (!page.Flags.HasFlag(OggPageFlags.EndOfStream)) return;
        if (inPacket || state == State.Tags) Refuse("a last page that does not end its packet");
        state = State.Ended;
    }

    private bool EndPacket()
    {
        var whole = packet.ToArray();
        packet.Clear();
        if (state == State.Tags)
        {
            if (!whole.AsSpan().StartsWith("OpusTags"u8)) Refuse("no comment header (OpusTags) where it should be,");
            state = State.Audio;
        }
        else if (OpusToc.TryGetSamples(whole, out var samples)) ready.Enqueue(new OpusPacket(whole, samples));
        else Refuse("a packet that is not Opus");
        return Fault is null;
    }
}
