using System.Buffers.Binary;
using System.Buffers.Text;

namespace Voice.Protocol.DiscordUdp;

/// <summary>IP discovery (udp-media.md section 2): a client asks where its packets come from, to name it in Select Protocol.
/// Request and response are equally long.</summary>
/// <remarks><code>
///  0        2        4        8                              72      74
/// | type   | length | ssrc   | address, ASCII, zero padded   | port   |
/// </code></remarks>
public readonly ref struct IpDiscovery
{
    /// <summary>Bytes of a request and of a response.</summary>
    public const int Length = 74;

    private const ushort Request = 1;
    private const ushort Response = 2;
    private const ushort BodyLength = 70;
    private const int AddressOffset = 8;
    private const int PortOffset = 72;

    private readonly ReadOnlySpan<byte> datagram;

    private IpDiscovery(ReadOnlySpan<byte> datagram) => this.datagram = datagram;

    /// <summary>The session's SSRC, as Ready gave it. Nobody has proved anything.</summary>
    public uint Ssrc => BinaryPrimitives.ReadUInt32BigEndian(datagram[4..]);

    /// <summary>Of a response: the client's public address, in ASCII.</summary>
    public ReadOnlySpan<byte> Address
    {
        get
        {
            var padded = datagram[AddressOffset..PortOffset];
            var end = padded.IndexOf((byte)0);
            return end < 0 ? padded : padded[..end];
        }
    }

    /// <summary>Of a response: the client's public port.</summary>
    public ushort Port => BinaryPrimitives.ReadUInt16BigEndian(datagram[PortOffset..]);

    public static bool IsRequest(ReadOnlySpan<byte> datagram) => Is(datagram, Request);

    public static bool TryParseRequest(ReadOnlySpan<byte> datagram, out IpDiscovery request) => TryParse(datagram, Request, out request);

    public static bool TryParseResponse(ReadOnlySpan<byte> datagram, out IpDiscovery response) => TryParse(datagram, Response, out response);

    /// <returns>Bytes written: <see cref="Length"/>.</returns>
    public static int WriteRequest(Span<byte> destination, uint ssrc) => Write(destination, Request, ssrc);

    /// <param name="address">4 or 16 bytes, network order.</param>
    /// <param name="port">As the server sees it.</param>
    /// <returns>Bytes written: <see cref="Length"/>.</returns>
    /// <exception cref="ArgumentException">Another length of address.</exception>
    public static int WriteResponse(Span<byte> destination, uint ssrc, ReadOnlySpan<byte> address, ushort port)
    {
        if (address.Length is not (4 or 16)) throw new ArgumentException("An address has 4 or 16 bytes.", nameof(address));
        Write(destination, Response, ssrc);
        var text = destination[AddressOffset..PortOffset];
        if (address.Length == 4) WriteV4(text, address);
        else WriteV6(text, address);
        BinaryPrimitives.WriteUInt16BigEndian(destination[PortOffset..], port);
        return Length;
    }

    private static bool TryParse(ReadOnlySpan<byte> datagram, ushort type, out IpDiscovery discovery)
    {
        discovery = Is(datagram, type) ? new(datagram) : default;
        return !discovery.datagram.IsEmpty;
    }

    private static bool Is(ReadOnlySpan<byte> datagram, ushort type) =>
        datagram.Length == Length && BinaryPrimitives.ReadUInt32BigEndian(datagram) == ((uint)type << 16 | BodyLength);

    private static int Write(Span<byte> destination, ushort type, uint ssrc)
    {
        destination = destination[..Length];
        destination.Clear();
        BinaryPrimitives.WriteUInt16BigEndian(destination, type);
        BinaryPrimitives.WriteUInt16BigEndian(destination[2..], BodyLength);
        BinaryPrimitives.WriteUInt32BigEndian(destination[4..], ssrc);
        return Length;
    }

    private static void WriteV4(Span<byte> text, ReadOnlySpan<byte> address)
    {
        for (var i = 0; i < address.Length; i++)
        {
            if (i > 0) Put(ref text, (byte)'.');
            Utf8Formatter.TryFormat(address[i], text, out var written);
            text = text[written..];
        }
    }

    // No "::": a legal form all the same (RFC 4291 section 2.2), and no library here reads IPv6 anyway.
    private static void WriteV6(Span<byte> text, ReadOnlySpan<byte> address)
    {
        for (var i = 0; i < address.Length; i += 2)
        {
            if (i > 0) Put(ref text, (byte)':');
            Utf8Formatter.TryFormat(BinaryPrimitives.ReadUInt16BigEndian(address[i..]), text, out var written, new('x'));
            text = text[written..];
        }
    }

    private static void Put(ref Span<byte> text, byte character)
    {
        text[0] = character;
        text = text[1..];
    }
}
