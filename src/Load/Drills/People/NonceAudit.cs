namespace Voice.Load.Drills.People;

/// <summary>Every nonce under which a packet of one key authenticated, with a mark of the packet: a second packet with other bytes means that the nonce was reused,
/// the same packet again that the network doubled it. 8 bytes a packet. Any thread.</summary>
internal sealed class NonceAudit
{
    private const int PageBits = 8;
    private const ulong PageMask = (1 << PageBits) - 1;

    private readonly Lock gate = new();
    private readonly Dictionary<(ulong Space, ulong Page), ulong[]> pages = [];
    private (ulong Space, ulong Page) lastKey;
    private ulong[]? last;

    public long Packets { get; private set; }

    public long Reused { get; private set; }

    /// <summary>The first reuse, for whoever has to find out why.</summary>
    public string? First { get; private set; }

    public long Doubled { get; private set; }

    public void Take(ulong space, ulong nonce, ReadOnlySpan<byte> datagram)
    {
        var mark = Mark(datagram);
        lock (gate)
        {
            Packets++;
            ref var place = ref Page((space, nonce >> PageBits))[nonce & PageMask];
            if (place == 0) place = mark;
            else if (place == mark) Doubled++;
            else if (Reused++ == 0) First = $"nonce {nonce} of {space:x} by a packet of {datagram.Length} bytes, the {Packets}th of its key, {Convert.ToHexString(datagram[..Math.Min(12, datagram.Length)])}";
        }
    }

    private ulong[] Page((ulong Space, ulong Page) key)
    {
        if (last is not null && key == lastKey) return last;
        if (!pages.TryGetValue(key, out var page)) pages.Add(key, page = new ulong[1 << PageBits]);
        (lastKey, last) = (key, page);
        return page;
    }

    /// <summary>FNV-1a; never 0. Nobody here tries to make two packets collide.</summary>
    private static ulong Mark(ReadOnlySpan<byte> datagram)
    {
        var hash = 14695981039346656037UL;
        foreach (var value in datagram) hash = (hash ^ value) * 1099511628211UL;
        return hash | 1;
    }
}
