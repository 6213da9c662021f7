using System.Buffers.Binary;
using System.Runtime.Intrinsics;

namespace Voice.Protocol.Crypto;

/// <summary>Counter mode on the processor's AES.</summary>
internal sealed class VectorAesCounterMode<TUnit>(ReadOnlySpan<byte> key) : AesCounterMode
    where TUnit : IAesUnit
{
    private readonly Vector128<byte>[] schedule = AesKeySchedule.Expand<TUnit>(key);

    public override void Crypt(ulong head, ulong tail, ReadOnlySpan<byte> source, Span<byte> destination)
    {
        Span<Vector128<byte>> stream = stackalloc Vector128<byte>[AesBlocks.Batch];
        var first = BinaryPrimitives.ReverseEndianness(head);
        while (!source.IsEmpty)
        {
            for (var i = 0; i < stream.Length; i++) stream[i] = Vector128.Create(first, BinaryPrimitives.ReverseEndianness(tail++)).AsByte();
            AesBlocks.Encipher<TUnit>(schedule, stream);
            foreach (ref readonly var key in stream)
            {
                if (source.Length < AesBlocks.Length)
                {
                    if (!source.IsEmpty) PartialBlock.Store(PartialBlock.Load(source) ^ key, destination[..source.Length]);
                    return;
                }

                (Vector128.Create(source) ^ key).CopyTo(destination);
                source = source[AesBlocks.Length..];
                destination = destination[AesBlocks.Length..];
            }
        }
    }

    public override void Dispose() => Array.Clear(schedule);
}
