using System.Collections.Concurrent;
using System.ComponentModel;
using System.Net;
using Voice.Load.Linux;
using Voice.Protocol.Dtls;
using Voice.Protocol.Links;
using Voice.Signaling.VoiceServer;

namespace Voice.Load.Server;

/// <summary>A media process of the bench's own, on its own cores, told over the media link what to forward: the node's part is played here.</summary>
internal sealed class MediaServer : TestedServer
{
    private static readonly TimeSpan ReportTimeout = TimeSpan.FromSeconds(30);

    private readonly MediaChild child;
    private readonly MediaSockets sockets;
    private readonly MediaMemory memory;
    private readonly SemaphoreSlim telling = new(1, 1);
    private readonly ConcurrentDictionary<uint, TaskCompletionSource> ready = new();
    private readonly TaskCompletionSource<int> started = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private TaskCompletionSource<ServerSample> next = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Task receiving;
    private long revision;

    private MediaServer(MediaChild child, MediaSockets sockets, MediaMemory memory, int[] cores)
        : base(cores)
    {
        (this.child, this.sockets, this.memory) = (child, sockets, memory);
        Ports = [.. sockets.Announced.Select(addresses => addresses[0].Port)];
        receiving = Receive();
    }

    public int Workers => sockets.Announced.Length;

    public int[] Ports { get; }

    /// <param name="command">Program and arguments of a media process.</param>
    /// <param name="network">Where its sockets are; null: here, on loopback.</param>
    /// <exception cref="LoadException">It does not start.</exception>
    public static async Task<MediaServer> StartAsync(string[] command, NetworkNamespace? network, int workers, int[] cores, CancellationToken cancel)
    {
        var address = network?.Inside ?? IPAddress.Loopback;
        var addresses = new MediaAddresses(new(address, address), null);
        var sockets = network is null ? MediaSockets.Open(addresses, 0, workers) : network.Enter(() => MediaSockets.Open(addresses, 0, workers));
        var memory = MediaMemory.Create(workers);
        MediaServer server;
        try
        {
            server = new MediaServer(StartPinned(command, sockets, memory, cores), sockets, memory, cores);
        }
        catch (Win32Exception e)
        {
            sockets.Dispose();
            memory.Dispose();
            throw new LoadException($"the media process {command[0]} cannot be started ({e.Message})", e);
        }

        server.ProcessId = await server.started.Task.WaitAsync(cancel);
        var identity = DtlsIdentity.Make(DateTimeOffset.UtcNow);
        server.Fingerprint = identity.Fingerprint;
        await server.child.Link.SendAsync(new MediaSnapshot(++server.revision, identity.Certificate, identity.PrivateKey, []), cancel);
        return server;
    }

    /// <summary>SHA-256 of its DTLS certificate.</summary>
    public byte[] Fingerprint { get; private set; } = [];

    public IPEndPoint EndPoint(int worker) => sockets.Announced[worker][0];

    public async Task Tell(MediaChange[] changes, CancellationToken cancel)
    {
        await telling.WaitAsync(cancel);
        try
        {
            await child.Link.SendAsync(new MediaDelta(++revision, changes), cancel);
        }
        finally
        {
            telling.Release();
        }
    }

    /// <summary>Completes when the media process says that it takes packets of this UDP transport.</summary>
    public Task Ready(uint transport) => ready.GetOrAdd(transport, _ => new(TaskCreationOptions.RunContinuationsAsynchronously)).Task;

    /// <summary>At its next report: once a second.</summary>
    public override Task<ServerSample> NextSample(CancellationToken cancel) => Volatile.Read(ref next).Task.WaitAsync(ReportTimeout, cancel);

    public override async ValueTask DisposeAsync()
    {
        await child.DisposeAsync();
        await receiving;
        sockets.Dispose();
        memory.Dispose();
        telling.Dispose();
    }

    /// <summary>A child inherits the cores of the thread that starts it.</summary>
    private static MediaChild StartPinned(string[] command, MediaSockets sockets, MediaMemory memory, int[] cores)
    {
        var before = Linux.Cores.OfThread();
        Linux.Cores.PinThread(cores);
        try
        {
            return MediaChild.Start(command, sockets, memory);
        }
        finally
        {
            Linux.Cores.PinThread(before);
        }
    }

    private async Task Receive()
    {
        try
        {
            await foreach (var message in child.Link.ReceiveAsync()) Take(message);
            Fail(new LoadException("the media process ended"));
        }
        catch (Exception e)
        {
            Fail(e);
        }
    }

    private void Take(MediaEvent message)
    {
        switch (message)
        {
            case MediaReady media: started.SetResult(media.ProcessId); break;
            case TransportReady transport:
                _ = Ready(transport.Id);
                ready[transport.Id].TrySetResult();
                break;
            case TransportClosed closed: Closed.Enqueue(closed.Reason); break;
            case MediaReport report:
                var waiting = Interlocked.Exchange(ref next, new(TaskCreationOptions.RunContinuationsAsynchronously));
                waiting.SetResult(ServerSample.Take(report, ProcessId, Ports, Cores));
                break;
        }
    }

    private void Fail(Exception reason)
    {
        started.TrySetException(reason);
        var waiting = Volatile.Read(ref next);
        waiting.TrySetException(reason);
        _ = waiting.Task.Exception; // seen, whether or not somebody waits
    }
}
