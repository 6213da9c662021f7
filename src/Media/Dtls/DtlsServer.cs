using Voice.Protocol.Dtls;

namespace Voice.Media.Dtls;

/// <summary>Runs DTLS handshakes on threads of its own, because BouncyCastle blocks and reads its own clock: at most
/// <paramref name="maxThreads"/> at a time, with at most <paramref name="maxQueued"/> waiting. Nearly all of them wait for their client; to compute
/// they take turns, so that many who join at once leave the workers their processors. A thread ends when idle.</summary>
public sealed class DtlsServer(int maxThreads = 256, int maxQueued = 4096) : IDisposable
{
    /// <summary>Certificates nest, but BouncyCastle says how deeply.</summary>
    private const int StackSize = 256 << 10;

    private static readonly TimeSpan IdleTime = TimeSpan.FromSeconds(10);

    private readonly Queue<DtlsSession> queue = new();
    private readonly SemaphoreSlim turns = new(Math.Max(1, Environment.ProcessorCount / 2));
    private int threads;
    private int idle;
    private bool stopped;

    /// <summary>Used by handshakes that start from now on. Null: none can.</summary>
    public DtlsCredentials? Identity { get; set; }

    /// <summary>Any thread. Null when too many handshakes wait already.</summary>
    public DtlsSession? TryStart(DtlsPeer peer)
    {
        if (Identity is not { } identity) return null;
        lock (queue)
        {
            if (stopped || queue.Count >= maxQueued) return null;
            var session = new DtlsSession(identity, peer, turns);
            queue.Enqueue(session);
            if (idle >= queue.Count || threads == maxThreads)
            {
                Monitor.Pulse(queue);
            }
            else
            {
                threads++;
                new Thread(Run, StackSize) { IsBackground = true, Name = "dtls" }.Start();
            }
            return session;
        }
    }

    public void Dispose()
    {
        lock (queue)
        {
            stopped = true;
            queue.Clear();
            Monitor.PulseAll(queue);
        }
    }

    private void Run()
    {
        while (TryTake(out var session))
        {
            turns.Wait();
            session.Handshake();
            turns.Release();
        }
    }

    private bool TryTake(out DtlsSession session)
    {
        lock (queue)
        {
            idle++;
            while (!queue.TryDequeue(out session!))
            {
                if (!stopped && Monitor.Wait(queue, IdleTime)) continue;
                if (queue.Count > 0) continue;
                idle--;
                threads--;
                return false;
            }
            idle--;
            return true;
        }
    }
}
