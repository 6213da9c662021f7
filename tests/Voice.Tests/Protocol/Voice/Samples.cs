namespace Voice.Tests.Protocol.Voice;

/// <summary>SDP fragments as the two browsers send them (protocol/voice-gateway.md section 6.1).</summary>
internal static class Samples
{
    public const string Fingerprint =
        "3A:96:E1:5C:F0:22:7B:CD:10:88:4E:A9:41:D7:6B:03:9F:C2:58:E4:77:B1:2D:66:8A:0B:F3:94:1E:DA:C5:70";

    public const string Chromium =
        "a=extmap-allow-mixed\n" +
        "a=ice-ufrag:Qx3T\n" +
        "a=ice-pwd:u1mYlVf0w9S3bTq7Zk+d/HcA\n" +
        "a=ice-options:trickle\n" +
        "a=fingerprint:sha-256 " + Fingerprint + "\n" +
        "a=extmap:1 urn:ietf:params:rtp-hdrext:ssrc-audio-level\n" +
        "a=extmap:2 http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time\n" +
        "a=extmap:3 http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01\n" +
        "a=extmap:4 urn:ietf:params:rtp-hdrext:sdes:mid\n" +
        "a=rtpmap:111 opus/48000/2\n" +
        "a=extmap:14 urn:ietf:params:rtp-hdrext:toffset\n" +
        "a=extmap:13 urn:3gpp:video-orientation\n" +
        "a=extmap:5 http://www.webrtc.org/experiments/rtp-hdrext/playout-delay\n" +
        "a=extmap:6 http://www.webrtc.org/experiments/rtp-hdrext/video-content-type\n" +
        "a=extmap:7 http://www.webrtc.org/experiments/rtp-hdrext/video-timing\n" +
        "a=extmap:8 http://www.webrtc.org/experiments/rtp-hdrext/color-space\n" +
        "a=extmap:10 urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id\n" +
        "a=extmap:11 urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id\n" +
        "a=rtpmap:96 VP8/90000\n" +
        "a=rtpmap:97 rtx/90000";

    public const string Firefox =
        "a=fingerprint:sha-256 " + Fingerprint + "\n" +
        "a=ice-options:trickle\n" +
        "a=ice-pwd:0f9c6e21b3a84d57c1e8f2a4907b65d3\n" +
        "a=ice-ufrag:8d41c0ab\n" +
        "a=extmap:2/recvonly urn:ietf:params:rtp-hdrext:csrc-audio-level\n" +
        "a=extmap:1 urn:ietf:params:rtp-hdrext:ssrc-audio-level\n" +
        "a=extmap:3 urn:ietf:params:rtp-hdrext:sdes:mid\n" +
        "a=rtpmap:109 opus/48000/2\n" +
        "a=extmap:4 http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time\n" +
        "a=extmap:5 urn:ietf:params:rtp-hdrext:toffset\n" +
        "a=extmap:6/recvonly http://www.webrtc.org/experiments/rtp-hdrext/playout-delay\n" +
        "a=extmap:7 http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01\n" +
        "a=rtpmap:120 VP8/90000\n" +
        "a=rtpmap:124 rtx/90000";
}
