using System.Net;
using Voice.Load.Generator;
using Voice.Load.Linux;
using Voice.Load.Server;

namespace Voice.Load.Scenarios;

/// <summary>A media process on its cores, a generator on its own, and rooms between them.</summary>
internal sealed class TestBed : IAsyncDisposable
{
    /// <summary>What was sent in a window is waited for while it comes, and at most so often this long: so a server that is late is not taken for one that loses.</summary>
    private static readonly TimeSpan Drain = TimeSpan.FromMilliseconds(300);
    private const int MostDrains = 10;

    private readonly CancellationToken cancel;

    private TestBed(TestedServer server, LoadGenerator generator, Rooms rooms, Payloads payloads, ServerSample empty, int[] generatorCores, BenchOptions options, IPAddress local, CancellationToken cancel)
    {
        (Server, Generator, Rooms, Payloads, Empty, GeneratorCores, Transport, Local) =
            (server, generator, rooms, payloads, empty, generatorCores, options.Transport, local);
        this.cancel = cancel;
    }

    public TestedServer Server { get; }

    public LoadGenerator Generator { get; }

    public Rooms Rooms { get; }

    public Payloads Payloads { get; }

    /// <summary>Before anybody joined.</summary>
    public ServerSample Empty { get; }

    public LoadTransport Transport { get; }

    /// <summary>Where participants' sockets are.</summary>
    public IPAddress Local { get; }

    public int[] GeneratorCores { get; }

    /// <summary>The cores are not apart: there are too few.</summary>
    public bool SharesCores => Server.Cores.Intersect(GeneratorCores).Any();

    public static async Task<TestBed> StartAsync(BenchOptions options, CancellationToken cancel)
    {
        var cores = options.Quick ? Cores.Available : await CoreAbsence.QuietestFirst();
        var serverCores = cores[..Math.Min(options.Workers, cores.Length)];
        var generatorCores = cores.Length > serverCores.Length ? cores[serverCores.Length..] : cores[^1..];
        OpenFiles.Allow();
        var payloads = options.PayloadBytes is { } length ? Payloads.OfLength(length) : Payloads.OfFrames();
        var generator = new LoadGenerator(payloads, generatorCores[^1]);
        var local = options.Network?.Outside ?? IPAddress.Loopback;
        TestedServer server;
        Rooms rooms;
        if (options.Driver is { } driver)
        {
            var peer = await PeerServer.StartAsync(driver, options.Network!, serverCores, () => generator.Audio, cancel);
            (server, rooms) = (peer, new PeerRooms(peer, generator, local, options.Speech, cancel));
        }
        else
        {
            var media = await MediaServer.StartAsync(options.MediaCommand, options.Network, options.Workers, serverCores, cancel);
            (server, rooms) = (media, new MediaRooms(media, generator, local, options.Transport, options.Speech, options.Group, cancel));
        }

        await server.NextSample(cancel);
        return new(server, generator, rooms, payloads, await server.NextSample(cancel), generatorCores, options, local, cancel);
    }

    /// <summary>From here on nothing of ours runs on the server's cores, and the generator waits for nothing.</summary>
    public void Quieten()
    {
        Cores.PinProcess(GeneratorCores);
        Cores.PinThread(GeneratorCores);
        Generator.Spins = true;
    }

    /// <summary>For joining, which is work on our side as well: on every core.</summary>
    public void Relax()
    {
        Generator.Spins = false;
        Cores.PinProcess(Cores.Available);
    }

    /// <summary>Who talks already is measured for so long, between two reports of the media process.</summary>
    public async Task<Measurement> Measure(TimeSpan time)
    {
        var receiverDrops = ReceiverDrops();
        var from = await Server.NextSample(cancel);
        await Generator.OpenWindow();
        await Task.Delay(time - TimeSpan.FromMilliseconds(500), cancel); // and then until the next report
        var to = await Server.NextSample(cancel);
        return new(new(from, to), await CloseWindow(), ReceiverDrops() - receiverDrops);
    }

    /// <summary>Ends what the generator counts, and waits for what is on its way.</summary>
    public async Task<Tally> CloseWindow()
    {
        await Generator.CloseWindow();
        var received = -1L;
        for (var i = 0; i < MostDrains; i++)
        {
            await Task.Delay(Drain, cancel);
            var tally = await Generator.Result();
            if (tally.Received == tally.Expected || tally.Received == received) break;
            received = tally.Received;
        }

        return await Generator.Result();
    }

    /// <summary>Everything that was asked of the server held.</summary>
    /// <exception cref="LoadException">It did not.</exception>
    public void Check()
    {
        if (!Server.Closed.IsEmpty) throw new LoadException($"the media process closed {Server.Closed.Count} transports ({Server.Closed.First()})");
        if (Generator.Lost > 0) throw new LoadException($"the media process stopped answering {Generator.Lost} times");
    }

    /// <summary>At the generator's sockets, since they were opened.</summary>
    public long ReceiverDrops() => Rooms.All.SelectMany(room => room.Participants).Sum(participant => UdpDrops.OfSocket(participant.Descriptor));

    public async ValueTask DisposeAsync()
    {
        Relax();
        await Server.DisposeAsync();
        Generator.Dispose();
        Rooms.Dispose();
    }
}
