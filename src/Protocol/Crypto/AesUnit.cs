using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using Arm = System.Runtime.Intrinsics.Arm;
using X86 = System.Runtime.Intrinsics.X86;

namespace Voice.Protocol.Crypto;

/// <summary>What GCM needs of a processor: rounds of AES (FIPS 197 section 5.1) and products of polynomials over GF(2).</summary>
internal interface IAesUnit
{
    static abstract bool IsSupported { get; }

    /// <summary>SubBytes, ShiftRows, MixColumns, AddRoundKey.</summary>
    static abstract Vector128<byte> Round(Vector128<byte> state, Vector128<byte> key);

    /// <summary>SubBytes, ShiftRows, AddRoundKey.</summary>
    static abstract Vector128<byte> LastRound(Vector128<byte> state, Vector128<byte> key);

    /// <summary>Product of the lower halves.</summary>
    static abstract Vector128<ulong> MultiplyLower(Vector128<ulong> a, Vector128<ulong> b);

    /// <summary>Product of the upper halves.</summary>
    static abstract Vector128<ulong> MultiplyUpper(Vector128<ulong> a, Vector128<ulong> b);
}

/// <summary>AES-NI and PCLMULQDQ.</summary>
internal readonly struct X86AesUnit : IAesUnit
{
    public static bool IsSupported => X86.Aes.IsSupported && X86.Pclmulqdq.IsSupported;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<byte> Round(Vector128<byte> state, Vector128<byte> key) => X86.Aes.Encrypt(state, key);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<byte> LastRound(Vector128<byte> state, Vector128<byte> key) => X86.Aes.EncryptLast(state, key);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<ulong> MultiplyLower(Vector128<ulong> a, Vector128<ulong> b) => X86.Pclmulqdq.CarrylessMultiply(a, b, 0x00);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<ulong> MultiplyUpper(Vector128<ulong> a, Vector128<ulong> b) => X86.Pclmulqdq.CarrylessMultiply(a, b, 0x11);
}

/// <summary>The Armv8 Cryptographic Extension. Its AESE adds the key before the other steps, so it gets none.</summary>
internal readonly struct ArmAesUnit : IAesUnit
{
    public static bool IsSupported => Arm.Aes.IsSupported;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<byte> Round(Vector128<byte> state, Vector128<byte> key) =>
        Arm.Aes.MixColumns(Arm.Aes.Encrypt(state, Vector128<byte>.Zero)) ^ key;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<byte> LastRound(Vector128<byte> state, Vector128<byte> key) => Arm.Aes.Encrypt(state, Vector128<byte>.Zero) ^ key;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<ulong> MultiplyLower(Vector128<ulong> a, Vector128<ulong> b) =>
        Arm.Aes.PolynomialMultiplyWideningLower(a.GetLower(), b.GetLower());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<ulong> MultiplyUpper(Vector128<ulong> a, Vector128<ulong> b) => Arm.Aes.PolynomialMultiplyWideningUpper(a, b);
}
