using Voice.Signaling.Gateway;
using Xunit;

namespace Voice.Tests.Signaling.Gateway;

public class ZlibStreamTests
{
    [Fact]
    public void A_long_message_does_not_keep_its_buffer()
    {
        using var zlib = new ZlibStream();
        var noise = new byte[1 << 20];
        new Random(1).NextBytes(noise);

        zlib.Compress(noise);
        Assert.True(zlib.Capacity > noise.Length);
        zlib.Compress("{}"u8);
        Assert.True(zlib.Capacity < 16 * 1024);
    }
}
