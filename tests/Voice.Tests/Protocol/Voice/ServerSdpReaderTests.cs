using System.Net;
using Voice.Protocol.Voice;
using Xunit;

namespace Voice.Tests.Protocol.Voice;

public class ServerSdpReaderTests
{
    private static readonly ServerSdp Sdp = new(
        "ufra", "password-of-22-letters", [.. Enumerable.Range(0, 32).Select(i => (byte)(i * 8))],
        [new IPEndPoint(IPAddress.Parse("192.0.2.1"), 50_000), new IPEndPoint(IPAddress.Parse("2001:db8::1"), 50_001)]);

    [Fact]
    public void What_is_written_is_read()
    {
        var read = ServerSdpReader.Parse(Sdp.Write())!;

        Assert.Equal((Sdp.IceUfrag, Sdp.IcePassword), (read.IceUfrag, read.IcePassword));
        Assert.Equal(Sdp.Fingerprint, read.Fingerprint);
        Assert.Equal(Sdp.Addresses, read.Addresses);
    }

    [Theory]
    [InlineData("a=ice-ufrag")]
    [InlineData("a=ice-pwd")]
    [InlineData("a=fingerprint")]
    [InlineData("a=candidate")]
    public void Without_a_line_that_counts_it_is_refused(string prefix)
    {
        Assert.Null(ServerSdpReader.Parse(string.Join('\n', Sdp.Write().Split('\n').Where(line => !line.StartsWith(prefix, StringComparison.Ordinal)))));
    }

    [Theory]
    [InlineData("a=fingerprint:sha-1 00:01")]
    [InlineData("a=fingerprint:sha-256 00:01")]
    [InlineData("a=candidate:1 1 TCP 1 192.0.2.1 9 typ host")]
    [InlineData("a=candidate:1 1 UDP 1 voice.example 9 typ host")]
    [InlineData("a=candidate:1 1 UDP 1 192.0.2.1 65536 typ host")]
    public void A_line_of_another_form_does_not_count(string line)
    {
        var prefix = line[..line.IndexOf(':')];
        var text = string.Join('\n', Sdp.Write().Split('\n').Where(l => !l.StartsWith(prefix, StringComparison.Ordinal)).Append(line));

        Assert.Null(ServerSdpReader.Parse(text));
    }

    [Fact]
    public void Cut_anywhere_it_is_read_or_refused()
    {
        var text = Sdp.Write();
        for (var length = 0; length < text.Length; length++) ServerSdpReader.Parse(text.AsSpan(0, length));
    }
}
