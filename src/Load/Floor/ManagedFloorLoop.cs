using System.Net;
using System.Net.Sockets;
using Voice.Load.Linux;

namespace Voice.Load.Floor;

/// <summary>What floor.c does, where there is no compiler.</summary>
internal sealed unsafe class ManagedFloorLoop : FloorLoop
{
    private const int Burst = 64;
    private const int BurstsAtOnce = 4;
    private const int BufferBytes = 4 * 1024 * 1024;
    private const int AddressLength = 16;
    private const int ReusePort = 15;

    private readonly int[] cores;
    private readonly Socket unconnected;
    private readonly Socket[] connected;
    private readonly int[] descriptors;
    private readonly byte[] packet;
    private readonly byte[] addresses;

    public ManagedFloorLoop(IPAddress address, int length, IReadOnlyList<int> ports, int[] cores)
    {
        this.cores = cores;
        packet = GC.AllocateUninitializedArray<byte>(length, pinned: true);
        packet.AsSpan().Fill(Generator.Ears.FloorMark);
        unconnected = Open(address, 0);
        Port = ((IPEndPoint)unconnected.LocalEndPoint!).Port;
        connected = new Socket[ports.Count];
        addresses = GC.AllocateUninitializedArray<byte>(ports.Count * AddressLength, pinned: true);
        for (var i = 0; i < connected.Length; i++)
        {
            var peer = new IPEndPoint(address, ports[i]);
            peer.Serialize().Buffer.Span[..AddressLength].CopyTo(addresses.AsSpan(i * AddressLength));
            connected[i] = Open(address, Port);
            connected[i].Connect(peer);
        }

        descriptors = [.. connected.Select(socket => (int)socket.Handle)];
    }

    public override int Port { get; }

    public override string Built => "C#, for there is no gcc";

    public override Task<(long Sent, long Failed, long CpuNanoseconds, long Nanoseconds)> Run(string method, double seconds, long pace, CancellationToken cancel)
    {
        var done = new TaskCompletionSource<(long, long, long, long)>(TaskCreationOptions.RunContinuationsAsynchronously);
        var thread = new Thread(Run) { IsBackground = true };
        thread.Start();
        return done.Task;

        void Run()
        {
            Cores.PinThread(cores);
            done.SetResult(Loop(method, (long)(seconds * 1e9), pace));
        }
    }

    public override ValueTask DisposeAsync()
    {
        unconnected.Dispose();
        foreach (var socket in connected) socket.Dispose();
        return ValueTask.CompletedTask;
    }

    private static Socket Open(IPAddress address, int port)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp) { SendBufferSize = BufferBytes };
        socket.SetRawSocketOption(Libc.SocketLevel, ReusePort, BitConverter.GetBytes(1));
        socket.Bind(new IPEndPoint(address, port));
        return socket;
    }

    private (long Sent, long Failed, long Cpu, long Time) Loop(string method, long time, long pace)
    {
        var (sent, failed, cpu) = (0L, 0L, 0L);
        var start = Generator.LoadGenerator.Now;
        var now = start;
        while (now - start < time)
        {
            var before = ThreadTime();
            for (var i = 0; i < BurstsAtOnce; i++, sent += Burst)
            {
                var next = (int)(sent % descriptors.Length);
                failed += method switch
                {
                    "sendmmsg" => SendMany(next),
                    "send" => SendConnected(next),
                    _ => SendTo(next),
                };
            }

            cpu += ThreadTime() - before;
            do now = Generator.LoadGenerator.Now;
            while (pace > 0 && now - start < time && now - start < sent * 1e9 / pace);
        }

        return (sent, failed, cpu, now - start);
    }

    private long SendTo(int next)
    {
        var failed = 0L;
        fixed (byte* bytes = packet)
        fixed (byte* peers = addresses)
        {
            for (var i = 0; i < Burst; i++)
            {
                var peer = peers + (next + i) % descriptors.Length * AddressLength;
                if (Libc.sendto((int)unconnected.Handle, bytes, packet.Length, Libc.DontWait, peer, AddressLength) < 0) failed++;
            }
        }

        return failed;
    }

    private long SendConnected(int next)
    {
        var failed = 0L;
        fixed (byte* bytes = packet)
        {
            for (var i = 0; i < Burst; i++)
            {
                if (Libc.send(descriptors[(next + i) % descriptors.Length], bytes, packet.Length, Libc.DontWait) < 0) failed++;
            }
        }

        return failed;
    }

    private long SendMany(int next)
    {
        var messages = stackalloc Libc.MessageHeader[Burst];
        fixed (byte* bytes = packet)
        fixed (byte* peers = addresses)
        {
            var data = new Libc.Vector { Base = bytes, Length = packet.Length };
            for (var i = 0; i < Burst; i++)
            {
                messages[i] = new Libc.MessageHeader
                {
                    Name = peers + (next + i) % descriptors.Length * AddressLength,
                    NameLength = AddressLength,
                    Vectors = &data,
                    VectorCount = 1,
                };
            }

            return Burst - Math.Max(0, Libc.sendmmsg((int)unconnected.Handle, messages, Burst, Libc.DontWait));
        }
    }

    private static long ThreadTime()
    {
        var time = stackalloc long[2];
        _ = Libc.clock_gettime(Libc.ThreadClock, time);
        return time[0] * 1_000_000_000 + time[1];
    }
}
