using System.Collections.Concurrent;
using System.Globalization;
using Voice.Client.WebRtc;
using Voice.Media;
using Voice.Media.Dtls;
using Voice.Media.Net;
using Voice.Protocol.DiscordUdp;
using Voice.Protocol.Dtls;
using Voice.Protocol.Links;
using Voice.Protocol.Srtp;

namespace Voice.Bench;

/// <summary>What a participant costs in memory: many of them, in rooms of 5 in which everybody has spoken, connected as in life but for the network.</summary>
internal sealed class Holding : IDisposable
{
    private const int RoomSize = 5;
    private const int Rooms = 400;
    private const int PacketsEach = 20;

    private readonly BlockingCollection<Action<Worker>> posted = [];
    private readonly Network network = new();
    private readonly DtlsServer dtls = new() { Identity = DtlsCredentials.Make(DateTimeOffset.UtcNow) };
    private readonly Worker worker;

    private Holding() =>
        worker = new(new(0, network, new WorkerCounters(), dtls, posted.Add, _ => { }, Console.Error.WriteLine, new Random(1)));

    public static void Run()
    {
        Measure("browser, AES-128-GCM", (holding, id) => holding.ConnectBrowser(id, SrtpProfile.AeadAes128Gcm));
        Measure("browser, AES-CM, HMAC-SHA1", (holding, id) => holding.ConnectBrowser(id, SrtpProfile.Aes128CmHmacSha1_80));
        Measure("native, AES-256-GCM", (holding, id) => Clients.ConnectNative(holding.worker, id, EncryptionMode.AeadAes256GcmRtpSize));
    }

    public void Dispose()
    {
        dtls.Dispose();
        posted.Dispose();
    }

    private static void Measure(string kind, Func<Holding, uint, Protecting> connect)
    {
        using var holding = new Holding();
        holding.Fill(0, 1, connect); // what the first one costs is the process's
        var (heap, resident) = (Heap(), Environment.WorkingSet);
        holding.Fill(1, Rooms, connect);
        var people = (Rooms - 1) * RoomSize;
        var (heapNow, residentNow) = (Heap(), Environment.WorkingSet);
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{kind}: {(heapNow - heap) / people} B of heap, {(residentNow - resident) / people} B resident (clients' garbage included), each of {people}"));
        GC.KeepAlive(holding);
    }

    private void Fill(uint first, uint end, Func<Holding, uint, Protecting> connect)
    {
        for (var room = first; room < end; room++)
        {
            var ids = Enumerable.Range((int)(room * RoomSize) + 1, RoomSize).Select(id => (uint)id).ToArray();
            var protects = ids.Select(id => connect(this, id)).ToArray();
            worker.Apply([.. ids.Select(id => new PutTrack(Clients.TrackOf(id), id, TrackKind.Audio, 48_000, 0))], Clients.Now);
            worker.Apply(
                [.. from talker in ids from listener in ids where talker != listener
                    select new PutSubscription(Clients.TrackOf(talker), listener, Clients.TrackOf(talker), Gates.None)],
                Clients.Now);
            for (var i = 0; i < PacketsEach; i++)
            {
                foreach (var (id, protect) in ids.Zip(protects)) worker.Receive(Clients.Packet(id, protect, (ulong)i), Clients.Address(id), Clients.Now);
            }
        }

        worker.Tick(Clients.Now + TimeSpan.FromSeconds(2)); // reports are sent
        Console.Error.WriteLine($"{worker.Counters.PacketsForwarded} packets forwarded");
    }

    private Protecting ConnectBrowser(uint id, SrtpProfile profile)
    {
        Clients.Announce(worker, id, profile, DtlsHandshake.OwnFingerprint);
        var address = Clients.Address(id);
        var inbox = new DtlsInbox(datagram =>
        {
            var copy = datagram.ToArray();
            posted.Add(worker => worker.Receive(copy, address, Clients.Now));
        });
        network.Client = inbox;
        var client = Task.Run(() => DtlsHandshake.Run(inbox, dtls.Identity!.Fingerprint));
        while (worker.Transports[id].State != TransportState.Connected || !client.IsCompleted)
        {
            if (posted.TryTake(out var work, millisecondsTimeout: 1)) work(worker);
        }

        network.Client = null;
        return new SrtpKeyingMaterial(profile, client.Result.Material).CreateClientContext().Protect;
    }

    private static long Heap()
    {
        GC.Collect();
        GC.WaitForPendingFinalizers();
        return GC.GetTotalMemory(forceFullCollection: true);
    }

    /// <summary>To the one client that shakes hands.</summary>
    private sealed class Network : IDatagramPort
    {
        public DtlsInbox? Client { get; set; }

        public bool TrySend(ReadOnlySpan<byte> datagram, Destination to)
        {
            Client?.Deliver(datagram);
            return true;
        }
    }
}
