using CsCheck;
using Voice.Protocol.Srtp;
using Xunit;

namespace Voice.Tests.Protocol.Srtp;

public class RolloverTests
{
    [Fact]
    public void Guesses_the_nearest_index_with_that_sequence()
    {
        Gen.Select(Gen.ULong[0, SrtpContext.IndexLimit - 1], Gen.UShort).Sample((highest, sequence) =>
        {
            // The naive model: of all rollovers around, the one that comes nearest; a tie is never tested, it may be either.
            var rollover = (long)(highest >> 16);
            var candidates = new[] { rollover - 1, rollover, rollover + 1 }.Select(r => (r << 16) + sequence)
                .OrderBy(index => Math.Abs(index - (long)highest)).ToArray();
            if (Math.Abs(candidates[0] - (long)highest) == 0x8000) return true;

            var exists = candidates[0] >= 0 && candidates[0] < (long)SrtpContext.IndexLimit;
            return Rollover.TryGuess(highest, sequence, out var index) == exists && (!exists || index == (ulong)candidates[0]);
        }, iter: 10_000);
    }

    [Theory]
    [InlineData(0x0_FFFF, 0x0000, 0x1_0000)]
    [InlineData(0x1_0000, 0xFFFF, 0x0_FFFF)]
    [InlineData(0x0_7FFF, 0xFFFF, 0x0_FFFF)] // exactly half a cycle away: appendix A keeps the rollover
    [InlineData(0x1_8000, 0x0000, 0x1_0000)]
    [InlineData(0x1_8001, 0x0000, 0x2_0000)]
    [InlineData(0x1_7FFE, 0xFFFF, 0x0_FFFF)]
    public void Follows_appendix_A_at_the_edges(ulong highest, ushort sequence, ulong expected)
    {
        Assert.True(Rollover.TryGuess(highest, sequence, out var index));
        Assert.Equal(expected, index);
    }

    [Fact]
    public void Nothing_precedes_the_first_cycle_or_follows_the_last()
    {
        Assert.False(Rollover.TryGuess(5, 0xFFFF, out _));
        Assert.False(Rollover.TryGuess(SrtpContext.IndexLimit - 1, 0, out _));
    }
}
