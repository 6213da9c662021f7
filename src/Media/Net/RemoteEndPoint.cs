using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;

namespace Voice.Media.Net;

/// <summary>A peer's address and port as a dictionary key: 16 bytes of IPv6 (IPv4 in its mapped form), the port and, for
/// link-local addresses, the scope. Made and turned back without allocating.</summary>
public readonly record struct RemoteEndPoint(ulong High, ulong Low, ushort Port, uint Scope = 0)
{
    /// <summary>16 bytes of address and 2 of port, big endian.</summary>
    public const int WireLength = 18;

    private const ulong MappedPrefix = 0x0000_FFFF_0000_0000;

    public bool IsV4 => High == 0 && Low >> 32 == 0xFFFF;

    /// <summary>Meaningful when <see cref="IsV4"/>.</summary>
    public uint V4 => (uint)Low;

    public static RemoteEndPoint From(IPEndPoint endPoint)
    {
        Span<byte> bytes = stackalloc byte[16];
        var mapped = endPoint.Address.MapToIPv6();
        mapped.TryWriteBytes(bytes, out _);
        return FromBytes(bytes, (ushort)endPoint.Port, (uint)mapped.ScopeId);
    }

    public static RemoteEndPoint From(SocketAddress address) => FromNative(address.Buffer.Span, address.Family);

    /// <summary>Reads a sockaddr_in or sockaddr_in6. The port is at 2 on every platform, the address at 4 or 8; the scope
    /// is in host order.</summary>
    public static RemoteEndPoint FromNative(ReadOnlySpan<byte> bytes, AddressFamily family)
    {
        var port = BinaryPrimitives.ReadUInt16BigEndian(bytes[2..]);
        return family == AddressFamily.InterNetwork
            ? new(0, MappedPrefix | BinaryPrimitives.ReadUInt32BigEndian(bytes[4..]), port)
            : FromBytes(bytes.Slice(8, 16), port, BitConverter.ToUInt32(bytes[24..]));
    }

    /// <summary>A native address for a socket of the given family (an IPv6 socket gets IPv4 peers in mapped form). Allocates:
    /// kept by <see cref="Destination"/>.</summary>
    public SocketAddress ToSocketAddress(AddressFamily family)
    {
        var address = new SocketAddress(family);
        var bytes = address.Buffer.Span;
        BinaryPrimitives.WriteUInt16BigEndian(bytes[2..], Port);
        if (family == AddressFamily.InterNetwork)
        {
            BinaryPrimitives.WriteUInt32BigEndian(bytes[4..], V4);
            return address;
        }
        WriteAddress(bytes[8..]);
        BitConverter.TryWriteBytes(bytes[24..], Scope);
        return address;
    }

    /// <summary>Writes the 16 address bytes.</summary>
    public void WriteAddress(Span<byte> to)
    {
        BinaryPrimitives.WriteUInt64BigEndian(to, High);
        BinaryPrimitives.WriteUInt64BigEndian(to[8..], Low);
    }

    /// <summary>As the media link carries it: <see cref="WireLength"/> bytes.</summary>
    public byte[] ToWire()
    {
        var wire = new byte[WireLength];
        WriteAddress(wire);
        BinaryPrimitives.WriteUInt16BigEndian(wire.AsSpan(16), Port);
        return wire;
    }

    /// <summary>False unless it is <see cref="WireLength"/> bytes with a port.</summary>
    public static bool TryFromWire(ReadOnlySpan<byte> wire, out RemoteEndPoint endPoint)
    {
        endPoint = default;
        if (wire.Length != WireLength || BinaryPrimitives.ReadUInt16BigEndian(wire[16..]) is not (> 0 and var port)) return false;
        endPoint = FromBytes(wire, port, 0);
        return true;
    }

    public IPEndPoint ToIPEndPoint()
    {
        Span<byte> bytes = stackalloc byte[16];
        WriteAddress(bytes);
        var address = new IPAddress(bytes, Scope);
        return new(IsV4 ? address.MapToIPv4() : address, Port);
    }

    public override string ToString() => ToIPEndPoint().ToString();

    private static RemoteEndPoint FromBytes(ReadOnlySpan<byte> address, ushort port, uint scope) =>
        new(BinaryPrimitives.ReadUInt64BigEndian(address), BinaryPrimitives.ReadUInt64BigEndian(address[8..]), port, scope);
}
