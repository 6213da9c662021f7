using BenchmarkDotNet.Attributes;
using Voice.Media;
using Voice.Media.Dtls;
using Voice.Media.Net;
using Voice.Protocol.DiscordUdp;
using Voice.Protocol.Rtp;
using Voice.Protocol.Srtp;

namespace Voice.Bench;

/// <summary>Finding whose a datagram is, in a worker with many clients, half of them native.</summary>
[MemoryDiagnoser]
public class Demultiplexing
{
    private const int People = 1000;

    private readonly RemoteEndPoint[] addresses = [.. Enumerable.Range(1, People).Select(id => Clients.Address((uint)id))];

    private readonly RemoteEndPoint stranger = Clients.Address(People + 1);
    private byte[] packet = [];
    private byte[] check = [];
    private Worker worker = null!;
    private uint next;

    [GlobalSetup]
    public void Connect()
    {
        worker = new(new(0, new NoPort(), new WorkerCounters(), new DtlsServer(), _ => { }, _ => { }, Console.Error.WriteLine, new Random(1)));
        for (var id = 1u; id <= People; id++)
        {
            if (id % 2 == 0) Clients.ConnectNative(worker, id, EncryptionMode.AeadAes256GcmRtpSize);
            else Clients.ConnectBrowser(worker, id, SrtpProfile.AeadAes128Gcm);
        }
        packet = Clients.Packet(2, (header, payload, _, datagram) =>
        {
            header.CopyTo(datagram);
            payload.CopyTo(datagram[header.Length..]);
            return header.Length + payload.Length;
        }, 1);
        check = Clients.Check(((WebRtcTransport)worker.Transports[1]).Path);
    }

    [Benchmark]
    public bool ByAddress() => worker.Routes.Find(packet, PacketKind.Rtp, addresses[next++ % People], out _) is null;

    [Benchmark]
    public bool BySsrc() => worker.Routes.Find(packet, PacketKind.Rtp, stranger, out _) is null;

    [Benchmark]
    public bool ByUsername() => worker.Routes.Find(check, PacketKind.Stun, stranger, out _) is null;

    /// <summary>What a flood costs: counted and forgotten.</summary>
    [Benchmark]
    public void Stranger() => worker.Receive(check.AsSpan(0, 12), stranger, Clients.Now);
}
