namespace Voice.Tests.Vectors;

internal static class Hex
{
    /// <summary>Bytes from hexadecimal digits, with any white space among them.</summary>
    public static byte[] Bytes(string digits) => Convert.FromHexString(string.Concat(digits.Where(c => !char.IsWhiteSpace(c))));

    public static string Of(ReadOnlySpan<byte> bytes) => Convert.ToHexStringLower(bytes);
}
