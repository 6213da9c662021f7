using System.Collections.Concurrent;
using System.ComponentModel;
using System.Diagnostics;
using Voice.Client.WebRtc;
using Voice.Load.Linux;

namespace Voice.Load.Generator;

/// <summary>All participants on one thread: sends what is due, reads every socket, and checks what came. While it spins it makes no system call
/// that waits, so that nobody who sends to it pays for waking it.</summary>
internal sealed unsafe class LoadGenerator : IDisposable
{
    /// <summary>Reading more at once would be a little cheaper, and what falls due meanwhile would reach the server as a burst that no crowd sends.</summary>
    private const int EventsAtOnce = 64;

    private const int SendsAtOnce = 16;
    private const int MaxDatagram = 2048;

    private readonly ConcurrentQueue<Action> mailbox = new();
    private readonly List<Participant> participants = [];
    private readonly List<Participant> joining = [];
    private readonly Mouths mouths;
    private readonly Ears ears;
    private readonly Thread thread;
    private readonly int epoll;
    private TalkSchedule schedule = new([], 0);
    private Tally tally = new();
    private long keepaliveDue;
    private int keepaliveNext;
    private volatile bool stopping;
    private volatile bool spins;
    private volatile bool keepsAlive = true;

    /// <param name="core">For the thread.</param>
    public LoadGenerator(Payloads payloads, int core)
    {
        epoll = Libc.epoll_create1(0);
        if (epoll < 0) throw new Win32Exception();
        mouths = new Mouths(payloads);
        ears = new Ears(payloads, participants, mouths);
        thread = new(() => Run(core)) { IsBackground = true, Name = "load generator" };
        thread.Start();
    }

    /// <summary>Nanoseconds, monotonic.</summary>
    public static long Now => Stopwatch.GetTimestamp() * (1_000_000_000 / Stopwatch.Frequency);

    /// <summary>Never waits for packets: for measuring.</summary>
    public bool Spins
    {
        get => spins;
        set => spins = value;
    }

    /// <summary>Off for as long as the sockets are another sender's.</summary>
    public bool KeepsAlive
    {
        get => keepsAlive;
        set => keepsAlive = value;
    }

    /// <summary>Participants whom the server no longer answers, since the start.</summary>
    public int Lost => mouths.Lost;

    /// <summary>Packets of talkers that listeners got, since the start.</summary>
    public long Audio => ears.Audio;

    /// <summary>What the floor's loop sent and was read here, since the start.</summary>
    public long FloorPackets => ears.FloorPackets;

    /// <summary>Its socket is read from now on.</summary>
    public void Add(Participant participant) => mailbox.Enqueue(() =>
    {
        Debug.Assert(participants.Count == participant.Number, "numbers are places in the list");
        participants.Add(participant);
        var change = new Libc.EpollEvent { Events = Libc.EpollIn, Data = participant.Number };
        if (Libc.epoll_ctl(epoll, Libc.EpollAdd, participant.Descriptor, &change) != 0) throw new Win32Exception();
    });

    /// <summary>Begins with connectivity checks, and takes what comes of the handshake.</summary>
    public Task Check(Participant participant) => Do(() =>
    {
        var ice = participant.Credentials!;
        participant.Ice = new IceClient(ice.LocalUfrag, ice.RemoteUfrag, ice.RemotePassword, Stopwatch.GetElapsedTime(0), ulong.MaxValue);
        participant.Inbox = new DtlsInbox(datagram => participant.Socket.Send(datagram));
        joining.Add(participant);
        return true;
    });

    /// <summary>Tells the server where a native client is; the keepalive's echo says that it knows.</summary>
    public Task Greet(Participant participant) => Do(() =>
    {
        mouths.SayNothing(participant, Now);
        mouths.KeepAlive(participant);
        return true;
    });

