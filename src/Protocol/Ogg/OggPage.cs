using System.Buffers.Binary;

namespace Voice.Protocol.Ogg;

/// <summary>What stands where a page should.</summary>
public enum OggPageResult
{
    Ok = 0,

    /// <summary>The bytes are the beginning of a page.</summary>
    Incomplete,
    NotOgg,
    UnknownVersion,
    WrongChecksum,
}

/// <summary>RFC 3533 section 6, field 3.</summary>
[Flags]
public enum OggPageFlags : byte
{
    None = 0,

    /// <summary>The page begins in the middle of a packet.</summary>
    Continued = 1,
    BeginningOfStream = 2,
    EndOfStream = 4,
}

/// <summary>A view of one Ogg page (RFC 3533 section 6).</summary>
public readonly ref struct OggPage
{
    public const int HeaderLength = 27;
    public const int MaxSegments = 255;
    public const int MaxSegmentLength = 255;

    /// <summary>Bytes of the longest page.</summary>
    public const int MaxLength = HeaderLength + MaxSegments + MaxSegments * MaxSegmentLength;

    internal const int ChecksumOffset = 22;

    private readonly ReadOnlySpan<byte> page;

    private OggPage(ReadOnlySpan<byte> page) => this.page = page;

    internal static ReadOnlySpan<byte> CapturePattern => "OggS"u8;

    /// <summary>Reads the page that <paramref name="source"/> begins with; what follows the page is not looked at.</summary>
    public static OggPageResult TryParse(ReadOnlySpan<byte> source, out OggPage page)
    {
        page = default;
        var pattern = Math.Min(source.Length, CapturePattern.Length);
        if (!source[..pattern].SequenceEqual(CapturePattern[..pattern])) return OggPageResult.NotOgg;
        if (source.Length > 4 && source[4] != 0) return OggPageResult.UnknownVersion;
        if (source.Length < HeaderLength || source.Length < HeaderLength + source[26]) return OggPageResult.Incomplete;

        var length = HeaderLength + source[26];
        foreach (var segment in source[HeaderLength..length]) length += segment;
        if (source.Length < length) return OggPageResult.Incomplete;

        source = source[..length];
        if (Checksum(source) != BinaryPrimitives.ReadUInt32LittleEndian(source[ChecksumOffset..])) return OggPageResult.WrongChecksum;
        page = new OggPage(source);
        return OggPageResult.Ok;
    }

    public OggPageFlags Flags => (OggPageFlags)page[5];

    /// <summary>Position after the last packet that ends here, in units of the codec; -1 if none ends here.</summary>
    public long GranulePosition => BinaryPrimitives.ReadInt64LittleEndian(page[6..]);

    /// <summary>Which of a file's streams the page belongs to.</summary>
    public uint Serial => BinaryPrimitives.ReadUInt32LittleEndian(page[14..]);

    /// <summary>Pages of the stream before this one.</summary>
    public uint Sequence => BinaryPrimitives.ReadUInt32LittleEndian(page[18..]);

    /// <summary>Length of each segment; one below 255 ends a packet.</summary>
    public ReadOnlySpan<byte> Segments => page.Slice(HeaderLength, page[26]);

    public ReadOnlySpan<byte> Body => page[(HeaderLength + page[26])..];

    /// <summary>Bytes of the whole page.</summary>
    public int Length => page.Length;

    /// <summary>Over the whole page, its checksum field taken as zero.</summary>
    internal static uint Checksum(ReadOnlySpan<byte> page)
    {
        var crc = OggCrc.Update(0, page[..ChecksumOffset]);
        crc = OggCrc.Update(crc, [0, 0, 0, 0]);
        return OggCrc.Update(crc, page[(ChecksumOffset + 4)..]);
    }
}
