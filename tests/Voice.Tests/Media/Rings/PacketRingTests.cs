using CsCheck;
using Voice.Media.Rings;
using Xunit;

namespace Voice.Tests.Media.Rings;

public class PacketRingTests
{
    private enum Step
    {
        Write,
        Read,
        Drain,
    }

    [Fact]
    public void What_goes_in_comes_out_in_order_and_only_a_full_ring_refuses() => Gen
        .Select(Gen.Frequency((5, Gen.Const(Step.Write)), (4, Gen.Const(Step.Read)), (1, Gen.Const(Step.Drain))), Gen.Int[0, 200]).Array[0, 300].Sample(script =>
        {
            var ring = new PacketRing(1024);
            var model = new Queue<(ulong Number, int Length)>();
            ulong written = 0;
            foreach (var (step, length) in script)
            {
                switch (step)
                {
                    case Step.Write when ring.TryWrite(Header(++written, length), Payload(written, length)):
                        model.Enqueue((written, length));
                        break;
                    case Step.Write:
                        // Full for this one: headers are of 40 bytes, and at most one record's length is left unused at the end.
                        Assert.True(model.Sum(one => 48 + one.Length) + 2 * (48 + 200) > 1024);
                        break;
                    default:
                        do AssertNext(ring, model);
                        while (step == Step.Drain && model.Count > 0);
                        break;
                }

                Assert.Equal(model.Count == 0, ring.IsEmpty);
            }
        });

    [Fact]
    public async Task Two_threads_lose_nothing_and_mix_nothing_up()
    {
        const int Count = 200_000;
        var ring = new PacketRing(4096);
        var reader = Task.Run(() =>
        {
            for (ulong number = 1; number <= Count; number++)
            {
                RingHeader header;
                ReadOnlySpan<byte> payload;
                var spin = new SpinWait();
                while (!ring.TryRead(out header, out payload)) spin.SpinOnce();
                Assert.Equal(Header(number, Length(number)), header);
                Assert.True(payload.SequenceEqual(Payload(number, Length(number))));
                ring.Release();
            }
        }, TestContext.Current.CancellationToken);

        for (ulong number = 1; number <= Count && !reader.IsCompleted; number++)
        {
            var spin = new SpinWait();
            while (!ring.TryWrite(Header(number, Length(number)), Payload(number, Length(number))) && !reader.IsCompleted) spin.SpinOnce();
        }

        await reader;
        Assert.True(ring.IsEmpty);
    }

    /// <summary>A sleep that nobody ends would not end.</summary>
    [Fact]
    public async Task Nobody_sleeps_while_something_waits()
    {
        const int Count = 50_000;
        var ring = new PacketRing(4096);
        using var sleep = new SemaphoreSlim(0);
        var (fellAsleep, woken) = (0, 0);
        var doorbell = new Doorbell(() =>
        {
            woken++;
            sleep.Release();
        });
        var reader = Task.Run(async () =>
        {
            for (var read = 0; read < Count;)
            {
                while (ring.TryRead(out _, out _))
                {
                    ring.Release();
                    read++;
                }

                fellAsleep++;
                doorbell.FallAsleep();
                if (read < Count && ring.IsEmpty) await sleep.WaitAsync(TestContext.Current.CancellationToken);
                doorbell.GetUp();
            }
        }, TestContext.Current.CancellationToken);

        for (var i = 0; i < Count; i++)
        {
            while (!ring.TryWrite(Header(1, 0), [])) Thread.Yield();
            doorbell.Ring();
        }

        await reader;
        Assert.InRange(woken, 0, fellAsleep);
    }

    private static int Length(ulong number) => (int)(number * 7 % 150);

    private static RingHeader Header(ulong number, int length) =>
        new(number, (long)number * 3, (long)number * 4, (uint)number, (uint)number * 5, (ushort)length, (byte)number, RingFlags.Marker);

    private static byte[] Payload(ulong number, int length)
    {
        var payload = new byte[length];
        payload.AsSpan().Fill((byte)number);
        return payload;
    }

    private static void AssertNext(PacketRing ring, Queue<(ulong Number, int Length)> model)
    {
        Assert.Equal(model.Count > 0, ring.TryRead(out var header, out var payload));
        if (model.Count == 0) return;
        var (number, length) = model.Dequeue();
        Assert.Equal(Header(number, length), header);
        Assert.True(payload.SequenceEqual(Payload(number, length)));
        ring.Release();
    }
}
