namespace Voice.Fuzz;

/// <summary>Makes inputs from kept ones without an instrumenting fuzzer: less thorough, but it runs anywhere, and the same each time.</summary>
public sealed class Mutator(int seed)
{
    private static readonly byte[] Interesting = [0x00, 0x01, 0x03, 0x04, 0x0F, 0x10, 0x7F, 0x80, 0x81, 0xBE, 0xC8, 0xDE, 0xFE, 0xFF];

    private readonly Random random = new(seed);

    /// <summary>One to eight changes: bits flipped, bytes replaced, a piece cut out, repeated or filled, the end cut off or grown.</summary>
    public byte[] Mutate(byte[] source)
    {
        var bytes = source.ToList();
        for (var changes = random.Next(1, 9); changes > 0; changes--)
        {
            var at = random.Next(bytes.Count + 1);
            var length = Math.Min(random.Next(1, 9), bytes.Count - at);
            switch (random.Next(7))
            {
                case 0 when length > 0: bytes[at] ^= (byte)(1 << random.Next(8)); break;
                case 1 when length > 0: bytes[at] = Interesting[random.Next(Interesting.Length)]; break;
                case 2 when length > 0: bytes[at] = (byte)random.Next(256); break;
                case 3: bytes.RemoveRange(at, length); break;
                case 4: bytes.InsertRange(at, bytes.GetRange(at, length)); break;
                case 5: bytes.RemoveRange(at, bytes.Count - at); break;
                case 6: bytes.AddRange(Enumerable.Repeat(Interesting[random.Next(Interesting.Length)], random.Next(1, 17))); break;
            }
        }
        return [.. bytes];
    }
}
