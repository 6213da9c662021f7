using System.Collections.Concurrent;
using System.Net;
using Voice.Media;
using Voice.Media.Checkpoints;
using Voice.Media.Dtls;
using Voice.Media.Net;
using Voice.Media.Rings;
using Voice.Protocol.DiscordUdp;
using Voice.Protocol.Links;
using Voice.Protocol.Srtp;
using Xunit;

namespace Voice.Tests.Fakes;

/// <summary>Workers, mostly one, on a virtual network and a virtual clock. Only DTLS handshakes run on threads of their own; what they
/// post waits for <see cref="PumpUntil"/>. What crosses from one worker to another has done so when a call here returns.</summary>
public sealed class VirtualSfu : IDisposable
{
    private readonly BlockingCollection<Action> mailbox = [];
    private readonly List<VirtualPeer> clients = [];
    private readonly Dictionary<object, MediaChange> told = [];
    private readonly IDatagramPort port;
    private readonly CheckpointMemory memory;
    private readonly int seed;
    private WorkerPlan plan = null!;
    private List<IReadOnlyList<MediaChange>>? draft;
    private uint lastId;

    public VirtualSfu(int seed = 1, IDatagramPort? port = null, int workers = 1)
    {
        (Random, this.seed, this.port) = (new(seed), seed, port ?? Port);
        memory = CheckpointMemory.Private(workers, bytes: 256 * 1024);
        Workers = Start(workers);
    }

    public Random Random { get; }

    public TimeSpan Now { get; private set; } = TimeSpan.FromHours(1);

    public VirtualPort Port { get; } = new();

    public DtlsServer Dtls { get; } = new(maxThreads: 4);

    public Worker[] Workers { get; private set; }

    /// <summary>The first, where clients are put that no test puts elsewhere.</summary>
    public Worker Worker => Workers[0];

    public List<MediaEvent> Events { get; } = [];

    public List<string> Log { get; } = [];

    public long Drops(DropReason reason) => Workers.Sum(worker => worker.Counters[reason]);

    /// <summary>A client that signalling announced, with one audio track; it has not said anything yet.</summary>
    public VirtualClient Add(
        SrtpProfile profile = SrtpProfile.AeadAes128Gcm, byte payloadType = 111, byte levelExtension = 1, RemoteEndPoint? address = null,
        Func<PutTransport, PutTransport>? customize = null, uint group = 0)
    {
        var id = ++lastId;
        var client = new VirtualClient(this, id, profile, payloadType, levelExtension, address ?? Home(id));
        if (customize is not null) client.Put = customize(client.Put);
        client.PutTrack = client.PutTrack with { Group = group };
        return Announced(client);
    }

    /// <summary>A client that is connected: checked, nominated, and with the keys that a handshake would have given.</summary>
    public VirtualClient Connect(
        SrtpProfile profile = SrtpProfile.AeadAes128Gcm, byte payloadType = 111, byte levelExtension = 1, RemoteEndPoint? address = null, int worker = 0,
        uint group = 0)
    {
        var client = Add(profile, payloadType, levelExtension, address, put => put with { Worker = worker }, group);
        client.Send(client.Check());
        client.UseKeys();
        return client;
    }

    /// <summary>A native client that signalling announced, with one audio track; it has not sent anything yet.</summary>
    /// <param name="expected">Signalling knows where it is.</param>
    public VirtualNative AddNative(
        EncryptionMode mode = EncryptionMode.AeadAes256GcmRtpSize, bool expected = false, RemoteEndPoint? address = null, int worker = 0)
    {
        var id = ++lastId;
        var client = new VirtualNative(this, id, mode, address ?? Home(id));
        client.Put = client.Put with { Worker = worker };
        if (expected) client.Put = client.Put with { Path = client.Path with { Expected = client.Address.ToWire() } };
        return Announced(client);
    }

    /// <summary>A native client that has sent a packet, so that its address is known.</summary>
    public VirtualNative ConnectNative(EncryptionMode mode = EncryptionMode.AeadAes256GcmRtpSize, int worker = 0)
    {
        var client = AddNative(mode, worker: worker);
        client.Send(client.Rtp());
        return client;
    }

    public Subscription Subscribe(VirtualPeer talker, VirtualPeer listener, Gates gates = Gates.None, uint? ssrc = null)
    {
        Apply([new PutSubscription(talker.TrackSsrc, listener.Id, ssrc ?? talker.TrackSsrc, gates)]);
        return Workers[listener.Put.Worker].Subscriptions[(talker.TrackSsrc, listener.Id)];
    }

    public void Apply(IReadOnlyList<MediaChange> changes)
    {
        foreach (var change in changes) Note(change);
        draft?.Add(changes);
        foreach (var (worker, part) in Workers.Zip(plan.Split(changes))) worker.Apply(part, Now);
    }

    public void Replace(IReadOnlyList<MediaChange> changes)
    {
        foreach (var (worker, part) in Workers.Zip(plan.SplitWhole(changes))) worker.Replace(part, Now);
    }

