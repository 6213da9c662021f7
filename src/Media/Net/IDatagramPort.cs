using System.Net;
using Voice.Media.Net.Linux;

namespace Voice.Media.Net;

/// <summary>Where a worker's datagrams go to: a <see cref="UdpPort"/>, or the virtual network of the tests. Used by the worker's thread
/// only.</summary>
public interface IDatagramPort
{
    /// <summary>When the kernel received what is being handled; 0: not known, or nothing is. On a clock of the port's own, which is
    /// every port's, for <see cref="WorkerCounters.Delayed"/>.</summary>
    long ReceivedAt
    {
        get => 0;
        set { }
    }

    /// <summary>Takes a copy of the datagram, which leaves at once or at the end of the batch in hand. What the kernel does not take then
    /// is counted as <see cref="DropReason.SendFailed"/>.</summary>
    /// <returns>False when it is known already that it cannot leave: no socket of this address family.</returns>
    bool TrySend(ReadOnlySpan<byte> datagram, Destination to);
}

/// <summary>A peer we send to; keeps the native form of its address, so that sending allocates nothing. One port's for life.</summary>
public sealed class Destination(RemoteEndPoint remote)
{
    public RemoteEndPoint Remote { get; } = remote;

    internal SocketAddress? Portable { get; set; }

    /// <summary>The last datagram to this peer that waits in the port's batch; -1 for none.</summary>
    internal int LastQueued { get; set; } = -1;

    /// <summary>The descriptor that reaches it; 0 until asked for.</summary>
    internal int Descriptor { get; set; }

    internal int AddressLength { get; set; }

    internal Libc.Address Address;
}
