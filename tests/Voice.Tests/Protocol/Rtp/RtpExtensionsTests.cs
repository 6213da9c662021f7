using Voice.Protocol.Rtp;
using Voice.Tests.Vectors;
using Xunit;

namespace Voice.Tests.Protocol.Rtp;

public class RtpExtensionsTests
{
    [Theory]
    [InlineData(0xBEDE, "1085 0000", "1:85")]
    [InlineData(0xBEDE, "0000 1085", "1:85")] // padding first
    [InlineData(0xBEDE, "1085 00 21aabb 00 30cc 00", "1:85 2:aabb 3:cc")] // and between
    [InlineData(0xBEDE, "1085 f0ff 20aa", "1:85")] // id 15 ends it
    [InlineData(0xBEDE, "1085 01ffff 20aa", "1:85")] // so does id 0 with a length
    [InlineData(0xBEDE, "1085 2faabb", "1:85")] // longer than the block
    [InlineData(0xBEDE, "10", "")]
    [InlineData(0xBEDE, "", "")]
    [InlineData(0x1000, "0101 85 00 0200 0f02aabb", "1:85 2: 15:aabb")]
    [InlineData(0x100F, "ff01 85", "255:85")] // appbits
    [InlineData(0x1000, "0101 85 02", "1:85")]
    [InlineData(0x1000, "0105 85", "")]
    [InlineData(0x1010, "0101 85", "")] // another profile
    [InlineData(0x0000, "1085 0000", "")]
    public void Elements(int profile, string hex, string expected)
    {
        var words = new List<string>();
        foreach (var element in new RtpExtensions((ushort)profile, Hex.Bytes(hex))) words.Add($"{element.Id}:{Hex.Of(element.Data)}");
        Assert.Equal(expected, string.Join(' ', words));
    }

    [Fact]
    public void A_block_cut_anywhere_gives_a_prefix_of_its_elements()
    {
        var block = Hex.Bytes("1085 00 21aabb 00 32ccddee 40ff");
        VectorRunner.Reading(block, body =>
        {
            var words = "";
            foreach (var element in new RtpExtensions(RtpExtensions.OneByteProfile, body)) words += $"{element.Id}:{Hex.Of(element.Data)} ";
            Assert.StartsWith(words, "1:85 2:aabb 3:ccddee 4:ff ");
            return words;
        }, refusedBelow: 0);
    }

    [Fact]
    public void The_first_of_two_elements_with_one_id_counts()
    {
        Assert.True(RtpExtensions.TryGet(0xBEDE, Hex.Bytes("1085 1086"), 1, out var data));
        Assert.Equal("85", Hex.Of(data));
        Assert.False(RtpExtensions.TryGet(0xBEDE, Hex.Bytes("1085 1086"), 2, out _));
    }
}
