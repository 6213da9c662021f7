using System.Runtime.Intrinsics;
using Voice.Protocol.Crypto;

namespace Voice.Tests.Protocol.Crypto;

/// <summary>FIPS 197 section 5.1 and schoolbook multiplication, byte by byte and bit by bit.</summary>
internal readonly struct SoftwareAesUnit : IAesUnit
{
    private static readonly byte[] SBox = MakeSBox();

    public static bool IsSupported => true;

    public static Vector128<byte> Round(Vector128<byte> state, Vector128<byte> key)
    {
        var shifted = SubstituteAndShift(state);
        var mixed = new byte[16];
        for (var i = 0; i < 16; i++)
        {
            var column = i / 4 * 4;
            byte At(int row) => shifted[column + ((i + row) % 4)];
            mixed[i] = (byte)(Multiply(At(0), 2) ^ Multiply(At(1), 3) ^ At(2) ^ At(3));
        }

        return Vector128.Create(mixed) ^ key;
    }

    public static Vector128<byte> LastRound(Vector128<byte> state, Vector128<byte> key) => Vector128.Create(SubstituteAndShift(state)) ^ key;

    public static Vector128<ulong> MultiplyLower(Vector128<ulong> a, Vector128<ulong> b) => Product(a.ToScalar(), b.ToScalar());

    public static Vector128<ulong> MultiplyUpper(Vector128<ulong> a, Vector128<ulong> b) => Product(a.GetElement(1), b.GetElement(1));

    private static Vector128<ulong> Product(ulong a, ulong b)
    {
        UInt128 product = 0;
        for (var bit = 0; bit < 64; bit++)
        {
            if ((b >> bit & 1) != 0) product ^= (UInt128)a << bit;
        }

        return Vector128.Create((ulong)product, (ulong)(product >> 64));
    }

    private static byte[] SubstituteAndShift(Vector128<byte> state)
    {
        var shifted = new byte[16];
        for (var i = 0; i < 16; i++) shifted[i] = SBox[state[(i + (i % 4 * 4)) % 16]];
        return shifted;
    }

    // FIPS 197 section 5.1.1: the inverse in GF(2^8), then an affine map.
    private static byte[] MakeSBox()
    {
        var box = new byte[256];
        for (var value = 0; value < 256; value++)
        {
            var inverse = Enumerable.Range(0, 256).FirstOrDefault(other => Multiply((byte)value, (byte)other) == 1);
            var mapped = 0x63;
            for (var turn = 0; turn < 5; turn++) mapped ^= (inverse << turn | inverse >> (8 - turn)) & 0xFF;
            box[value] = (byte)mapped;
        }

        return box;
    }

    private static byte Multiply(byte a, byte b)
    {
        var product = 0;
        for (var bit = 0; bit < 8; bit++)
        {
            if ((b >> bit & 1) != 0) product ^= a << bit;
        }

        for (var bit = 14; bit >= 8; bit--)
        {
            if ((product >> bit & 1) != 0) product ^= 0x11B << (bit - 8);
        }

        return (byte)product;
    }
}
