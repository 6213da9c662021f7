using Voice.Media.Net;

namespace Voice.Tests.Fakes;

/// <summary>A worker's port without a kernel: what is sent arrives at once at the host with that address, if there is one.</summary>
public sealed class VirtualPort : IDatagramPort
{
    private readonly Dictionary<RemoteEndPoint, Action<byte[]>> hosts = [];

    /// <summary>Everything sent, in order.</summary>
    public List<(byte[] Datagram, RemoteEndPoint To)> Sent { get; } = [];

    public void Attach(RemoteEndPoint address, Action<byte[]> receive) => hosts[address] = receive;

    public void Detach(RemoteEndPoint address) => hosts.Remove(address);

    public bool TrySend(ReadOnlySpan<byte> datagram, Destination to)
    {
        var copy = datagram.ToArray();
        Sent.Add((copy, to.Remote));
        if (hosts.TryGetValue(to.Remote, out var receive)) receive(copy);
        return true;
    }
}
