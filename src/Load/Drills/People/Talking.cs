using Voice.Load.Generator;
using Voice.Load.Linux;

namespace Voice.Load.Drills.People;

/// <param name="Number">What its packets carry.</param>
internal readonly record struct Talker(int Number, Func<ReadOnlyMemory<byte>, ValueTask<bool>> Say);

/// <summary>All talkers of the crowd on one thread: each once in 20 ms, at a time of its own. Whether or not a client has a path at the moment, its talker
/// talks.</summary>
internal sealed class Talking : IDisposable
{
    public const long Frame = 20_000_000;

    /// <summary>Half a frame.</summary>
    private const long Late = Frame / 2;

    /// <summary>Later than this, the schedule moves, in whole frames.</summary>
    private const long TooLate = 200_000_000;

    /// <summary>Between two looks at the clock; longer, and every talker missed its time, once at least.</summary>
    private const long Stall = 2 * Frame;

    private readonly Talker[] talkers;
    private readonly Payloads payloads;
    private readonly byte[][] packets;
    private readonly ulong[] said;
    private readonly Thread thread;
    private readonly List<(long From, long To)> stalls = [];
    private long sent;
    private long sentLate;
    private volatile bool stopping;

    public Talking(IEnumerable<Talker> talkers, Payloads payloads)
    {
        (this.talkers, this.payloads) = ([.. talkers], payloads);
        packets = [.. this.talkers.Select(_ => new byte[payloads.MaxLength])];
        said = new ulong[this.talkers.Length];
        thread = new(Run) { IsBackground = true, Name = "talkers" };
        thread.Start();
    }

    public long Sent => Interlocked.Read(ref sent);

    public long SentLate => Interlocked.Read(ref sentLate);

    /// <summary>When nobody talked, though somebody should have. Valid after <see cref="Dispose"/>.</summary>
    public IReadOnlyList<(long From, long To)> Stalls => stalls;

    public void Dispose()
    {
        stopping = true;
        thread.Join();
    }

    private void Run()
    {
        Libc.GoFirst();
        var round = LoadGenerator.Now;
        var next = 0;
        var looked = round;
        while (!stopping)
        {
            var now = LoadGenerator.Now;
            if (now - looked > Stall) stalls.Add((looked, now));
            looked = now;
            var due = round + Frame * next / talkers.Length;
            if (due > now)
            {
                Thread.Sleep(1);
                continue;
            }

            if (now - due > TooLate)
            {
                var skipped = (now - due) / Frame;
                round += skipped * Frame;
                due += skipped * Frame;
            }

            Say(next, now);
            Interlocked.Increment(ref sent);
            if (now - due > Late) Interlocked.Increment(ref sentLate);
            if (++next < talkers.Length) continue;
            next = 0;
            round += Frame;
        }
    }

    private void Say(int number, long now)
    {
        var talker = talkers[number];
        var length = payloads.Write(packets[number], talker.Number, said[number]++, now);
        try
        {
            var sending = talker.Say(packets[number].AsMemory(0, length));
            if (!sending.IsCompletedSuccessfully) _ = Ended(sending.AsTask()); // the first after a pause tells so first
        }
        catch (ObjectDisposedException)
        {
            // Its session is just ending: lost, as it would be at once if it were not.
        }
    }

    private static async Task Ended(Task<bool> sending) => await Task.WhenAny(sending);
}
