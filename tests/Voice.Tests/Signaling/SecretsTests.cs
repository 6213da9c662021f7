using Voice.Protocol.Links;
using Voice.Signaling.Gateway;
using Voice.Signaling.VoiceServer;
using Xunit;
using Main = Voice.Protocol.Gateway;
using Node = Voice.Protocol.Voice;

namespace Voice.Tests.Signaling;

public class SecretsTests
{
    private const string Secret = "not-to-be-printed";

    public static TheoryData<object> Records =>
    [
        new GatewayOptions { DataDirectory = "data", ClusterSecret = Secret },
        new NodeOptions { DataDirectory = "data", ClusterSecret = Secret, MediaCommand = [] },
        new Main.Identify(Secret),
        new Main.Resume(Secret, "s", 1),
        new Main.VoiceServerUpdate(Secret, 1, "host:1"),
        new Node.Identify(1, 2, "s", Secret),
        new Node.Resume(1, "s", Secret),
        new WebRtcPath("ufrag", Secret, "theirs", [], []),
        new GatewayStep.Login(new Main.Identify(Secret)),
    ];

    [Theory]
    [MemberData(nameof(Records))]
    public void A_printed_record_does_not_tell_its_secret(object record) => Assert.DoesNotContain(Secret, record.ToString(), StringComparison.Ordinal);
}
