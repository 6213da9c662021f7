using System.Net;
using System.Security.Cryptography;
using System.Text;
using BenchmarkDotNet.Attributes;
using Voice.Media;
using Voice.Media.Dtls;
using Voice.Media.Net;
using Voice.Protocol.DiscordUdp;
using Voice.Protocol.Links;
using Voice.Protocol.Rtp;
using Voice.Protocol.Srtp;
using Voice.Protocol.Stun;

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
    private const int PayloadLength = 100; // 20 ms of Opus at 40 kbit/s
    private const uint Talker = 1;
    private static readonly TimeSpan Now = TimeSpan.FromHours(1);

    private readonly RemoteEndPoint talkerAddress = Address(Talker);
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
        worker.Apply([new PutTrack(Talker * 8, Talker, TrackKind.Audio, 48_000, 0)], Now);
        for (var id = Talker + 1; id <= Talker + Listeners; id++)
        {
            Connect(id);
            worker.Apply([new PutSubscription(Talker * 8, id, Talker * 8, Gates.None)], Now);
        }
    }

    /// <summary>Packets are decrypted in place and none is taken twice: each round needs new ones.</summary>
    [IterationSetup]
    public void Protect()
    {
        Span<byte> header = stackalloc byte[RtpHeader.MaxLength];
        Span<byte> payload = stackalloc byte[PayloadLength];
        Span<byte> datagram = stackalloc byte[200];
        for (var i = 0; i < Packets; i++, index++)
        {
            var length = RtpHeader.Write(header, false, 111, (ushort)index, (uint)index * 960, Talker * 8, 1, 30);
            datagrams[i] = datagram[..protect(header[..length], payload, index, datagram)].ToArray();
        }
    }

    [Benchmark(OperationsPerInvoke = Packets)]
    public long Forward()
    {
        foreach (var datagram in datagrams) worker.Receive(datagram, talkerAddress, Now);
        return worker.Counters.PacketsForwarded;
    }

    private delegate int Protecting(ReadOnlySpan<byte> header, ReadOnlySpan<byte> payload, ulong index, Span<byte> datagram);

    /// <returns>How the client protects what it sends.</returns>
    private Protecting Connect(uint id) => Path switch
    {
        Path.SrtpAes128Gcm => ConnectBrowser(id, SrtpProfile.AeadAes128Gcm),
        Path.SrtpAes128CmHmacSha1 => ConnectBrowser(id, SrtpProfile.Aes128CmHmacSha1_80),
        Path.NativeAes256Gcm => ConnectNative(id, EncryptionMode.AeadAes256GcmRtpSize),
        _ => ConnectNative(id, EncryptionMode.AeadXChaCha20Poly1305RtpSize),
    };

    private Protecting ConnectNative(uint id, EncryptionMode mode)
    {
        var key = RandomNumberGenerator.GetBytes(EncryptionModes.KeyLength);
        worker.Apply([new PutTransport(id, 0, 111, 1, new UdpPath(mode, key, id * 8, Address(id).ToWire()))], Now);
        var protection = new UdpProtection(mode, key, UdpEnd.Client);
        return (header, payload, _, datagram) => protection.TryProtect(header, payload, datagram, out var length) ? length : 0;
    }

    private Protecting ConnectBrowser(uint id, SrtpProfile profile)
    {
        var path = new WebRtcPath($"local{id}", "a-password-of-22-chars", "remote", new byte[32], [(ushort)profile]);
        worker.Apply([new PutTransport(id, 0, 111, 1, path)], Now);
        var check = new byte[256];
        var writer = new StunWriter(check, StunClass.Request, StunMethod.Binding, new byte[StunMessage.TransactionIdLength]);
        writer.AddUsername(Encoding.UTF8.GetBytes($"{path.LocalUfrag}:{path.RemoteUfrag}"));
        writer.AddUseCandidate();
        writer.AddMessageIntegrity(Encoding.UTF8.GetBytes(path.LocalPassword));
        writer.AddFingerprint();
        worker.Receive(check.AsSpan(0, writer.Length), Address(id), Now);

        var material = RandomNumberGenerator.GetBytes(profile.KeyingMaterialLength);
        ((WebRtcTransport)worker.Transports[id]).Connect(new((ushort)profile, material));
        return new SrtpKeyingMaterial(profile, material).CreateClientContext().Protect;
    }

    private static RemoteEndPoint Address(uint id) => RemoteEndPoint.From(new IPEndPoint(new IPAddress(0x0A000000 + id), 5000));

    private sealed class NoPort : IDatagramPort
    {
        public bool TrySend(ReadOnlySpan<byte> datagram, Destination to) => true;
    }
}
