using System.Net;
using System.Net.Sockets;
using Voice.Client;
using Voice.Protocol.DiscordUdp;
using Xunit;

namespace Voice.Tests.Client;

public sealed class RegionLatenciesTests : IDisposable
{
    private readonly Socket near = Bound();
    private readonly Socket silent = Bound();

    public void Dispose()
    {
        near.Dispose();
        silent.Dispose();
    }

    [Fact]
    public async Task Whoever_does_not_answer_is_not_among_them()
    {
        var answering = Answer();
        var order = await RegionLatencies.OrderAsync(
            [new("silent", silent.LocalEndPoint!.ToString()!), new("near", near.LocalEndPoint!.ToString()!), new("nowhere", "?")], null, TestContext.Current.CancellationToken);

        Assert.Equal(["near"], order);
        near.Dispose();
        await Task.WhenAny(answering);
    }

    private async Task Answer()
    {
        var datagram = new byte[IpDiscovery.Length];
        while (true)
        {
            var got = await near.ReceiveFromAsync(datagram, new IPEndPoint(IPAddress.Any, 0));
            Respond(datagram.AsSpan(0, got.ReceivedBytes), (IPEndPoint)got.RemoteEndPoint);
        }
    }

    private void Respond(Span<byte> datagram, IPEndPoint from)
    {
        Assert.True(IpDiscovery.TryParseRequest(datagram, out var request));
        IpDiscovery.WriteResponse(datagram, request.Ssrc, from.Address.GetAddressBytes(), (ushort)from.Port);
        near.SendTo(datagram, from);
    }

    private static Socket Bound()
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        return socket;
    }
}
