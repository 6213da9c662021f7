using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using Voice.Load.Generator;
using Voice.Protocol.DiscordUdp;
using Voice.Protocol.Rtp;
using Voice.Protocol.Srtp;
using Xunit;

namespace Voice.Tests.Load;

/// <summary>What a participant of the generator sends.</summary>
public sealed class MouthsTests : IDisposable
{
    private static readonly TimeSpan HalfAWrap = TimeSpan.FromSeconds((1L << 31) / 48_000); // of timestamps

    private readonly byte[] key = RandomNumberGenerator.GetBytes(EncryptionModes.KeyLength);
    private readonly Socket server = new(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
    private readonly Participant participant;
    private readonly UdpProtection protection;

    public MouthsTests()
    {
        participant = new(0, room: 0, talkers: 1, worker: 0) { Keys = new UdpKeys(EncryptionMode.AeadAes256GcmRtpSize, key) };
        protection = new(EncryptionMode.AeadAes256GcmRtpSize, key, UdpEnd.Server);
        server.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        participant.Bind(IPAddress.Loopback);
        participant.Open((IPEndPoint)server.LocalEndPoint!);
    }

    public static TheoryData<TimeSpan> Uptimes => [TimeSpan.FromHours(1), HalfAWrap - TimeSpan.FromSeconds(1), HalfAWrap + TimeSpan.FromSeconds(1), 2 * HalfAWrap];

    [Theory]
    [MemberData(nameof(Uptimes))]
    public void A_native_talkers_first_words_are_newer_than_its_greeting(TimeSpan uptime)
    {
        var now = (long)uptime.TotalNanoseconds;
        var mouths = new Mouths(Payloads.OfLength(100));
        var window = new SequenceWindow();
        mouths.SayNothing(participant, now);
        Assert.Equal(ReplayVerdict.Fresh, Take(ref window));
        mouths.Say(new(participant, slot: 0, listeners: 1, phase: 0) { FirstIndex = 20_000 }, now + (2 * Talker.FrameNanoseconds), new());
        Assert.Equal(ReplayVerdict.Fresh, Take(ref window));
    }

    public void Dispose()
    {
        server.Dispose();
        participant.Dispose();
        protection.Dispose();
    }

    private ReplayVerdict Take(ref SequenceWindow window)
    {
        var buffer = new byte[1500];
        var datagram = buffer.AsSpan(0, server.Receive(buffer));
        Assert.True(protection.TryUnprotect(datagram, datagram, out var length));
        Assert.True(RtpPacket.TryParse(datagram[..length], out var packet));
        var verdict = window.Check(packet.SequenceNumber, packet.Timestamp, out var index);
        window.Commit(index, packet.Timestamp);
        return verdict;
    }
}
