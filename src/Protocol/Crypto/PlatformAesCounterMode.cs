using System.Buffers.Binary;
using System.Numerics;
using System.Security.Cryptography;

namespace Voice.Protocol.Crypto;

/// <summary>Counter mode on the platform's AES, for processors without AES instructions; the tests hold it against ours.</summary>
internal sealed class PlatformAesCounterMode : AesCounterMode
{
    // One call of the platform's cipher costs more than the blocks in it: 16 cover an Opus packet and its like in one.
    private const int BatchLength = 16 * AesBlocks.Length;

    private readonly Aes aes;
    private readonly ICryptoTransform encryptor;
    private readonly byte[] counters = new byte[BatchLength];
    private readonly byte[] keystream = new byte[BatchLength];

    public PlatformAesCounterMode(ReadOnlySpan<byte> key)
    {
        aes = Aes.Create();
        aes.SetKey(key);
        aes.Mode = CipherMode.ECB;
        aes.Padding = PaddingMode.None;
        encryptor = aes.CreateEncryptor();
    }

    public override void Crypt(ulong head, ulong tail, ReadOnlySpan<byte> source, Span<byte> destination)
    {
        while (!source.IsEmpty)
        {
            var length = Math.Min(source.Length, BatchLength);
            var rounded = (length + AesBlocks.Length - 1) / AesBlocks.Length * AesBlocks.Length;
            for (var offset = 0; offset < rounded; offset += AesBlocks.Length)
            {
                BinaryPrimitives.WriteUInt64BigEndian(counters.AsSpan(offset), head);
                BinaryPrimitives.WriteUInt64BigEndian(counters.AsSpan(offset + 8), tail++);
            }
            encryptor.TransformBlock(counters, 0, rounded, keystream, 0);
            Xor(source[..length], keystream, destination);
            source = source[length..];
            destination = destination[length..];
        }
    }

    public override void Dispose()
    {
        encryptor.Dispose();
        aes.Dispose();
        CryptographicOperations.ZeroMemory(keystream);
    }

    private static void Xor(ReadOnlySpan<byte> source, ReadOnlySpan<byte> key, Span<byte> destination)
    {
        var i = 0;
        for (; i <= source.Length - Vector<byte>.Count; i += Vector<byte>.Count)
        {
            (new Vector<byte>(source[i..]) ^ new Vector<byte>(key[i..])).CopyTo(destination[i..]);
        }
        for (; i < source.Length; i++) destination[i] = (byte)(source[i] ^ key[i]);
    }
}
