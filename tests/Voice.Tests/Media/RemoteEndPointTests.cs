using System.Net;
using System.Net.Sockets;
using Voice.Media.Net;
using Xunit;

namespace Voice.Tests.Media;

public class RemoteEndPointTests
{
    [Theory]
    [InlineData("192.0.2.1", 5000, AddressFamily.InterNetwork)]
    [InlineData("192.0.2.1", 5000, AddressFamily.InterNetworkV6)]
    [InlineData("2001:db8::7", 65535, AddressFamily.InterNetworkV6)]
    [InlineData("fe80::1%3", 1, AddressFamily.InterNetworkV6)]
    public void Survives_the_native_form_of_either_family(string address, int port, AddressFamily family)
    {
        var endPoint = new IPEndPoint(IPAddress.Parse(address), port);
        var remote = RemoteEndPoint.From(endPoint);

        Assert.Equal(remote, RemoteEndPoint.From(remote.ToSocketAddress(family)));
        Assert.Equal(endPoint, remote.ToIPEndPoint());
    }

    [Fact]
    public void Native_form_is_the_platforms()
    {
        var endPoint = new IPEndPoint(IPAddress.Parse("2001:db8::7"), 4000);

        Assert.Equal(endPoint.Serialize(), RemoteEndPoint.From(endPoint).ToSocketAddress(AddressFamily.InterNetworkV6));
    }

    [Fact]
    public void The_links_form_is_address_and_port_big_endian() =>
        Assert.Equal(
            [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF, 192, 0, 2, 1, 0x13, 0x88],
            RemoteEndPoint.From(new IPEndPoint(IPAddress.Parse("192.0.2.1"), 5000)).ToWire());

    [Fact]
    public void The_links_form_is_read_back_unless_it_is_no_address_with_a_port()
    {
        var remote = RemoteEndPoint.From(new IPEndPoint(IPAddress.Parse("192.0.2.1"), 5000));

        Assert.True(RemoteEndPoint.TryFromWire(remote.ToWire(), out var read));
        Assert.Equal(remote, read);
        Assert.False(RemoteEndPoint.TryFromWire([], out _));
        Assert.False(RemoteEndPoint.TryFromWire(remote.ToWire().AsSpan(1), out _));
        Assert.False(RemoteEndPoint.TryFromWire((remote with { Port = 0 }).ToWire(), out _));
    }
}
