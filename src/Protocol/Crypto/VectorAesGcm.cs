using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Voice.Protocol.Crypto;

/// <summary>AES-GCM on the processor's AES and carry-less multiplication.</summary>
internal sealed class VectorAesGcm<TUnit> : AesGcmCipher
    where TUnit : IAesUnit
{
    private const int BlockLength = AesBlocks.Length;
    private const int BatchBlocks = AesBlocks.Batch;

    private readonly Vector128<byte>[] keys;
    private readonly GhashPowers powers;

    public VectorAesGcm(ReadOnlySpan<byte> key)
    {
        keys = AesKeySchedule.Expand<TUnit>(key);
        Span<Vector128<byte>> blocks = stackalloc Vector128<byte>[BatchBlocks];
        blocks.Clear();
        AesBlocks.Encipher<TUnit>(keys, blocks);
        powers = GhashPowers.Of<TUnit>(blocks[0]);
    }

    public override void Seal(
        ReadOnlySpan<byte> nonce, ReadOnlySpan<byte> associated, ReadOnlySpan<byte> plaintext, Span<byte> ciphertext, Span<byte> tag)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(nonce.Length, NonceLength);
        ArgumentOutOfRangeException.ThrowIfNotEqual(ciphertext.Length, plaintext.Length);
        var hash = StartHash(associated, plaintext.Length);
        Span<Vector128<byte>> stream = stackalloc Vector128<byte>[BatchBlocks];
        var counter = FirstCounter(nonce);
        FirstBatch(stream, counter);
        var mask = stream[0];
        Crypt(stream, counter, plaintext, ciphertext, ref hash, hashes: true);
        (End(ref hash, associated.Length, ciphertext.Length) ^ mask).CopyTo(tag);
    }

    public override bool TryOpen(
        ReadOnlySpan<byte> nonce, ReadOnlySpan<byte> associated, ReadOnlySpan<byte> ciphertext, ReadOnlySpan<byte> tag, Span<byte> plaintext)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(nonce.Length, NonceLength);
        ArgumentOutOfRangeException.ThrowIfNotEqual(tag.Length, TagLength);
        ArgumentOutOfRangeException.ThrowIfNotEqual(plaintext.Length, ciphertext.Length);
        Span<Vector128<byte>> stream = stackalloc Vector128<byte>[BatchBlocks];
        var counter = FirstCounter(nonce);
        FirstBatch(stream, counter);

        // First the tag: of what is not authentic nothing is deciphered.
        var hash = StartHash(associated, ciphertext.Length);
        Add(ref hash, ciphertext);
        if ((End(ref hash, associated.Length, ciphertext.Length) ^ stream[0]) != Vector128.Create(tag)) return false;
        Crypt(stream, counter, ciphertext, plaintext, ref hash, hashes: false);
        return true;
    }

    public override int Preload()
    {
        // A cache line holds four round keys, or two powers.
        var read = 0;
        for (var i = 0; i < keys.Length; i += 4) read += keys[i][0];
        for (var i = 0; i < Ghash<TUnit>.GroupLength; i += 2) read += (int)powers[i].Value[0];
        return read;
    }

    public override void Dispose()
    {
        Array.Clear(keys);
        powers.Clear();
    }

    /// <summary>What masks the tag, and seven blocks of key stream for the text.</summary>
    private void FirstBatch(Span<Vector128<byte>> stream, Vector128<uint> counter)
    {
        for (var i = 0; i < stream.Length; i++) stream[i] = CounterBlock(counter, 1 + (uint)i);
        AesBlocks.Encipher<TUnit>(keys, stream);
    }

    /// <param name="stream">The first batch; overwritten by those that follow.</param>
    /// <param name="hashes">Whether the result is added to the hash, as it comes.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void Crypt(
        Span<Vector128<byte>> stream, Vector128<uint> counter, ReadOnlySpan<byte> from, Span<byte> to, ref Ghash<TUnit> hash, bool hashes)
    {
        var used = 1;
        var next = 1 + (uint)BatchBlocks;
        while (true)
        {
            for (; used < stream.Length && from.Length >= BlockLength; used++)
            {
                var block = Vector128.Create(from) ^ stream[used];
                block.CopyTo(to);
                if (hashes) hash.Add(block);
                from = from[BlockLength..];
                to = to[BlockLength..];
            }

            if (from.IsEmpty) return;
            if (used < stream.Length) break;
            for (var i = 0; i < stream.Length; i++) stream[i] = CounterBlock(counter, next++);
            AesBlocks.Encipher<TUnit>(keys, stream);
            used = 0;
        }

        var last = PartialBlock.Load(from) ^ stream[used];
        PartialBlock.Store(last, to[..from.Length]);
        if (hashes) hash.Add(PartialBlock.Cut(last, from.Length));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private Ghash<TUnit> StartHash(ReadOnlySpan<byte> associated, int textLength)
    {
        var hash = new Ghash<TUnit>(powers, Blocks(associated.Length) + Blocks(textLength) + 1);
        Add(ref hash, associated);
        return hash;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Add(ref Ghash<TUnit> hash, ReadOnlySpan<byte> bytes)
    {
        for (; bytes.Length >= BlockLength; bytes = bytes[BlockLength..]) hash.Add(Vector128.Create(bytes));
        if (!bytes.IsEmpty) hash.Add(PartialBlock.Load(bytes));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<byte> End(ref Ghash<TUnit> hash, int associatedLength, int textLength)
    {
        hash.Add(Vector128.Create(
            BinaryPrimitives.ReverseEndianness((ulong)associatedLength * 8), BinaryPrimitives.ReverseEndianness((ulong)textLength * 8)).AsByte());
        return hash.Value;
    }

    // SP 800-38D section 7.1: the nonce and a 32-bit counter that starts with 1 for the tag.
    private static Vector128<uint> FirstCounter(ReadOnlySpan<byte> nonce)
    {
        var words = MemoryMarshal.Cast<byte, uint>(nonce);
        return Vector128.Create(words[0], words[1], words[2], 0);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<byte> CounterBlock(Vector128<uint> counter, uint value) =>
        counter.WithElement(3, BinaryPrimitives.ReverseEndianness(value)).AsByte();

    private static int Blocks(int bytes) => (bytes + BlockLength - 1) / BlockLength;
}
