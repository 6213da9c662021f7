using Voice.Protocol;
using Voice.Signaling.Gateway;
using Voice.Signaling.Gateway.Guilds;
using Xunit;

namespace Voice.Tests.Signaling.Guilds;

public class UserGrainTests(GuildSilo silo) : IClassFixture<GuildSilo>
{
    [Fact]
    public async Task Channels_made_at_the_same_time_do_not_pass_the_limit_and_those_of_others_do_not_count()
    {
        var user = silo.Grains.GetGrain<IUserGrain>(900);
        for (var id = 1ul; id <= UserGrain.MaxPrivateChannels + 5; id++) await user.AddPrivateChannel(id, made: false);
        var made = await Task.WhenAll(Enumerable.Range(1001, UserGrain.MaxPrivateChannels + 5).Select(id => user.AddPrivateChannel((ulong)id, made: true)));

        Assert.Equal(UserGrain.MaxPrivateChannels, made.Count(added => added));
        var channels = await user.PrivateChannels();
        Assert.Equal(2 * UserGrain.MaxPrivateChannels, channels.Length);
        Assert.DoesNotContain(new Snowflake(1), channels); // the oldest gave way

        await user.RemovePrivateChannel(channels[^1]);
        Assert.True(await user.AddPrivateChannel(5000, made: true));
    }
}
