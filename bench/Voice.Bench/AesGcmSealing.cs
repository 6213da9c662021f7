using System.Security.Cryptography;
using BenchmarkDotNet.Attributes;
using Voice.Protocol.Crypto;

namespace Voice.Bench;

/// <summary>AES-GCM of one Opus packet's size: ours on the processor's instructions, beside the platform's.</summary>
[MemoryDiagnoser]
public class AesGcmSealing
{
    private readonly byte[] nonce = new byte[AesGcmCipher.NonceLength];
    private readonly byte[] header = new byte[12];
    private readonly byte[] tag = new byte[AesGcmCipher.TagLength];
    private readonly byte[] sealedTag = new byte[AesGcmCipher.TagLength];
    private byte[] text = [];
    private byte[] ciphertext = [];
    private byte[] plaintext = [];
    private AesGcmCipher ours = null!;
    private AesGcm platform = null!;

    [Params(16, 32)]
    public int KeyLength { get; set; }

    [Params(100)]
    public int TextLength { get; set; }

    [GlobalSetup]
    public void Setup()
    {
        var key = new byte[KeyLength];
        new Random(1).NextBytes(key);
        (ours, platform) = (AesGcmCipher.Create(key), new AesGcm(key, AesGcmCipher.TagLength));
        (text, ciphertext, plaintext) = (new byte[TextLength], new byte[TextLength], new byte[TextLength]);
        ours.Seal(nonce, header, text, ciphertext, sealedTag);
    }

    [GlobalCleanup]
    public void Cleanup()
    {
        ours.Dispose();
        platform.Dispose();
    }

    [Benchmark(Baseline = true)]
    public void PlatformSeal() => platform.Encrypt(nonce, text, ciphertext, tag, header);

    [Benchmark]
    public void PlatformOpen() => platform.Decrypt(nonce, ciphertext, sealedTag, plaintext, header);

    [Benchmark]
    public void Seal() => ours.Seal(nonce, header, text, ciphertext, tag);

    [Benchmark]
    public bool Open() => ours.TryOpen(nonce, header, ciphertext, sealedTag, plaintext);
}
