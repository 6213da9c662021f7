using System.Buffers.Binary;

namespace Voice.Protocol.Stun;

/// <summary>Walks a message's attributes: type, length, value, padding to a word (RFC 8489 section 14).</summary>
public ref struct StunAttributes
{
    private readonly ReadOnlySpan<byte> message;
    private int next = StunMessage.HeaderLength;

    internal StunAttributes(ReadOnlySpan<byte> message) => this.message = message;

    /// <param name="offset">Where the attribute's header starts in the message.</param>
    public readonly ref struct Attribute(StunAttribute type, int offset, ReadOnlySpan<byte> value)
    {
        public StunAttribute Type { get; } = type;
        public ReadOnlySpan<byte> Value { get; } = value;
        internal int Offset { get; } = offset;
    }

    public Attribute Current { get; private set; }

    /// <summary>The walk ended before the message did.</summary>
    internal bool Malformed { get; private set; }

    public readonly StunAttributes GetEnumerator() => this;

    public bool MoveNext()
    {
        var rest = message[next..];
        if (rest.IsEmpty) return false;

        Malformed = rest.Length < 4;
        if (Malformed) return false;
        var length = BinaryPrimitives.ReadUInt16BigEndian(rest[2..]);
        var padded = (length + 3) & ~3;
        Malformed = rest.Length < 4 + padded;
        if (Malformed) return false;

        Current = new Attribute((StunAttribute)BinaryPrimitives.ReadUInt16BigEndian(rest), next, rest.Slice(4, length));
        next += 4 + padded;
        return true;
    }
}
