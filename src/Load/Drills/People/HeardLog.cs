using Voice.Load.Generator;

namespace Voice.Load.Drills.People;

/// <param name="At">Nanoseconds of <see cref="LoadGenerator.Now"/>.</param>
/// <param name="Number">Which packet.</param>
internal readonly record struct Heard(long At, uint Number);

/// <summary>A listener's packets in the order in which they came: 8 bytes each, in pieces, so that nothing is copied as it grows. One may write while
/// others read.</summary>
/// <param name="start">Nanoseconds; nothing is older.</param>
internal sealed class HeardLog(long start)
{
    private const int Piece = 4096;
    private const long Unit = 10_000; // 10 µs: 32 bits of them are twelve hours

    private readonly Lock gate = new();
    private readonly List<(uint At, uint Number)[]> pieces = [];
    private int count;
    private long last;

    /// <summary>Of the last packet; 0: none.</summary>
    public long Last => Volatile.Read(ref last);

    public int Count => Volatile.Read(ref count);

    public void Add(long now, uint number)
    {
        lock (gate)
        {
            if (count % Piece == 0) pieces.Add(new (uint, uint)[Piece]);
            pieces[^1][count % Piece] = ((uint)((now - start) / Unit), number);
            Volatile.Write(ref count, count + 1);
            Volatile.Write(ref last, now);
        }
    }

    /// <summary>What was there when it was called.</summary>
    public IEnumerable<Heard> Read()
    {
        (uint At, uint Number)[][] read;
        int end;
        lock (gate) (read, end) = ([.. pieces], count);
        for (var i = 0; i < end; i++)
        {
            var (at, number) = read[i / Piece][i % Piece];
            yield return new(start + at * Unit, number);
        }
    }
}
