using System.Buffers.Binary;
using System.Net;

namespace Voice.Protocol.Links;

/// <summary>An address and port as both links carry them: 16 bytes of IPv6 (IPv4 mapped) and 2 of port, big endian.</summary>
public static class WireAddress
{
    public const int Length = 18;

    public static byte[] Write(IPEndPoint endPoint)
    {
        var wire = new byte[Length];
        endPoint.Address.MapToIPv6().TryWriteBytes(wire, out var length);
        BinaryPrimitives.WriteUInt16BigEndian(wire.AsSpan(length), (ushort)endPoint.Port);
        return wire;
    }

    /// <summary>Null unless it is <see cref="Length"/> bytes with a port.</summary>
    public static IPEndPoint? Read(ReadOnlySpan<byte> wire)
    {
        if (wire.Length != Length || BinaryPrimitives.ReadUInt16BigEndian(wire[16..]) is not (> 0 and var port)) return null;
        var address = new IPAddress(wire[..16]);
        return new IPEndPoint(address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address, port);
    }
}
