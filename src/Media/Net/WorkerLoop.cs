using System.Collections.Concurrent;
using System.Diagnostics;
using Voice.Media.Dtls;
using Voice.Protocol.Links;

namespace Voice.Media.Net;

/// <summary>A worker's thread: waits for datagrams, mail and time, and hands them to <see cref="Worker"/>.</summary>
public sealed class WorkerLoop : IDisposable
{
    /// <summary>Datagrams between two looks at mailbox and timers.</summary>
    private const int Burst = 64;

    private readonly UdpPort port;
    private readonly ConcurrentQueue<Action<Worker>> mailbox = new();
    private readonly Thread thread;
    private readonly byte[] buffer = new byte[Worker.MaxDatagram + 1];
    private volatile bool stopping;

    /// <param name="port">Owned from here on.</param>
    public WorkerLoop(int index, UdpPort port, DtlsServer dtls, Action<MediaEvent> events, Action<string> log)
    {
        this.port = port;
        Worker = new(new(index, port, dtls, Post, events, log, new Random()));
        thread = new(Run) { IsBackground = true, Name = $"worker {index}" };
    }

    /// <summary>For its counters; everything else is the thread's own.</summary>
    public Worker Worker { get; }

    public void Start() => thread.Start();

    /// <summary>Runs <paramref name="message"/> on the worker's thread; any thread may post. The worker wakes at once.</summary>
    public void Post(Action<Worker> message)
    {
        mailbox.Enqueue(message);
        port.Wake();
    }

    /// <summary>Any thread; see <see cref="Worker.Apply"/>.</summary>
    public void Apply(IReadOnlyList<MediaChange> changes) => Post(worker => worker.Apply(changes, Now()));

    /// <summary>Any thread; see <see cref="Worker.Replace"/>.</summary>
    public void Replace(IReadOnlyList<MediaChange> changes) => Post(worker => worker.Replace(changes, Now()));

    public void Dispose()
    {
        stopping = true;
        port.Wake();
        if (thread.IsAlive) thread.Join();
        port.Dispose();
    }

    private void Run()
    {
        var nextTick = TimeSpan.Zero;
        while (!stopping)
        {
            while (mailbox.TryDequeue(out var message)) message(Worker);

            for (var i = 0; i < Burst && port.TryReceive(buffer, out var length, out var from); i++)
            {
                Worker.Receive(buffer.AsSpan(0, length), from, Now());
            }
            var now = Now();
            if (now >= nextTick)
            {
                Worker.Tick(now);
                nextTick = now + Worker.TickInterval;
            }
            port.Wait(nextTick - now); // returns at once if a datagram was left, or mail came
        }
    }

    /// <summary>Monotonic, and never zero: from the machine's start.</summary>
    private static TimeSpan Now() => Stopwatch.GetElapsedTime(0);
}
