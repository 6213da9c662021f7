using System.Net;

namespace Voice.Media.Net;

/// <summary>Where a worker's datagrams come from and go to: <see cref="UdpPort"/>, and the virtual network of the tests.
/// Used by the worker's thread only.</summary>
public interface IDatagramPort
{
    /// <summary>False when nothing waits. A datagram longer than <paramref name="buffer"/> is given with a length of
    /// <c>buffer.Length</c>: offer one byte more than is acceptable.</summary>
    bool TryReceive(Span<byte> buffer, out int length, out RemoteEndPoint from);

    /// <summary>False when the datagram was not taken (full send buffer, no route).</summary>
    bool TrySend(ReadOnlySpan<byte> datagram, Destination to);
}

/// <summary>A peer we send to; keeps the native form of its address, so that sending allocates nothing.</summary>
public sealed class Destination(RemoteEndPoint remote)
{
    public RemoteEndPoint Remote { get; } = remote;

    internal SocketAddress? Native { get; set; }
}
