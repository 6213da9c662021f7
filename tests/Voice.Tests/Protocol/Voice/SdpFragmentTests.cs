using Voice.Protocol.Voice;
using Xunit;

namespace Voice.Tests.Protocol.Voice;

public class SdpFragmentTests
{
    [Fact]
    public void Reads_what_Chromium_sends()
    {
        var sdp = SdpFragment.Parse(Samples.Chromium, out _)!;

        Assert.Equal(("Qx3T", "u1mYlVf0w9S3bTq7Zk+d/HcA"), (sdp.IceUfrag, sdp.IcePassword));
        Assert.Equal((111, 1), (sdp.OpusPayloadType!.Value, sdp.AudioLevelExtension));
        Assert.Equal(Samples.Fingerprint.Replace(":", ""), Convert.ToHexString(sdp.Fingerprint));
    }

    [Fact]
    public void Reads_what_Firefox_sends()
    {
        var sdp = SdpFragment.Parse(Samples.Firefox.Replace("\n", "\r\n"), out _)!;

        Assert.Equal(("8d41c0ab", "0f9c6e21b3a84d57c1e8f2a4907b65d3"), (sdp.IceUfrag, sdp.IcePassword));
        Assert.Equal((109, 1), (sdp.OpusPayloadType!.Value, sdp.AudioLevelExtension));
    }

    [Theory]
    [InlineData("a=ice-ufrag:Qx3T", "", SdpRefusal.NoIceCredentials)]
    [InlineData("a=ice-pwd:u1mYlVf0w9S3bTq7Zk+d/HcA", "a=ice-pwd:", SdpRefusal.NoIceCredentials)]
    [InlineData("a=ice-ufrag:Qx3T", "a=ice-ufrag:Qx3", SdpRefusal.BadIceCredentials)]
    [InlineData("a=ice-ufrag:Qx3T", "a=ice-ufrag:Q x 3 T", SdpRefusal.BadIceCredentials)]
    [InlineData("a=ice-pwd:u1mYlVf0w9S3bTq7Zk+d/HcA", "a=ice-pwd:tooshort", SdpRefusal.BadIceCredentials)]
    [InlineData("a=fingerprint:sha-256 " + Samples.Fingerprint, "", SdpRefusal.NoFingerprint)]
    [InlineData("sha-256 ", "sha-1 ", SdpRefusal.UnknownFingerprintHash)]
    [InlineData("3A:96", "3A96:", SdpRefusal.BadFingerprint)]
    [InlineData("3A:96", "3G:96", SdpRefusal.BadFingerprint)]
    [InlineData(":C5:70", ":C5", SdpRefusal.BadFingerprint)]
    public void Names_why_a_fragment_is_refused(string part, string instead, SdpRefusal reason)
    {
        Assert.Null(SdpFragment.Parse(Samples.Chromium.Replace(part, instead), out var refusal));
        Assert.Equal(reason, refusal);
    }

    [Fact]
    public void Refuses_a_fragment_of_unreasonable_length()
    {
        Assert.Null(SdpFragment.Parse(Samples.Chromium + new string('\n', SdpFragment.MaxLength), out var refusal));
        Assert.Equal(SdpRefusal.TooLong, refusal);
    }

    [Theory]
    [InlineData("a=extmap:0 urn:ietf:params:rtp-hdrext:ssrc-audio-level")]
    [InlineData("a=extmap:15 urn:ietf:params:rtp-hdrext:ssrc-audio-level")]
    [InlineData("a=extmap:1/inactive urn:ietf:params:rtp-hdrext:ssrc-audio-level")]
    [InlineData("a=extmap:999 urn:ietf:params:rtp-hdrext:ssrc-audio-level")]
    public void An_extension_number_that_cannot_be_written_is_no_extension(string line)
    {
        var sdp = SdpFragment.Parse(Samples.Chromium.Replace("a=extmap:1 urn:ietf:params:rtp-hdrext:ssrc-audio-level", line), out _)!;

        Assert.Equal(0, sdp.AudioLevelExtension);
    }

    [Theory]
    [InlineData("128")]
    [InlineData("72")]
    [InlineData("-1")]
    [InlineData("x")]
    public void A_payload_type_that_RTP_cannot_carry_is_none(string number)
    {
        var sdp = SdpFragment.Parse(Samples.Chromium.Replace("rtpmap:111", "rtpmap:" + number), out _)!;

        Assert.Null(sdp.OpusPayloadType);
    }

    [Theory]
    [InlineData(Samples.Chromium)]
    [InlineData(Samples.Firefox)]
    public void Cut_at_any_length_it_is_read_or_refused(string fragment)
    {
        for (var length = 0; length < fragment.Length; length++)
        {
            var sdp = SdpFragment.Parse(fragment.AsSpan(0, length), out var refusal);
            Assert.Equal(sdp is null, refusal != SdpRefusal.None);
        }
    }
}
