using Voice.Protocol.Gateway;
using Voice.Signaling.Gateway.Guilds;
using Xunit;

namespace Voice.Tests.Signaling.Guilds;

public class StoredStateTests
{
    private readonly MemoryState<UserRecord> disk = new();

    [Fact]
    public async Task What_could_not_be_stored_is_stored_by_the_next_call_though_that_changes_nothing()
    {
        var user = new UserGrain(disk);
        disk.Fails = true;
        await Assert.ThrowsAsync<IOException>(() => user.Set(new User(1, "Ann")));
        await Assert.ThrowsAsync<IOException>(() => user.Set(new User(1, "Ann")));
        await Assert.ThrowsAsync<IOException>(() => user.AddGuild(2));

        disk.Fails = false;
        await user.AddGuild(2);
        await user.AddGuild(2);
        await user.Set(new User(1, "Ann"));

        Assert.Equal(1, disk.Writes);
    }
}
