using CsCheck;
using Voice.Protocol.Crypto;
using Voice.Tests.Vectors;
using Xunit;

namespace Voice.Tests.Protocol.Crypto;

public class AesCounterModeTests
{
    /// <summary>RFC 3711 appendix B.2.</summary>
    [Fact]
    public void The_key_stream_is_the_RFCs()
    {
        foreach (var tested in Modes(Hex.Bytes("2B7E151628AED2A6ABF7158809CF4F3C")))
        {
            var stream = new byte[0xFF02 * 16];
            tested.Crypt(0xF0F1F2F3F4F5F6F7, 0xF8F9FAFBFCFD0000, stream, stream);

            Assert.Equal("e03ead0935c95e80e166b16dd92b4eb4d23513162b02d0f72a43a2fe4a5f97ab41e95b3bb0a2e8dd477901e4fca894c0", Hex.Of(stream.AsSpan(0, 48)));
            Assert.Equal("ec8cdf7398607cb0f2d21675ea9ea1e4362b7c3c6773516318a077d7fc5073ae6a2cc3787889374fbeb4c81b17ba6c44", Hex.Of(stream.AsSpan(0xFEFF * 16)));
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Encrypts_as_the_platform_does(bool inPlace) => (
        from key in Gen.Byte.Array[16]
        from head in Gen.ULong
        from tail in Gen.ULong
        from text in Gen.Byte.Array[0, 1500]
        select (key, head, tail & ~0xFFFFUL, text)).Sample(input =>
        {
            var (key, head, tail, text) = input;
            var expected = new byte[text.Length];
            using var platform = new PlatformAesCounterMode(key);
            platform.Crypt(head, tail, text, expected);
            foreach (var tested in Modes(key))
            {
                var from = (byte[])text.Clone();
                var to = inPlace ? from : new byte[text.Length];
                tested.Crypt(head, tail, from, to);
                Assert.Equal(expected, to);
            }
        });

    private static IEnumerable<AesCounterMode> Modes(byte[] key)
    {
        yield return AesCounterMode.Create(key);
        yield return new VectorAesCounterMode<SoftwareAesUnit>(key);
        yield return new PlatformAesCounterMode(key);
    }
}
