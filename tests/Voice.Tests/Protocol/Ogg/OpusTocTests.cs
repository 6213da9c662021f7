using Voice.Protocol.Ogg;
using Xunit;

namespace Voice.Tests.Protocol.Ogg;

public class OpusTocTests
{
    /// <summary>RFC 6716 section 3.1, table 2, in samples at 48 kHz, by configuration.</summary>
    private static readonly int[] FrameSamples =
    [
        480, 960, 1920, 2880, 480, 960, 1920, 2880, 480, 960, 1920, 2880, 480, 960, 480, 960,
        120, 240, 480, 960, 120, 240, 480, 960, 120, 240, 480, 960, 120, 240, 480, 960,
    ];

    [Fact]
    public void Every_configuration_has_its_duration()
    {
        for (var config = 0; config < 32; config++)
        {
            foreach (var (code, frames) in ((int, int)[])[(0, 1), (1, 2), (2, 2)])
            {
                Assert.True(OpusToc.TryGetSamples([(byte)(config << 3 | code)], out var samples));
                Assert.Equal(frames * FrameSamples[config], samples);
            }
        }
    }

    [Theory]
    [InlineData(new byte[] { 0xF8, 0xFF, 0xFE }, 960)]
    [InlineData(new byte[] { 0xFB, 0x06 }, 5760)]
    [InlineData(new byte[] { 0xFB, 0x07 }, null)] // 140 ms
    [InlineData(new byte[] { 0xFB, 0xC0 }, null)] // no frames, whatever the flags
    [InlineData(new byte[] { 0xFB }, null)]
    [InlineData(new byte[0], null)]
    public void Packets_of_several_frames_play_120_ms_at_most(byte[] packet, int? expected)
    {
        Assert.Equal(expected is not null, OpusToc.TryGetSamples(packet, out var samples));
        if (expected is not null) Assert.Equal(expected, samples);
    }
}