    /// <summary>Runs on the generator's thread.</summary>
    public Task<T> Do<T>(Func<T> action)
    {
        var done = new TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously);
        mailbox.Enqueue(() =>
        {
            try
            {
                done.SetResult(action());
            }
            catch (Exception e)
            {
                done.SetException(e);
            }
        });
        return done.Task;
    }

    /// <summary>These talk from now on, and nobody else.</summary>
    public Task Talk(IReadOnlyCollection<Talker> talkers) => Do(() =>
    {
        foreach (var talker in schedule.Talkers) talker.Pauses = true;
        schedule = new TalkSchedule(talkers, Now);
        return true;
    });

    /// <summary>Counts from now on, whatever is sent from now on.</summary>
    public Task OpenWindow() => Do(() =>
    {
        tally = new Tally();
        foreach (var talker in schedule.Talkers) (talker.WindowStart, talker.WindowEnd) = (talker.Sent, ulong.MaxValue);
        return true;
    });

    /// <summary>What is sent from now on is not counted; what was is, for as long as it takes to come.</summary>
    public Task CloseWindow() => Do(() =>
    {
        foreach (var talker in schedule.Talkers)
        {
            talker.WindowEnd = talker.Sent;
            var sent = (long)(talker.WindowEnd - talker.WindowStart);
            tally.Sent += sent;
            tally.Expected += sent * talker.Listeners;
        }

        return true;
    });

    /// <summary>Of the open window: what listeners should have got by now, and what they got. The difference holds what is on its way.</summary>
    public Task<(long Expected, long Received)> Balance() => Do(() =>
    {
        var expected = 0L;
        foreach (var talker in schedule.Talkers) expected += (long)(talker.Sent - talker.WindowStart) * talker.Listeners;
        return (expected, tally.Received);
    });

    /// <summary>Of the window that was closed.</summary>
    public Task<Tally> Result() => Do(() => tally);

    public void Dispose()
    {
        stopping = true;
        thread.Join();
        foreach (var participant in participants) participant.Dispose();
        _ = Libc.close(epoll);
    }

    private void Run(int core)
    {
        Cores.PinThread(core);
        Libc.GoFirst();
        var buffer = GC.AllocateUninitializedArray<byte>(MaxDatagram, pinned: true);
        var events = GC.AllocateUninitializedArray<Libc.EpollEvent>(EventsAtOnce, pinned: true);
        fixed (byte* bytes = buffer)
        fixed (Libc.EpollEvent* ready = events)
        {
            while (!stopping)
            {
                while (mailbox.TryDequeue(out var action)) action();
                Send();
                var count = spins ? Libc.epoll_poll(epoll, ready, EventsAtOnce, 0) : Libc.epoll_wait(epoll, ready, EventsAtOnce, 1);
                for (var i = 0; i < count; i++) Read(participants[(int)ready[i].Data], bytes);
            }
        }
    }

    private void Send()
    {
        var now = Now;
        for (var i = 0; i < SendsAtOnce && schedule.TryNext(now, out var talker, out var due); i++)
        {
            if (talker.Speech?.Next() == false) talker.Pauses = true;
            else mouths.Say(talker, due, tally);
        }

        for (var i = 0; i < joining.Count; i++)
        {
            var participant = joining[i];
            if (mouths.IsReached(participant)) joining.RemoveAt(i--);
        }

        if (!keepsAlive || participants.Count == 0 || now < keepaliveDue) return;
        keepaliveNext = (keepaliveNext + 1) % participants.Count;
        keepaliveDue = Math.Max(keepaliveDue + Mouths.KeepaliveNanoseconds / participants.Count, now - 10_000_000);
        mouths.KeepAlive(participants[keepaliveNext]);
    }

    /// <summary>One datagram: where more wait, the socket is named again.</summary>
    private void Read(Participant participant, byte* buffer)
    {
        var length = Libc.recv(participant.Descriptor, buffer, MaxDatagram, Libc.DontWait);
        // An error is what ICMP said of an earlier packet of ours: reading it clears it.
        if (length > 0) ears.Hear(participant, new Span<byte>(buffer, (int)length), Now, tally);
    }
}
