using System.Text.Json;
using Voice.Protocol.Gateway;
using Voice.Signaling.Gateway;
using Voice.Signaling.Gateway.Guilds;
using Xunit;

namespace Voice.Tests.Signaling.Guilds;

public class RingingTests
{
    private readonly Ringing ringing = new();

    [Fact]
    public void Nobody_rings_for_ever_not_even_when_rung_again()
    {
        Assert.Equal("1", Rung(ringing.Start(9, [1], TimeSpan.Zero)));
        Assert.Equal("1,2", Rung(ringing.Start(9, [1, 2], TimeSpan.FromSeconds(20))));
        Assert.Null(ringing.Expire(9, Ringing.Longest - TimeSpan.FromTicks(1)));
        Assert.Equal(Ringing.Longest, ringing.Ends);
        Assert.Equal("2", Rung(ringing.Expire(9, Ringing.Longest)));
        Assert.Equal("", Rung(ringing.Expire(9, Ringing.Longest + TimeSpan.FromSeconds(20))));
        Assert.Null(ringing.Ends);
    }

    [Fact]
    public void What_changes_nothing_is_not_told()
    {
        Assert.Null(ringing.Stop(9, [1]));
        Assert.NotNull(ringing.Start(9, [1], TimeSpan.Zero));
        Assert.Null(ringing.Start(9, [1], TimeSpan.Zero));
    }

    private static string Rung(GuildEvent? one) => string.Join(',', JsonSerializer.Deserialize(one!.Data, GatewayJson.Default.Call)!.Ringing!);
}
