using System.Net;
using Voice.Signaling.Gateway;
using Xunit;

namespace Voice.Tests.Signaling.Gateway;

public class AnteroomTests
{
    private readonly Anteroom _room = new();

    [Fact]
    public void One_network_cannot_take_all_places()
    {
        var places = Enter("10.0.0.1", Anteroom.MaxOfNetwork);

        Assert.Null(_room.Enter(IPAddress.Parse("::ffff:10.0.0.1")));
        Assert.NotNull(_room.Enter(IPAddress.Parse("10.0.0.2")));
        places[0].Dispose();
        places[0].Dispose(); // counts once
        Assert.NotNull(_room.Enter(IPAddress.Parse("10.0.0.1")));
        Assert.Null(_room.Enter(IPAddress.Parse("10.0.0.1")));
    }

    [Fact]
    public void An_ipv6_network_is_one_and_all_places_are_bounded()
    {
        Enter("2001:db8::1", Anteroom.MaxOfNetwork);
        Assert.Null(_room.Enter(IPAddress.Parse("2001:db8::2")));
        Enter("2001:db8:0:1::1", Anteroom.MaxSockets - Anteroom.MaxOfNetwork);
        Assert.Null(_room.Enter(IPAddress.Parse("10.0.0.1")));
    }

    private List<IDisposable> Enter(string address, int count) => [.. Enumerable.Range(0, count).Select(_ => _room.Enter(IPAddress.Parse(address))!)];
}
