using System.Buffers.Binary;

namespace Voice.Protocol.DiscordUdp;

/// <summary>What clients send to keep a mapping of their router open (udp-media.md section 3): 8 bytes of anything, or 9 that begin
/// with C9. The server sends the same bytes back; no current library looks at them.</summary>
public static class Keepalive
{
    /// <summary>Bytes of the keepalive that <see cref="Write"/> makes.</summary>
    public const int Length = 8;

    public static bool Is(ReadOnlySpan<byte> datagram) => datagram.Length == Length || (datagram.Length == 9 && datagram[0] == 0xC9);

    /// <param name="counter">One more each time.</param>
    /// <returns>Bytes written: <see cref="Length"/>.</returns>
    public static int Write(Span<byte> destination, uint counter)
    {
        BinaryPrimitives.WriteUInt64LittleEndian(destination[..Length], counter);
        return Length;
    }
}

/// <summary>The native client's ping (udp-media.md section 3): a magic number and a sequence, answered by another magic number and the
/// same sequence. It is as long as a keepalive: tell it apart first.</summary>
public static class NativePing
{
    public const int Length = 8;

    private const uint Request = 0x1337CAFE;
    private const uint Response = 0x1337F00D;

    public static bool IsRequest(ReadOnlySpan<byte> datagram) => TryRead(datagram, Request, out _);

    public static bool TryReadRequest(ReadOnlySpan<byte> datagram, out uint sequence) => TryRead(datagram, Request, out sequence);

    public static bool TryReadResponse(ReadOnlySpan<byte> datagram, out uint sequence) => TryRead(datagram, Response, out sequence);

    /// <returns>Bytes written: <see cref="Length"/>.</returns>
    public static int WriteRequest(Span<byte> destination, uint sequence) => Write(destination, Request, sequence);

    /// <returns>Bytes written: <see cref="Length"/>.</returns>
    public static int WriteResponse(Span<byte> destination, uint sequence) => Write(destination, Response, sequence);

    private static bool TryRead(ReadOnlySpan<byte> datagram, uint magic, out uint sequence)
    {
        sequence = 0;
        if (datagram.Length != Length || BinaryPrimitives.ReadUInt32BigEndian(datagram) != magic) return false;
        sequence = BinaryPrimitives.ReadUInt32BigEndian(datagram[4..]);
        return true;
    }

    private static int Write(Span<byte> destination, uint magic, uint sequence)
    {
        BinaryPrimitives.WriteUInt32BigEndian(destination, magic);
        BinaryPrimitives.WriteUInt32BigEndian(destination[4..], sequence);
        return Length;
    }
}
