using System.Buffers.Binary;
using System.Runtime.Intrinsics;

namespace Voice.Protocol.Crypto;

/// <summary>A last block of 1 to 15 bytes, by overlapping words: through memory the processor would wait for its own stores.</summary>
internal static class PartialBlock
{
    /// <summary>Zeros follow.</summary>
    public static Vector128<byte> Load(ReadOnlySpan<byte> bytes)
    {
        ulong lower, upper = 0;
        if (bytes.Length > 8)
        {
            lower = BinaryPrimitives.ReadUInt64LittleEndian(bytes);
            upper = BinaryPrimitives.ReadUInt64LittleEndian(bytes[^8..]) >> ((16 - bytes.Length) * 8);
        }
        else if (bytes.Length >= 4)
        {
            lower = BinaryPrimitives.ReadUInt32LittleEndian(bytes)
                | (ulong)BinaryPrimitives.ReadUInt32LittleEndian(bytes[^4..]) << ((bytes.Length - 4) * 8);
        }
        else
        {
            lower = bytes[0] | (ulong)bytes[bytes.Length / 2] << (bytes.Length / 2 * 8) | (ulong)bytes[^1] << ((bytes.Length - 1) * 8);
        }

        return Vector128.Create(lower, upper).AsByte();
    }

    /// <summary>As many bytes as there is room for.</summary>
    public static void Store(Vector128<byte> block, Span<byte> bytes)
    {
        var lower = block.AsUInt64().ToScalar();
        if (bytes.Length > 8)
        {
            var (upper, shift) = (block.AsUInt64().GetElement(1), (bytes.Length - 8) * 8);
            BinaryPrimitives.WriteUInt64LittleEndian(bytes[^8..], lower >> shift | upper << (64 - shift));
            BinaryPrimitives.WriteUInt64LittleEndian(bytes, lower);
        }
        else if (bytes.Length >= 4)
        {
            BinaryPrimitives.WriteUInt32LittleEndian(bytes[^4..], (uint)(lower >> ((bytes.Length - 4) * 8)));
            BinaryPrimitives.WriteUInt32LittleEndian(bytes, (uint)lower);
        }
        else
        {
            for (var i = 0; i < bytes.Length; i++) bytes[i] = (byte)(lower >> (i * 8));
        }
    }

    /// <summary>Zeros from <paramref name="length"/> on.</summary>
    public static Vector128<byte> Cut(Vector128<byte> block, int length) =>
        block & Vector128.LessThan(Indices, Vector128.Create((byte)length));

    private static Vector128<byte> Indices => Vector128.Create((byte)0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
}
