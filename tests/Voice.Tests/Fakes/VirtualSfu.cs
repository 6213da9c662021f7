using System.Collections.Concurrent;
using System.Net;
using Voice.Media;
using Voice.Media.Dtls;
using Voice.Media.Net;
using Voice.Protocol.DiscordUdp;
using Voice.Protocol.Links;
using Voice.Protocol.Srtp;
using Xunit;

namespace Voice.Tests.Fakes;

/// <summary>One worker on a virtual network and a virtual clock. Only DTLS handshakes run on threads of their own; what they
/// post waits for <see cref="PumpUntil"/>.</summary>
public sealed class VirtualSfu : IDisposable
{
    private readonly BlockingCollection<Action<Worker>> mailbox = [];
    private readonly List<VirtualPeer> clients = [];
    private uint lastId;

    public VirtualSfu(int seed = 1, IDatagramPort? port = null)
    {
        Random = new(seed);
        Worker = new(new(0, port ?? Port, new(), Dtls, mailbox.Add, Events.Add, Log.Add, new Random(seed)));
    }

    public Random Random { get; }

    public TimeSpan Now { get; private set; } = TimeSpan.FromHours(1);

    public VirtualPort Port { get; } = new();

    public DtlsServer Dtls { get; } = new(maxThreads: 4);

    public Worker Worker { get; }

    public List<MediaEvent> Events { get; } = [];

    public List<string> Log { get; } = [];

    public long Drops(DropReason reason) => Worker.Counters[reason];

    /// <summary>A client that signalling announced, with one audio track; it has not said anything yet.</summary>
    public VirtualClient Add(
        SrtpProfile profile = SrtpProfile.AeadAes128Gcm, byte payloadType = 111, byte levelExtension = 1, RemoteEndPoint? address = null,
        Func<PutTransport, PutTransport>? customize = null)
    {
        var id = ++lastId;
        var client = new VirtualClient(this, id, profile, payloadType, levelExtension, address ?? Home(id));
        if (customize is not null) client.Put = customize(client.Put);
        return Announced(client);
    }

    /// <summary>A client that is connected: checked, nominated, and with the keys that a handshake would have given.</summary>
    public VirtualClient Connect(
        SrtpProfile profile = SrtpProfile.AeadAes128Gcm, byte payloadType = 111, byte levelExtension = 1, RemoteEndPoint? address = null)
    {
        var client = Add(profile, payloadType, levelExtension, address);
        client.Send(client.Check());
        client.UseKeys();
        return client;
    }

    /// <summary>A native client that signalling announced, with one audio track; it has not sent anything yet.</summary>
    /// <param name="expected">Signalling knows where it is.</param>
    public VirtualNative AddNative(
        EncryptionMode mode = EncryptionMode.AeadAes256GcmRtpSize, bool expected = false, RemoteEndPoint? address = null)
    {
        var id = ++lastId;
        var client = new VirtualNative(this, id, mode, address ?? Home(id));
        if (expected) client.Put = client.Put with { Path = client.Path with { Expected = client.Address.ToWire() } };
        return Announced(client);
    }

    /// <summary>A native client that has sent a packet, so that its address is known.</summary>
    public VirtualNative ConnectNative(EncryptionMode mode = EncryptionMode.AeadAes256GcmRtpSize)
    {
        var client = AddNative(mode);
        client.Send(client.Rtp());
        return client;
    }

    public Subscription Subscribe(VirtualPeer talker, VirtualPeer listener, Gates gates = Gates.None, uint? ssrc = null)
    {
        Apply([new PutSubscription(talker.TrackSsrc, listener.Id, ssrc ?? talker.TrackSsrc, gates)]);
        return Worker.Subscriptions[(talker.TrackSsrc, listener.Id)];
    }

    public void Apply(IReadOnlyList<MediaChange> changes) => Worker.Apply(changes, Now);

    public void Replace(IReadOnlyList<MediaChange> changes) => Worker.Replace(changes, Now);

    public void Deliver(ReadOnlySpan<byte> datagram, RemoteEndPoint from) => Worker.Receive(datagram.ToArray(), from, Now);

    /// <summary>Moves the clock, with the ticks on the way.</summary>
    public void Advance(TimeSpan time)
    {
        var end = Now + time;
        while (Now + Worker.TickInterval < end)
        {
            Now += Worker.TickInterval;
            Worker.Tick(Now);
        }
        Now = end;
        Worker.Tick(Now);
    }

    /// <summary>Runs what the handshake threads post until <paramref name="done"/>.</summary>
    public void PumpUntil(Func<bool> done)
    {
        while (!done()) mailbox.Take(TestContext.Current.CancellationToken)(Worker);
    }

    /// <summary>Runs on the worker's thread, which is the test's: for clients that have a thread of their own.</summary>
    public void Post(Action<Worker> message) => mailbox.Add(message);

    public void Dispose()
    {
        Dtls.Dispose();
        clients.ForEach(client => client.Dispose());
        // The mailbox stays: a handshake thread may still post to it.
    }

    private T Announced<T>(T client)
        where T : VirtualPeer
    {
        clients.Add(client);
        Apply([client.Put, client.PutTrack]);
        Assert.Empty(Log);
        return client;
    }

    private static RemoteEndPoint Home(uint id) => RemoteEndPoint.From(new IPEndPoint(IPAddress.Parse($"192.0.2.{id}"), 40000));
}
