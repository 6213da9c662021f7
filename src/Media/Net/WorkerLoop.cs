using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net.Sockets;
using Voice.Media.Checkpoints;
using Voice.Media.Dtls;
using Voice.Media.Net.Linux;
using Voice.Media.Rings;
using Voice.Protocol.Links;
using Voice.Protocol.Rtp;

namespace Voice.Media.Net;

/// <summary>A worker's thread: waits for datagrams, mail and time, and hands them to <see cref="Worker"/>.</summary>
public sealed class WorkerLoop : IDisposable
{
    /// <summary>Media that waited longer would be played too late, or not at all. What else waited is still of use: an answered check keeps a client
    /// from looking for another way.</summary>
    private static readonly TimeSpan MaxAge = TimeSpan.FromMilliseconds(200);

    private readonly UdpPort port;
    private readonly Doorbell doorbell;
    private readonly ConcurrentQueue<Action<Worker>> mailbox = new();
    private readonly Thread thread;
    private volatile bool told;
    private volatile bool stopping;
    private bool first;
    private int before;

    /// <param name="sockets">Of its port; owned from here on.</param>
    /// <param name="rings">Between the workers of the process.</param>
    /// <param name="faults">Null: none.</param>
    internal WorkerLoop(
        int index, Socket[] sockets, DtlsServer dtls, WorkerRings rings, WorkerCheckpoints checkpoints, Action<MediaEvent> events, Action<string> log,
        Faults? faults = null)
    {
        var counters = new WorkerCounters();
        port = UdpPort.Open(counters, sockets);
        doorbell = new(port.Wake);
        rings.Connect(index, doorbell);
        var sending = faults is null ? (IDatagramPort)port : new FaultyPort(port, faults);
        Worker = new(new(index, sending, counters, dtls, Post, events, log, new Random()) { Rings = rings, Checkpoints = checkpoints });
        thread = new(Run) { IsBackground = true, Name = $"worker {index}" };
    }

    /// <summary>For its counters; everything else is the thread's own.</summary>
    public Worker Worker { get; }

    public void Start()
    {
        told = true;
        if (thread.ThreadState.HasFlag(System.Threading.ThreadState.Unstarted)) thread.Start();
    }

    /// <summary>As <see cref="Start"/>, for people: whoever joins can wait a moment, and whoever talks cannot.</summary>
    public void StartFirst()
    {
        first = true;
        Start();
    }

    /// <summary>As <see cref="StartFirst"/>, once another process has retired, or when that is called.</summary>
    public void Follow(int process)
    {
        (first, before) = (true, process);
        thread.Start();
    }

    /// <summary>Runs <paramref name="message"/> on the worker's thread; any thread may post. The worker wakes at once.</summary>
    public void Post(Action<Worker> message)
    {
        mailbox.Enqueue(message);
        doorbell.Ring();
    }

    /// <summary>Any thread; see <see cref="Worker.Apply"/>.</summary>
    public void Apply(IReadOnlyList<MediaChange> changes) => Post(worker => worker.Apply(changes, Now()));

    /// <summary>Any thread; see <see cref="Worker.Begin"/>.</summary>
    public void Begin(IReadOnlyList<MediaChange> changes) => Post(worker => worker.Begin(changes, Now()));

    /// <summary>Any thread; see <see cref="Worker.Settle"/>.</summary>
    public void Settle() => Post(worker => worker.Settle());

    /// <summary>What was begun is done, and then nothing is read or sent any more. Any thread; <see cref="Stopped"/> waits for it.</summary>
    public void Stop()
    {
        stopping = true;
        doorbell.Ring();
    }

    /// <summary>Returns when the thread has ended.</summary>
    public void Stopped()
    {
        if (thread.IsAlive) thread.Join();
    }

    public void Dispose()
    {
        Stop();
        Stopped();
        port.Dispose();
    }

    private void Run()
    {
        var nextTick = TimeSpan.Zero;
        var backlog = true;
        if (first && OperatingSystem.IsLinux()) _ = Libc.nice(-10);
        while (!told && !stopping && Worker.Checkpoints.RetiredBy != before) Thread.Sleep(1);
        while (!stopping)
        {
            while (mailbox.TryDequeue(out var message)) message(Worker);

            var now = Now();
            Worker.TakeMail(now);
            var received = port.Receive();
            if (received > 1) Preload(received);
            for (var i = 0; i < received; i++)
            {
                var datagram = port.Datagram(i, out var from, out var receivedAt);
                port.ReceivedAt = receivedAt;
                // What waited for a process to read it arrived when the kernel says.
                var age = backlog ? port.Age(receivedAt) : TimeSpan.Zero;
                if (age > MaxAge && Demux.Classify(datagram) is PacketKind.Rtp or PacketKind.Rtcp) Worker.Counters.Drop(DropReason.Stale);
                else Worker.Receive(datagram, from, now - age);
            }
            backlog &= received > 0;
            port.ReceivedAt = 0;
            if (received > 0) Worker.Counters.Batch(received);
            if (now >= nextTick)
            {
                Worker.Tick(now);
                Worker.Counters.Busy(ProcessorTime());
                Worker.Counters.Allocated(GC.GetAllocatedBytesForCurrentThread());
                nextTick = now + Worker.TickInterval;
            }
            port.Flush();
            if (received > 0) continue;
            doorbell.FallAsleep();
            if (mailbox.IsEmpty && !Worker.HasMail && !stopping) port.Wait(nextTick - now); // returns at once if a datagram came meanwhile
            doorbell.GetUp();
        }
    }

    private void Preload(int received)
    {
        for (var i = 0; i < received; i++)
        {
            port.Datagram(i, out var from, out _);
            Worker.Preload(from);
        }
    }

    /// <summary>Of this thread.</summary>
    private static TimeSpan ProcessorTime() =>
        OperatingSystem.IsLinux() ? TimeSpan.FromTicks(Libc.Clock(Libc.ClockThreadCpu) / 100) : TimeSpan.Zero;

    /// <summary>Monotonic, and never zero: from the machine's start.</summary>
    private static TimeSpan Now() => Stopwatch.GetElapsedTime(0);
}
