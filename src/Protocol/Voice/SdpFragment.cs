using System.Globalization;

namespace Voice.Protocol.Voice;

/// <summary>Why a client's SDP fragment is not taken.</summary>
public enum SdpRefusal
{
    None = 0,
    TooLong,
    NoIceCredentials,
    BadIceCredentials,
    NoFingerprint,
    UnknownFingerprintHash,
    BadFingerprint,
}

/// <summary>What a browser says about its end of the transport: the lines it keeps of its offer (protocol/voice-gateway.md section
/// 6.1). Candidates are never among them; lines this server has no use for are passed over.</summary>
/// <param name="Fingerprint">SHA-256 of the client's certificate, 32 bytes.</param>
/// <param name="OpusPayloadType">The client's number for Opus, if it names one.</param>
/// <param name="AudioLevelExtension">Its id for RFC 6464, 1 to 14; 0 if it has none.</param>
public sealed record SdpFragment(string IceUfrag, string IcePassword, byte[] Fingerprint, byte? OpusPayloadType, byte AudioLevelExtension)
{
    /// <summary>Characters. Browsers send about 1,000.</summary>
    public const int MaxLength = 8 * 1024;

    private const string AudioLevel = "urn:ietf:params:rtp-hdrext:ssrc-audio-level";

    /// <summary>Takes the first of each line that counts; null with a reason when the fragment cannot be used.</summary>
    public static SdpFragment? Parse(ReadOnlySpan<char> text, out SdpRefusal refusal)
    {
        refusal = SdpRefusal.TooLong;
        if (text.Length > MaxLength) return null;

        ReadOnlySpan<char> ufrag = default, password = default, fingerprint = default;
        byte? opus = null;
        byte audioLevel = 0;
        foreach (var range in text.Split('\n'))
        {
            var line = text[range].TrimEnd('\r');
            if (ufrag.IsEmpty && TryAttribute(line, "a=ice-ufrag:", out var value)) ufrag = value;
            else if (password.IsEmpty && TryAttribute(line, "a=ice-pwd:", out value)) password = value;
            else if (fingerprint.IsEmpty && TryAttribute(line, "a=fingerprint:", out value)) fingerprint = value;
            else if (opus is null && TryAttribute(line, "a=rtpmap:", out value)) opus = OpusOf(value);
            else if (audioLevel == 0 && TryAttribute(line, "a=extmap:", out value)) audioLevel = AudioLevelOf(value);
        }

        refusal = Judge(ufrag, password, fingerprint, out var hash);
        return refusal == SdpRefusal.None ? new(ufrag.ToString(), password.ToString(), hash!, opus, audioLevel) : null;
    }

    private static SdpRefusal Judge(
        ReadOnlySpan<char> ufrag, ReadOnlySpan<char> password, ReadOnlySpan<char> fingerprint, out byte[]? hash)
    {
        hash = null;
        if (ufrag.IsEmpty || password.IsEmpty) return SdpRefusal.NoIceCredentials;
        // RFC 8839 section 5.4: 4 to 256 and 22 to 256 ice-chars.
        if (!IsIceText(ufrag, 4) || !IsIceText(password, 22)) return SdpRefusal.BadIceCredentials;
        if (fingerprint.IsEmpty) return SdpRefusal.NoFingerprint;
        var space = fingerprint.IndexOf(' ');
        if (space < 0) return SdpRefusal.BadFingerprint;
        // RFC 8122 section 5; the hash name is not case sensitive.
        if (!fingerprint[..space].Equals("sha-256", StringComparison.OrdinalIgnoreCase)) return SdpRefusal.UnknownFingerprintHash;
        return TryHash(fingerprint[(space + 1)..], out hash) ? SdpRefusal.None : SdpRefusal.BadFingerprint;
    }

    private static bool TryAttribute(ReadOnlySpan<char> line, string prefix, out ReadOnlySpan<char> value)
    {
        value = default;
        if (!line.StartsWith(prefix, StringComparison.Ordinal)) return false;
        value = line[prefix.Length..].TrimEnd(' ');
        return !value.IsEmpty;
    }

    private static bool IsIceText(ReadOnlySpan<char> text, int least)
    {
        if (text.Length < least || text.Length > 256) return false;
        foreach (var c in text)
        {
            if (!char.IsAsciiLetterOrDigit(c) && c is not ('+' or '/')) return false;
        }

        return true;
    }

    /// <summary>"AB:CD:…", exactly 32 octets.</summary>
    private static bool TryHash(ReadOnlySpan<char> text, out byte[]? hash)
    {
        hash = null;
        if (text.Length != 32 * 3 - 1) return false;
        var octets = new byte[32];
        for (var i = 0; i < octets.Length; i++)
        {
            if (i > 0 && text[i * 3 - 1] != ':') return false;
            if (!byte.TryParse(text.Slice(i * 3, 2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out octets[i])) return false;
        }

        hash = octets;
        return true;
    }

    /// <summary>"111 opus/48000/2". Numbers 64 to 95 would read as RTCP on a shared port (RFC 5761 section 4).</summary>
    private static byte? OpusOf(ReadOnlySpan<char> value)
    {
        var space = value.IndexOf(' ');
        if (space < 0 || !value[(space + 1)..].StartsWith("opus/48000", StringComparison.OrdinalIgnoreCase)) return null;
        return TryNumber(value[..space], out var number) && number < 128 && number is < 64 or > 95 ? number : null;
    }

    /// <summary>"1 urn:…" or "2/recvonly urn:…" (RFC 8285 section 5); ids above 14 need the two-byte form, which we do not write.</summary>
    private static byte AudioLevelOf(ReadOnlySpan<char> value)
    {
        var space = value.IndexOf(' ');
        if (space < 0) return 0;
        var uri = value[(space + 1)..];
        var end = uri.IndexOf(' ');
        if (!(end < 0 ? uri : uri[..end]).SequenceEqual(AudioLevel)) return 0;
        var id = value[..space];
        var slash = id.IndexOf('/');
        if (slash >= 0)
        {
            if (id[(slash + 1)..].SequenceEqual("inactive")) return 0;
            id = id[..slash];
        }

        return TryNumber(id, out var number) && number is >= 1 and <= 14 ? number : (byte)0;
    }

    private static bool TryNumber(ReadOnlySpan<char> text, out byte number) =>
        byte.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out number);
}
