using Voice.Load.Generator;
using Voice.Protocol.Ogg;
using Xunit;

namespace Voice.Tests.Load;

public class PayloadsTests
{
    [Theory]
    [InlineData(null)]
    [InlineData(100)]
    [InlineData(Payloads.MinLength)]
    public void What_was_written_is_read(int? length)
    {
        var payloads = length is { } bytes ? Payloads.OfLength(bytes) : Payloads.OfFrames();
        var buffer = new byte[payloads.MaxLength];
        for (var counter = 0UL; counter < 2000; counter++)
        {
            var written = buffer.AsSpan(0, payloads.Write(buffer, 77, counter, (long)counter * 3));
            if (length is not null) Assert.Equal(length, written.Length);
            Assert.True(payloads.TryRead(written, out var talker, out var stamp, out var sent));
            Assert.Equal((77, counter, (long)counter * 3), (talker, stamp, sent));
        }
    }

    [Fact]
    public void Another_packet_under_the_stamp_is_seen()
    {
        var payloads = Payloads.OfLength(100);
        var buffer = new byte[100];
        payloads.Write(buffer, 1, 5, 0);
        for (var i = 0; i < buffer.Length - 16; i++)
        {
            buffer[i] ^= 1;
            Assert.False(payloads.TryRead(buffer, out _, out _, out _));
            buffer[i] ^= 1;
        }

        Assert.False(payloads.TryRead(buffer.AsSpan(1), out _, out _, out _));
        Assert.False(payloads.TryRead(OpusToc.SilenceFrame, out _, out _, out _));
    }

    [Fact]
    public void A_speaker_speaks_as_much_as_people_do()
    {
        var speech = new SpeechModel(new Random(1));
        var share = Enumerable.Range(0, 1_000_000).Count(_ => speech.Next()) / 1e6;
        Assert.InRange(share, 0.37, 0.41); // ITU-T P.59: spurts of 1.004 s, pauses of 1.587 s
    }
}
