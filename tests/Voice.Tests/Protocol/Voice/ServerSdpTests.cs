using System.Net;
using Voice.Protocol.Voice;
using Xunit;

namespace Voice.Tests.Protocol.Voice;

public class ServerSdpTests
{
    private static readonly byte[] Fingerprint = [.. Enumerable.Range(0xA0, 32).Select(i => (byte)i)];

    [Fact]
    public void Has_the_lines_that_clients_require_and_no_others()
    {
        var sdp = new ServerSdp("ufragufrag", "passwordpasswordpassword", Fingerprint, [IPEndPoint.Parse("192.0.2.7:50001"), IPEndPoint.Parse("[2001:db8::7]:50001")]);

        Assert.Equal(
            """
            m=audio 50001 ICE/SDP
            a=fingerprint:sha-256 A0:A1:A2:A3:A4:A5:A6:A7:A8:A9:AA:AB:AC:AD:AE:AF:B0:B1:B2:B3:B4:B5:B6:B7:B8:B9:BA:BB:BC:BD:BE:BF
            c=IN IP4 192.0.2.7
            a=rtcp:50001
            a=ice-ufrag:ufragufrag
            a=ice-pwd:passwordpasswordpassword
            a=candidate:1 1 UDP 2130706431 192.0.2.7 50001 typ host
            a=candidate:2 1 UDP 2130706175 2001:db8::7 50001 typ host
            """.ReplaceLineEndings("\n"),
            sdp.Write());
    }

    [Fact]
    public void Without_IPv4_the_connection_line_names_IPv6()
    {
        var sdp = new ServerSdp("ufragufrag", "passwordpasswordpassword", Fingerprint, [IPEndPoint.Parse("[::1]:50001")]);

        Assert.Contains("\nc=IN IP6 ::1\n", sdp.Write());
    }
}
