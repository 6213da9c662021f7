using System.Net;
using System.Net.Sockets;
using Voice.Signaling;
using Voice.Signaling.VoiceServer;
using Xunit;

namespace Voice.Tests.Signaling.VoiceServer;

public class MediaAddressesTests
{
    [Theory]
    [InlineData("127.0.0.1", null, null, "127.0.0.1>127.0.0.1", null)]
    [InlineData("127.0.0.1", null, "::1", "127.0.0.1>127.0.0.1", "::1>::1")]
    [InlineData("192.0.2.5", "203.0.113.5", null, "192.0.2.5>203.0.113.5", null)]
    [InlineData("192.0.2.5", null, "2001:db8::5", "192.0.2.5>192.0.2.5", "::>2001:db8::5")]
    [InlineData("0.0.0.0", null, null, "0.0.0.0>192.0.2.1", null)]
    [InlineData("0.0.0.0", "203.0.113.5", "2001:db8::5", "0.0.0.0>203.0.113.5", "::>2001:db8::5")]
    [InlineData("::", null, null, "0.0.0.0>192.0.2.1", "::>2001:db8::1")]
    [InlineData("::1", null, null, null, "::1>::1")]
    [InlineData("2001:db8::5", "203.0.113.5", null, "0.0.0.0>203.0.113.5", "2001:db8::5>2001:db8::5")]
    public void Each_family_is_bound_and_announced_as_far_as_it_is_known(string bind, string? announceV4, string? announceV6, string? v4, string? v6)
    {
        var addresses = MediaAddresses.Of(Options(bind, announceV4, announceV6), FirstLocal);

        Assert.Equal((v4, v6), (Text(addresses.V4), Text(addresses.V6)));
    }

    [Fact]
    public void A_machine_without_an_address_must_be_told_one() =>
        Assert.Throws<StartupException>(() => MediaAddresses.Of(Options("0.0.0.0", null, null), _ => null));

    private static IPAddress FirstLocal(AddressFamily family) => IPAddress.Parse(family == AddressFamily.InterNetwork ? "192.0.2.1" : "2001:db8::1");

    private static string? Text(MediaAddress? address) => address is null ? null : $"{address.Bind}>{address.Announce}";

    private static NodeOptions Options(string bind, string? announceV4, string? announceV6) => new()
    {
        DataDirectory = "",
        MediaCommand = [],
        Bind = IPAddress.Parse(bind),
        AnnounceV4 = announceV4 is null ? null : IPAddress.Parse(announceV4),
        AnnounceV6 = announceV6 is null ? null : IPAddress.Parse(announceV6),
    };
}
