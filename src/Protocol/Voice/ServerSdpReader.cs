using System.Globalization;
using System.Net;

namespace Voice.Protocol.Voice;

/// <summary>Reads what <see cref="ServerSdp"/> writes, as a client does.</summary>
public static class ServerSdpReader
{
    /// <summary>More candidates are not looked at.</summary>
    private const int MaxAddresses = 8;

    /// <summary>Null unless fingerprint, credentials and a UDP host candidate are there and of the right form.</summary>
    public static ServerSdp? Parse(ReadOnlySpan<char> text)
    {
        string? ufrag = null, password = null;
        byte[]? fingerprint = null;
        var addresses = new List<IPEndPoint>();
        foreach (var range in text.Split('\n'))
        {
            var line = text[range].TrimEnd('\r');
            if (TryAttribute(line, "a=ice-ufrag:", out var value)) ufrag ??= value.ToString();
            else if (TryAttribute(line, "a=ice-pwd:", out value)) password ??= value.ToString();
            else if (TryAttribute(line, "a=fingerprint:", out value)) fingerprint ??= Fingerprint(value.ToString());
            else if (TryAttribute(line, "a=candidate:", out value) && addresses.Count < MaxAddresses && Candidate(value.ToString()) is { } address) addresses.Add(address);
        }

        return ufrag is not null && password is not null && fingerprint is not null && addresses.Count > 0
            ? new ServerSdp(ufrag, password, fingerprint, [.. addresses])
            : null;
    }

    private static bool TryAttribute(ReadOnlySpan<char> line, string prefix, out ReadOnlySpan<char> value)
    {
        value = default;
        if (!line.StartsWith(prefix, StringComparison.Ordinal)) return false;
        value = line[prefix.Length..].Trim(' ');
        return value.Length is > 0 and <= 256;
    }

    /// <summary>RFC 8122 section 5: "sha-256 AB:CD:…".</summary>
    private static byte[]? Fingerprint(string value)
    {
        var parts = value.Split(' ');
        if (parts.Length != 2 || !parts[0].Equals("sha-256", StringComparison.OrdinalIgnoreCase)) return null;
        var octets = parts[1].Split(':');
        var hash = new byte[32];
        if (octets.Length != hash.Length) return null;
        for (var i = 0; i < hash.Length; i++)
        {
            if (octets[i].Length != 2 || !byte.TryParse(octets[i], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out hash[i])) return null;
        }

        return hash;
    }

    /// <summary>RFC 8839 section 5.1: foundation, component, transport, priority, address, port, "typ".</summary>
    private static IPEndPoint? Candidate(string value) =>
        value.Split(' ') is [_, "1", var transport, _, var address, var port, "typ", "host", ..]
        && transport.Equals("UDP", StringComparison.OrdinalIgnoreCase)
        && IPAddress.TryParse(address, out var ip)
        && ushort.TryParse(port, NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            ? new IPEndPoint(ip, number)
            : null;
}
