using BenchmarkDotNet.Attributes;
using Voice.Media;
using Voice.Media.Dtls;
using Voice.Media.Net;
using Voice.Protocol.DiscordUdp;
using Voice.Protocol.Links;
using Voice.Protocol.Srtp;

namespace Voice.Bench;

/// <summary>How both ends of the forwarding benchmark are connected.</summary>
public enum Path
{
    SrtpAes128Gcm,
    SrtpAes128CmHmacSha1,
    NativeAes256Gcm,
    NativeXChaCha20,
}

/// <summary>The whole way of a packet through a worker, from datagram to datagrams, without a kernel: demultiplex, unprotect,
/// and for each listener its header and its encryption. Per packet received.</summary>
[MemoryDiagnoser, MinColumn, MedianColumn] // on a busy machine the minimum says most
[InvocationCount(1)]
public class Forwarding
{
    private const int Packets = 4096;
    private const uint Talker = 1;

    private readonly RemoteEndPoint talkerAddress = Clients.Address(Talker);
    private readonly byte[][] datagrams = new byte[Packets][];
    private Worker worker = null!;
    private Protecting protect = null!;
    private ulong index;

    [Params(1, 10, 100)]
    public int Listeners { get; set; }

    [ParamsAllValues]
    public Path Path { get; set; }

    [GlobalSetup]
    public void Connect()
    {
        worker = new(new(0, new NoPort(), new WorkerCounters(), new DtlsServer(), _ => { }, _ => { }, Console.Error.WriteLine, new Random(1)));
        protect = Connect(Talker);
        worker.Apply([new PutTrack(Clients.TrackOf(Talker), Talker, TrackKind.Audio, 48_000, 0)], Clients.Now);
        for (var id = Talker + 1; id <= Talker + Listeners; id++)
        {
            Connect(id);
            worker.Apply([new PutSubscription(Clients.TrackOf(Talker), id, Clients.TrackOf(Talker), Gates.None)], Clients.Now);
        }
    }

    /// <summary>Packets are decrypted in place and none is taken twice: each round needs new ones.</summary>
    [IterationSetup]
    public void Protect()
    {
        for (var i = 0; i < Packets; i++) datagrams[i] = Clients.Packet(Talker, protect, index++);
    }

    [Benchmark(OperationsPerInvoke = Packets)]
    public long Forward()
    {
        foreach (var datagram in datagrams) worker.Receive(datagram, talkerAddress, Clients.Now);
        return worker.Counters.PacketsForwarded;
    }

    /// <returns>How the client protects what it sends.</returns>
    private Protecting Connect(uint id) => Path switch
    {
        Path.SrtpAes128Gcm => Clients.ConnectBrowser(worker, id, SrtpProfile.AeadAes128Gcm),
        Path.SrtpAes128CmHmacSha1 => Clients.ConnectBrowser(worker, id, SrtpProfile.Aes128CmHmacSha1_80),
        Path.NativeAes256Gcm => Clients.ConnectNative(worker, id, EncryptionMode.AeadAes256GcmRtpSize),
        _ => Clients.ConnectNative(worker, id, EncryptionMode.AeadXChaCha20Poly1305RtpSize),
    };
}
