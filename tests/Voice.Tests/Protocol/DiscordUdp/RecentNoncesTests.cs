using CsCheck;
using Voice.Protocol.DiscordUdp;
using Xunit;

namespace Voice.Tests.Protocol.DiscordUdp;

public class RecentNoncesTests
{
    [Fact]
    public void The_last_ones_are_known_and_older_ones_forgotten() =>
        Gen.ULong[0, 2000].Array[0, 2 * RecentNonces.Size].Sample(history =>
        {
            var nonces = new RecentNonces();
            foreach (var nonce in history) nonces.Add(nonce);

            var known = history.TakeLast(RecentNonces.Size).ToHashSet();
            for (var nonce = 0UL; nonce <= 2000; nonce++) Assert.Equal(known.Contains(nonce), nonces.Contains(nonce));
        }, iter: 50);

    [Theory]
    [InlineData(4, 0)]
    [InlineData(24, 0)]
    [InlineData(24, 6)]
    [InlineData(24, 20)]
    public void A_counter_gives_different_ones_wherever_it_stands(int length, int at)
    {
        var nonce = new byte[length];
        var seen = new HashSet<ulong>();
        for (var i = 0; i < 10_000; i++)
        {
            Assert.True(BitConverter.TryWriteBytes(nonce.AsSpan(at), i));
            Assert.True(seen.Add(RecentNonces.Fold(nonce)));
        }
    }
}
