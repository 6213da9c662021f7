using Voice.Protocol.Gateway;
using Voice.Signaling.Gateway;
using Xunit;

namespace Voice.Tests.Signaling.Gateway;

public class MemberChunksTests
{
    [Theory]
    [InlineData(0, new[] { 0 })]
    [InlineData(1000, new[] { 1000 })]
    [InlineData(2001, new[] { 1000, 1000, 1 })]
    public void Members_come_in_parts_of_a_thousand_and_always_at_least_one(int members, int[] sizes)
    {
        var guild = new Guild(1, "guild", 1) { Members = [.. Enumerable.Range(1, members).Select(id => new Member(new User((ulong)id, "user")))] };

        var chunks = MemberChunks.Of(guild, new RequestGuildMembers(1)).ToArray();

        Assert.Equal(sizes, chunks.Select(chunk => chunk.Members.Length));
        Assert.Equal(Enumerable.Range(0, sizes.Length), chunks.Select(chunk => chunk.ChunkIndex));
        Assert.All(chunks, chunk => Assert.Equal(sizes.Length, chunk.ChunkCount));
    }
}
