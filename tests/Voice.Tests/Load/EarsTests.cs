using System.Security.Cryptography;
using Voice.Load.Generator;
using Voice.Protocol.DiscordUdp;
using Voice.Protocol.Rtp;
using Xunit;

namespace Voice.Tests.Load;

/// <summary>What a listener of the generator makes of what a server sends it.</summary>
public sealed class EarsTests : IDisposable
{
    private readonly byte[] key = RandomNumberGenerator.GetBytes(EncryptionModes.KeyLength);
    private readonly Payloads payloads = Payloads.OfLength(100);
    private readonly Participant talker = new(0, room: 0, talkers: 1, worker: 0);
    private readonly Participant listener;
    private readonly Participant stranger = new(2, room: 1, talkers: 1, worker: 0);
    private readonly UdpProtection server;
    private readonly Ears ears;
    private readonly Tally tally = new();

    public EarsTests()
    {
        talker.Talker = new(talker, slot: 0, listeners: 1, phase: 0) { WindowStart = 10, WindowEnd = 20 };
        stranger.Talker = new(stranger, slot: 0, listeners: 1, phase: 0) { WindowEnd = 20 };
        listener = new(1, room: 0, talkers: 1, worker: 0) { Keys = new UdpKeys(EncryptionMode.AeadAes256GcmRtpSize, key) };
        server = new(EncryptionMode.AeadAes256GcmRtpSize, key, UdpEnd.Server);
        ears = new(payloads, [talker, listener, stranger], new Mouths(payloads));
    }

    [Fact]
    public void Only_what_was_sent_in_the_window_counts()
    {
        foreach (var stamp in (ulong[])[8, 9, 10, 19, 20]) Hear(talker, stamp);
        Assert.Equal(2, tally.Received);
        Assert.Equal(0, tally.Wrong + tally.Refused + tally.Duplicates + tally.Reordered);
    }

    [Fact]
    public void A_packet_that_comes_twice_counts_once()
    {
        Hear(talker, 12);
        Hear(talker, 12);
        Assert.Equal((1, 1), (tally.Received, tally.Duplicates));
    }

    [Fact]
    public void A_late_packet_counts_and_is_told()
    {
        Hear(talker, 13);
        Hear(talker, 12);
        Assert.Equal((2, 1), (tally.Received, tally.Reordered));
    }

    [Fact]
    public void Another_rooms_packet_is_wrong()
    {
        Hear(stranger, 12);
        Assert.Equal((0, 1), (tally.Received, tally.Wrong));
    }

    [Fact]
    public void A_forged_packet_is_refused()
    {
        var datagram = Datagram(talker, 12);
        datagram[^1] ^= 1;
        ears.Hear(listener, datagram, 0, tally);
        Assert.Equal((0, 1), (tally.Received, tally.Refused));
    }

    [Fact]
    public async Task The_first_audio_is_noticed()
    {
        Hear(talker, 0);
        Assert.Equal(7000, await listener.FirstAudio.Task.WaitAsync(TestContext.Current.CancellationToken));
    }

    public void Dispose()
    {
        server.Dispose();
        talker.Dispose();
        listener.Dispose();
        stranger.Dispose();
    }

    private void Hear(Participant sender, ulong stamp) => ears.Hear(listener, Datagram(sender, stamp), now: 7000, tally);

    private byte[] Datagram(Participant sender, ulong stamp)
    {
        var payload = new byte[payloads.MaxLength];
        var length = payloads.Write(payload, sender.Number, stamp, now: 1000);
        var header = new byte[RtpHeader.FixedLength];
        RtpHeader.Write(header, marker: false, payloadType: 120, (ushort)stamp, (uint)stamp * 960, sender.Ssrc);
        var datagram = new byte[header.Length + length + UdpProtection.MaxOverhead];
        Assert.True(server.TryProtect(header, payload.AsSpan(0, length), datagram, out var written));
        return datagram[..written];
    }
}
