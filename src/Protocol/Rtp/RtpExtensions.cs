namespace Voice.Protocol.Rtp;

/// <summary>Reads the elements of an RTP header extension block (RFC 8285), of the one-byte and of the two-byte kind. A block
/// of any other profile has none; an element that does not fit ends the reading.</summary>
/// <example><c>foreach (var element in new RtpExtensions(packet.ExtensionProfile, packet.Extensions))</c></example>
public ref struct RtpExtensions
{
    public const ushort OneByteProfile = 0xBEDE;

    private readonly bool twoByte;
    private ReadOnlySpan<byte> rest;

    public RtpExtensions(ushort profile, ReadOnlySpan<byte> body)
    {
        twoByte = profile >> 4 == 0x100; // section 4.3: the low four bits are "appbits"
        rest = twoByte || profile == OneByteProfile ? body : default;
    }

    public readonly ref struct Element(byte id, ReadOnlySpan<byte> data)
    {
        public byte Id { get; } = id;
        public ReadOnlySpan<byte> Data { get; } = data;
    }

    public Element Current { get; private set; }

    public readonly RtpExtensions GetEnumerator() => this;

    public bool MoveNext()
    {
        // Section 4.1.2: a zero byte is padding, between elements too.
        var start = rest.IndexOfAnyExcept((byte)0);
        if (start < 0) return false;
        rest = rest[start..];
        return twoByte ? ReadTwoByte() : ReadOneByte();
    }

    /// <summary>The first element with this id.</summary>
    public static bool TryGet(ushort profile, ReadOnlySpan<byte> body, byte id, out ReadOnlySpan<byte> data)
    {
        foreach (var element in new RtpExtensions(profile, body))
        {
            if (element.Id != id) continue;
            data = element.Data;
            return true;
        }
        data = default;
        return false;
    }

    private bool ReadOneByte()
    {
        var id = (byte)(rest[0] >> 4);
        var length = (rest[0] & 0x0F) + 1;
        // Section 4.2: id 15, and id 0 with a length, end the block.
        return id is not (0 or 15) && Take(id, 1, length);
    }

    private bool ReadTwoByte() => rest.Length >= 2 && Take(rest[0], 2, rest[1]);

    private bool Take(byte id, int header, int length)
    {
        if (rest.Length < header + length) return false;
        Current = new Element(id, rest.Slice(header, length));
        rest = rest[(header + length)..];
        return true;
    }
}
