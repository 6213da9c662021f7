using CsCheck;
using Voice.Protocol.Crypto;
using Voice.Tests.Fakes;
using Xunit;

namespace Voice.Tests.Protocol.Crypto;

public class AesGcmCipherTests
{
    private static readonly Gen<(byte[] Key, byte[] Nonce, byte[] Associated, byte[] Text)> Inputs =
        from key in Gen.OneOf(Gen.Byte.Array[16], Gen.Byte.Array[32])
        from nonce in Gen.Byte.Array[AesGcmCipher.NonceLength]
        from associated in Gen.Byte.Array[0, 40]
        from text in Gen.Byte.Array[0, 1500]
        select (key, nonce, associated, text);

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Seals_as_the_platform_does(bool inPlace) => Inputs.Sample(input =>
    {
        foreach (var tested in Ciphers(input.Key))
        {
            var (expected, expectedTag) = Seal(new PlatformAesGcm(input.Key), input.Nonce, input.Associated, input.Text, inPlace: false);
            var (sealedText, tag) = Seal(tested, input.Nonce, input.Associated, input.Text, inPlace);
            Assert.Equal(expected, sealedText);
            Assert.Equal(expectedTag, tag);
        }
    });

    [Fact]
    public void Every_length_up_to_some_batches_opens_to_what_was_sealed()
    {
        var random = new Random(1);
        foreach (var keyLength in (int[])[16, 32])
        {
            var (key, nonce) = (Bytes(random, keyLength), Bytes(random, AesGcmCipher.NonceLength));
            for (var length = 0; length <= 300; length++)
            {
                var (associated, text) = (Bytes(random, length % 37), Bytes(random, length));
                foreach (var tested in Ciphers(key))
                {
                    var (sealedText, tag) = Seal(new PlatformAesGcm(key), nonce, associated, text, inPlace: false);
                    Assert.True(tested.TryOpen(nonce, associated, sealedText, tag, sealedText));
                    Assert.Equal(text, sealedText);
                }
            }
        }
    }

    [Fact]
    public void One_bit_off_anywhere_is_refused() => (
        from input in Inputs
        from bit in Gen.Int[0, int.MaxValue]
        select (input, bit)).Sample(t =>
        {
            var (key, nonce, associated, text) = t.input;
            foreach (var tested in Ciphers(key))
            {
                var (sealedText, tag) = Seal(tested, nonce, associated, text, inPlace: false);
                byte[][] parts = [nonce, associated, sealedText, tag];
                var at = t.bit % (parts.Sum(part => part.Length) * 8);
                foreach (var part in parts)
                {
                    if (at < part.Length * 8)
                    {
                        part[at / 8] ^= (byte)(1 << (at % 8));
                        Assert.False(tested.TryOpen(nonce, associated, sealedText, tag, new byte[text.Length]));
                        part[at / 8] ^= (byte)(1 << (at % 8));
                        break;
                    }

                    at -= part.Length * 8;
                }
            }
        });

    [Fact]
    public void A_forgery_costs_no_exception_and_no_allocation()
    {
        using var tested = AesGcmCipher.Create(new byte[16]);
        Assert.IsNotType<PlatformAesGcm>(tested); // this machine has AES instructions, as every server has
        var (nonce, text, tag) = (new byte[AesGcmCipher.NonceLength], new byte[100], new byte[AesGcmCipher.TagLength]);
        Assert.Equal(0, Allocated.ByUndisturbed(() =>
        {
            for (var i = 0; i < 1000; i++)
            {
                tested.Seal(nonce, nonce, text, text, tag);
                tag[0] ^= 1;
                if (tested.TryOpen(nonce, nonce, text, tag, text)) throw new InvalidOperationException("forged");
            }
        }));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(15)]
    [InlineData(24)]
    [InlineData(33)]
    public void A_key_of_another_length_is_refused(int length) => Assert.Throws<ArgumentException>(() => AesGcmCipher.Create(new byte[length]));

    [Theory]
    [InlineData("nist-aes-gcm.txt", 200)]
    [InlineData("wycheproof-aes-gcm.txt", 27)]
    public void Seals_and_refuses_as_published(string vectors, int count)
    {
        var lines = File.ReadLines(Path.Combine(AppContext.BaseDirectory, "Vectors", vectors)).Where(line => line[0] != '#').ToArray();
        Assert.Equal(count, lines.Length);
        foreach (var fields in lines.Select(line => line.Split(' ')))
        {
            byte[] Bytes(int field) => fields[field] == "-" ? [] : Convert.FromHexString(fields[field]);
            var (nonce, associated, ciphertext, tag) = (Bytes(1), Bytes(2), Bytes(4), Bytes(5));
            foreach (var tested in Ciphers(Bytes(0)).Append(new PlatformAesGcm(Bytes(0))))
            {
                var opened = new byte[ciphertext.Length];
                Assert.Equal(fields[3] != "FAIL", tested.TryOpen(nonce, associated, ciphertext, tag, opened));
                if (fields[3] == "FAIL") continue;
                Assert.Equal(Bytes(3), opened);
                var (sealedText, sealedTag) = Seal(tested, nonce, associated, opened, inPlace: true);
                Assert.Equal(ciphertext, sealedText);
                Assert.Equal(tag, sealedTag);
            }
        }
    }

    private static IEnumerable<AesGcmCipher> Ciphers(byte[] key)
    {
        yield return AesGcmCipher.Create(key);
        yield return new VectorAesGcm<SoftwareAesUnit>(key); // what the processor does, spelled out: it tests the rest elsewhere too
    }

    private static (byte[] Text, byte[] Tag) Seal(AesGcmCipher cipher, byte[] nonce, byte[] associated, byte[] text, bool inPlace)
    {
        var (from, tag) = ((byte[])text.Clone(), new byte[AesGcmCipher.TagLength]);
        var to = inPlace ? from : new byte[text.Length];
        cipher.Seal(nonce, associated, from, to, tag);
        return (to, tag);
    }

    private static byte[] Bytes(Random random, int length)
    {
        var bytes = new byte[length];
        random.NextBytes(bytes);
        return bytes;
    }
}
