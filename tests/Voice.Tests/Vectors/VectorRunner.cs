using Xunit;

namespace Voice.Tests.Vectors;

/// <summary>Makes many tests of one vector: exactly sized, cut at every length, and inside a larger buffer whose guard bytes
/// must neither change nor be read.</summary>
public static class VectorRunner
{
    /// <summary>Reads a datagram and says what it read, in any words that tell two readings apart; null refuses it.</summary>
    public delegate string? Read(ReadOnlySpan<byte> datagram);

    /// <summary>Writes into the destination, and returns how much.</summary>
    public delegate int Write(Span<byte> destination);

    private const int GuardLength = 64;

    /// <param name="refusedBelow">Every cut shorter than this is refused; a longer one may be read, but not thrown at.
    /// The vector's own length unless given.</param>
    /// <returns>What was read.</returns>
    public static string Reading(ReadOnlySpan<byte> vector, Read read, int? refusedBelow = null)
    {
        var whole = read(vector.ToArray());
        Assert.NotNull(whole);

        for (var length = 0; length < vector.Length; length++)
        {
            var cut = read(vector[..length].ToArray());
            if (length < (refusedBelow ?? vector.Length)) Assert.True(cut is null, $"Cut to {length} bytes, it was read as: {cut}");
        }

        foreach (byte guard in (byte[])[0xFF, 0x00])
        {
            var buffer = Guarded(vector.Length, guard);
            vector.CopyTo(buffer.AsSpan(GuardLength));
            Assert.Equal(whole, read(buffer.AsSpan(GuardLength, vector.Length)));
            AssertGuards(buffer, vector.Length, guard);
        }
        return whole;
    }

    /// <summary>The writer makes <paramref name="expected"/>, in a destination of that size and in a larger one.</summary>
    public static void Writing(ReadOnlySpan<byte> expected, Write write)
    {
        foreach (var extra in (int[])[0, 32])
        {
            var buffer = Guarded(expected.Length + extra, 0xFF);
            var length = write(buffer.AsSpan(GuardLength, expected.Length + extra));
            Assert.Equal(Convert.ToHexStringLower(expected), Convert.ToHexStringLower(buffer.AsSpan(GuardLength, length)));
            AssertGuards(buffer, expected.Length, 0xFF);
        }
    }

    private static byte[] Guarded(int length, byte guard)
    {
        var buffer = new byte[GuardLength + length + GuardLength];
        Array.Fill(buffer, guard);
        return buffer;
    }

    private static void AssertGuards(byte[] buffer, int length, byte guard)
    {
        Assert.Equal(-1, buffer.AsSpan(0, GuardLength).IndexOfAnyExcept(guard));
        Assert.Equal(-1, buffer.AsSpan(GuardLength + length).IndexOfAnyExcept(guard));
    }
}