    /// <summary>What the node would say, and no process hears.</summary>
    public void Untell(MediaChange change) => Note(change);

    public void Leave(VirtualPeer client)
    {
        Apply([new DropTransport(client.Id)]);
        foreach (var gone in told.Where(put => put.Value is PutTrack track && track.Transport == client.Id).ToList()) told.Remove(gone.Key);
        foreach (var gone in told.Where(put => put.Value is PutSubscription its && (its.Listener == client.Id || its.Track == client.TrackSsrc)).ToList()) told.Remove(gone.Key);
    }

    /// <summary>The process is gone from one packet to the next, and another goes on: with what the node knows, and with the memory.</summary>
    public void Crash()
    {
        Restart();
        draft = null;
        Replace(Whole());
    }

    /// <summary>As above, but nobody has told the other anything.</summary>
    public void Restart() => Workers = Start(Workers.Length);

    /// <summary>Another process waits, and is told everything: what is there now, and then each change.</summary>
    public void Draft() => draft = [Whole()];

    /// <summary>The process says that it stops, and another goes on: the one that has a draft, if there is one.</summary>
    public void Reload()
    {
        foreach (var worker in Workers) worker.Retire();
        if (draft is not { } held)
        {
            Crash();
            return;
        }
        draft = null;
        Restart();
        foreach (var (worker, part) in Workers.Zip(plan.SplitWhole(held[0]))) worker.Begin(part, Now);
        foreach (var changes in held.Skip(1))
        {
            foreach (var (worker, part) in Workers.Zip(plan.Split(changes))) worker.Apply(part, Now);
        }
        foreach (var worker in Workers) worker.Settle();
    }

    public void Deliver(ReadOnlySpan<byte> datagram, RemoteEndPoint from, int worker = 0)
    {
        Workers[worker].Receive(datagram.ToArray(), from, Now);
        foreach (var other in Workers) other.TakeMail(Now);
    }

    public Transport TransportOf(VirtualPeer client) => Workers[client.Put.Worker].Transports[client.Id];

    /// <summary>Moves the clock, with the ticks on the way.</summary>
    public void Advance(TimeSpan time)
    {
        var end = Now + time;
        while (Now + Worker.TickInterval < end)
        {
            Now += Worker.TickInterval;
            Tick();
        }
        Now = end;
        Tick();
    }

    /// <summary>Runs what the handshake threads post until <paramref name="done"/>.</summary>
    public void PumpUntil(Func<bool> done)
    {
        while (!done()) mailbox.Take(TestContext.Current.CancellationToken)();
    }

    /// <summary>Runs on the worker's thread, which is the test's: for clients that have a thread of their own.</summary>
    public void Post(Action<Worker> message) => mailbox.Add(() => message(Worker));

    public void Dispose()
    {
        Dtls.Dispose();
        clients.ForEach(client => client.Dispose());
        // The mailbox stays: a handshake thread may still post to it.
    }

    private Worker[] Start(int workers)
    {
        plan = new(workers);
        var rings = new WorkerRings(workers);
        return [.. Enumerable.Range(0, workers).Select(i => new Worker(
            new(i, port, new(), Dtls, message => mailbox.Add(() => message(Workers![i])), Events.Add, Log.Add, new Random(seed + i))
            {
                Rings = rings,
                Checkpoints = memory.ForAnotherProcess(i),
            }))];
    }

    private void Note(MediaChange change)
    {
        switch (change)
        {
            case PutTransport put: told[(typeof(PutTransport), put.Id)] = put; break;
            case DropTransport drop: told.Remove((typeof(PutTransport), drop.Id)); break;
            case PutTrack put: told[(typeof(PutTrack), put.Ssrc)] = put; break;
            case DropTrack drop: told.Remove((typeof(PutTrack), drop.Ssrc)); break;
            case PutGroup put: told[(typeof(PutGroup), put.Id)] = put; break;
            case DropGroup drop: told.Remove((typeof(PutGroup), drop.Id)); break;
            case PutSubscription put: told[(put.Track, put.Listener)] = put; break;
            case DropSubscription drop: told.Remove((drop.Track, drop.Listener)); break;
        }
    }

    private MediaChange[] Whole() => [.. told.Values.Select(Resumed)];

    /// <summary>As the node would put it.</summary>
    private MediaChange Resumed(MediaChange change) =>
        change is PutTransport put && clients.First(client => client.Id == put.Id).Learned is { } learned ? put with { Resumed = learned } : change;

    private void Tick()
    {
        foreach (var worker in Workers) worker.Tick(Now);
    }

    private T Announced<T>(T client)
        where T : VirtualPeer
    {
        clients.Add(client);
        Apply([client.Put, client.PutTrack]);
        Assert.Empty(Log);
        return client;
    }

    private static RemoteEndPoint Home(uint id) => RemoteEndPoint.From(new IPEndPoint(IPAddress.Parse($"192.0.{2 + id / 250}.{id % 250}"), 40000));
}
