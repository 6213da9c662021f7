using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Voice.Protocol.Voice;

/// <summary>The server's end of a WebRTC transport, as op 4 carries it (protocol/voice-gateway.md section 6.2). The page makes a whole
/// answer of it: ICE-lite, DTLS passive, one bundled transport.</summary>
/// <param name="Fingerprint">SHA-256 of the server's certificate, 32 bytes.</param>
/// <param name="Addresses">Where this transport's worker listens, best first; at least one.</param>
public sealed record ServerSdp(string IceUfrag, string IcePassword, byte[] Fingerprint, IPEndPoint[] Addresses)
{
    public string Write()
    {
        var first = Addresses[0];
        var text = new StringBuilder(512);
        Line($"m=audio {first.Port} ICE/SDP");
        Line($"a=fingerprint:sha-256 {BitConverter.ToString(Fingerprint).Replace('-', ':')}");
        Line($"c=IN {(first.AddressFamily == AddressFamily.InterNetwork ? "IP4" : "IP6")} {first.Address}");
        Line($"a=rtcp:{first.Port}");
        Line($"a=ice-ufrag:{IceUfrag}");
        Line($"a=ice-pwd:{IcePassword}");
        for (var i = 0; i < Addresses.Length; i++)
        {
            // RFC 8445 section 5.1.2.1: host type 126, an own local preference for each address, component 1.
            var priority = (126u << 24) | ((uint)(65535 - i) << 8) | 255;
            Line($"a=candidate:{i + 1} 1 UDP {priority} {Addresses[i].Address} {Addresses[i].Port} typ host");
        }

        return text.ToString(0, text.Length - 1);

        void Line(FormattableString line) => text.Append(line.ToString(CultureInfo.InvariantCulture)).Append('\n');
    }
}
