using System.Net;
using System.Security.Cryptography;
using System.Text;
using BenchmarkDotNet.Attributes;
using Voice.Media;
using Voice.Media.Dtls;
using Voice.Media.Net;
using Voice.Protocol.Links;
using Voice.Protocol.Rtp;
using Voice.Protocol.Srtp;
using Voice.Protocol.Stun;

namespace Voice.Bench;

/// <summary>The whole way of a packet through a worker, from datagram to datagrams, without a kernel: demultiplex, unprotect,
/// and for each listener its header and its encryption. Per packet received.</summary>
[MemoryDiagnoser]
[InvocationCount(1)]
public class Forwarding
{
    private const int Packets = 4096;
    private const int PayloadLength = 100; // 20 ms of Opus at 40 kbit/s
    private const uint Talker = 1;

    private readonly RemoteEndPoint talkerAddress = Address(Talker);
    private readonly byte[][] datagrams = new byte[Packets][];
    private Worker worker = null!;
    private SrtpContext talker = null!;
    private ulong index;

    [Params(1, 10, 100)]
    public int Listeners { get; set; }

    [Params(SrtpProfile.AeadAes128Gcm, SrtpProfile.Aes128CmHmacSha1_80)]
    public SrtpProfile Profile { get; set; }

    [GlobalSetup]
    public void Connect()
    {
        var dtls = new DtlsServer();
        worker = new(new(0, new NoPort(), dtls, _ => { }, _ => { }, Console.Error.WriteLine, new Random(1)));
        talker = Connect(Talker).CreateClientContext();
        worker.Apply([new PutTrack(Talker * 8, Talker, TrackKind.Audio, 48_000, 0)], TimeSpan.FromHours(1));
        for (var id = Talker + 1; id <= Talker + Listeners; id++)
        {
            Connect(id);
            worker.Apply([new PutSubscription(Talker * 8, id, Talker * 8, Gates.None)], TimeSpan.FromHours(1));
        }
    }

    /// <summary>Packets are decrypted in place and none is taken twice: each round needs new ones.</summary>
    [IterationSetup]
    public void Protect()
    {
        Span<byte> header = stackalloc byte[RtpHeader.MaxLength];
        Span<byte> payload = stackalloc byte[PayloadLength];
        for (var i = 0; i < Packets; i++, index++)
        {
            var length = RtpHeader.Write(header, false, 111, (ushort)index, (uint)index * 960, 7, 1, 30);
            datagrams[i] = new byte[length + PayloadLength + Profile.TagLength];
            talker.Protect(header[..length], payload, index, datagrams[i]);
        }
    }

    [Benchmark(OperationsPerInvoke = Packets)]
    public long Forward()
    {
        foreach (var datagram in datagrams) worker.Receive(datagram, talkerAddress, TimeSpan.FromHours(1));
        return worker.Counters.PacketsForwarded;
    }

    private SrtpKeyingMaterial Connect(uint id)
    {
        var put = new PutTransport(id, 0, 111, 1, new WebRtcPath($"local{id}", "a-password-of-22-chars", "remote", new byte[32], [(ushort)Profile]));
        worker.Apply([put], TimeSpan.FromHours(1));
        var check = new byte[256];
        var writer = new StunWriter(check, StunClass.Request, StunMethod.Binding, new byte[StunMessage.TransactionIdLength]);
        writer.AddUsername(Encoding.UTF8.GetBytes($"{((WebRtcPath)put.Path).LocalUfrag}:{((WebRtcPath)put.Path).RemoteUfrag}"));
        writer.AddUseCandidate();
        writer.AddMessageIntegrity(Encoding.UTF8.GetBytes(((WebRtcPath)put.Path).LocalPassword));
        writer.AddFingerprint();
        worker.Receive(check.AsSpan(0, writer.Length), Address(id), TimeSpan.FromHours(1));

        var material = RandomNumberGenerator.GetBytes(Profile.KeyingMaterialLength);
        ((WebRtcTransport)worker.Transports[id]).Connect(new((ushort)Profile, material));
        return new(Profile, material);
    }

    private static RemoteEndPoint Address(uint id) => RemoteEndPoint.From(new IPEndPoint(new IPAddress(0x0A000000 + id), 5000));

    private sealed class NoPort : IDatagramPort
    {
        public bool TryReceive(Span<byte> buffer, out int length, out RemoteEndPoint from)
        {
            (length, from) = (0, default);
            return false;
        }

        public bool TrySend(ReadOnlySpan<byte> datagram, Destination to) => true;
    }
}
