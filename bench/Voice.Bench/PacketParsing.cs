using BenchmarkDotNet.Attributes;
using Voice.Protocol.Rtp;
using Voice.Protocol.Stun;

namespace Voice.Bench;

/// <summary>Reading what arrives, before any key is used: an Opus packet as browsers send it, and a connectivity check.</summary>
[MemoryDiagnoser]
public class PacketParsing
{
    private const byte AudioLevel = 1;

    private readonly byte[] rtp = new byte[RtpHeader.MaxLength + 100];
    private readonly byte[] check = new byte[100];
    private readonly byte[] password = "a password of 24 letters"u8.ToArray();

    public PacketParsing()
    {
        RtpHeader.Write(rtp, false, 111, 1, 960, 0xCAFEBABE, AudioLevel, 0x85);
        var writer = new StunWriter(check, StunClass.Request, StunMethod.Binding, new byte[12]);
        writer.AddUsername("ours1234:client12"u8);
        writer.AddIceControlling(1);
        writer.AddPriority(1);
        writer.AddMessageIntegrity(password);
        writer.AddFingerprint();
        check = check[..writer.Length];
    }

    [Benchmark]
    public PacketKind Classify() => Demux.Classify(rtp);

    [Benchmark]
    public uint ParseRtp() => RtpPacket.TryParse(rtp, out var packet)
        ? packet.Ssrc + packet.SequenceNumber + packet.Timestamp + packet.PayloadType + (uint)packet.Payload.Length
        : 0;

    [Benchmark]
    public byte ParseRtpWithAudioLevel() =>
        RtpPacket.TryParse(rtp, out var packet) && RtpExtensions.TryGet(packet.ExtensionProfile, packet.Extensions, AudioLevel, out var level)
            ? level[0]
            : (byte)0;

    [Benchmark]
    public bool ParseAndVerifyCheck() =>
        StunMessage.TryParse(check, out var message) && message.VerifyFingerprint() && message.VerifyIntegrity(password);
}
