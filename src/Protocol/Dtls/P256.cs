using System.Security.Cryptography;
using Org.BouncyCastle.Tls;

namespace Voice.Protocol.Dtls;

/// <summary>Points of P-256 as TLS has them (RFC 8422 section 5.4.1): 4, x, y.</summary>
internal static class P256
{
    private const int CoordinateLength = 32;
    private const byte Uncompressed = 4;

    /// <summary>Whether the coordinates are those of a point is the platform's to say, when it takes them.</summary>
    /// <exception cref="TlsFatalAlert">Another length or form; infinity has one byte.</exception>
    public static ECParameters Decode(ReadOnlySpan<byte> point)
    {
        if (point.Length != 1 + 2 * CoordinateLength || point[0] != Uncompressed) throw new TlsFatalAlert(AlertDescription.illegal_parameter);
        var (x, y) = (point[1..][..CoordinateLength].ToArray(), point[^CoordinateLength..].ToArray());
        return new() { Curve = ECCurve.NamedCurves.nistP256, Q = new() { X = x, Y = y } };
    }
}
